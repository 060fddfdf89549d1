"""What is what in a torch module: its input, embeddings, neurons, attention and logits, as named or found by running it."""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from interp.errors import InterpError
from interp.networks.modules.embedding import CLOSE, Embedding, find_embedding, probe_pairs
from interp.networks.modules.inputs import Answers, Reading, Tokens, find_reading
from interp.networks.modules.logit_map import find_normalizations
from interp.networks.modules.network import ModuleNetwork
from interp.networks.modules.neurons import Layer, find_layers
from interp.networks.modules.parts import PATTERN, ROOT, Parts

FEW = 16
"""Number of pairs on which it is asked which activation is a function of which."""


def module_network(
    module: nn.Module,
    answers: Answers,
    *,
    p: int | None = None,
    tokens: Tokens | None = None,
    embedding: str | Sequence[str] | None = None,
    neurons: str | None = None,
    attention: str | None = None,
    unembedding: str | None = None,
    more_names: Mapping[str, nn.Module] | None = None,
    vocabulary: int | None = None,
    length: int | None = None,
) -> tuple[ModuleNetwork, tuple[str, ...]]:
    """The network that a module is, and notes on how it was read; what is not said here is as in ``interp.from_module``.

    ``answers``: of the task. ``more_names``: names of parts beside torch's. ``vocabulary``, ``length``: number of tokens that
    there are, and that are read.

    Raises InterpError, one line that says what to name, where something named is not there or not what it is named for, or
    where it cannot be said what the module reads and which activation is its logits.
    """
    parts = Parts.of(module, more_names)
    named = [embedding] if isinstance(embedding, str) else list(embedding or ())
    given = [x for x in (*named, neurons, attention, unembedding) if x is not None]
    parts.check_known(given)
    reading, why = find_reading(
        parts, answers, p=p, tokens=tokens, unembedding=unembedding, vocabulary=vocabulary, length=length
    )
    a, b = probe_pairs(reading.p)
    seen = parts.everything(reading.tokens(a, b), given)
    axes = _pair_axes(seen, parts.everything(reading.tokens(a[1:], b[1:]), given), len(a))
    by_pair = {name: value.movedim(axis, 0) for name, value in seen.items() if (axis := axes.get(name)) is not None}
    if missing := [x for x in (neurons, attention) if x is not None and x not in by_pair]:
        raise InterpError(f"{missing[0]} gives no activation that has an entry per pair when the module is run: name another")
    # A few pairs tell one activation from another.
    few = torch.linspace(0, len(a) - 1, FEW).long()
    layers = find_layers(parts, {name: value[few] for name, value in by_pair.items()})
    network = ModuleNetwork(
        parts=parts,
        reading=reading,
        embedding=_embedding(parts, by_pair, reading, named),
        layer=_last_layer(neurons, layers, by_pair),
        neuron_layers=max(len(layers), neurons is not None),
        attention=_attention(parts, attention),
        pair_axes=axes,
        largest=max((value[0].numel() for name, value in by_pair.items()), default=1),
        normalizations=find_normalizations(parts, {name: value for name, value in seen.items() if name in axes}),
    )
    network = _checked(network, a, b, strictly=bool(named))
    return network, _notes(network, why)


def _pair_axes(seen: Mapping[str, Tensor], fewer: Mapping[str, Tensor], pairs: int) -> dict[str, int | None]:
    """By activation, the axis that is one shorter with a pair less, None where there is none; others are left out."""
    axes: dict[str, int | None] = {}
    for name, value in seen.items():
        if name in fewer and fewer[name].dim() == value.dim():
            differing = [axis for axis, (x, y) in enumerate(zip(value.shape, fewer[name].shape, strict=True)) if x != y]
            if not differing:
                axes[name] = None
            elif len(differing) == 1 and value.shape[differing[0]] == pairs:
                axes[name] = differing[0]
    return axes


def _embedding(parts: Parts, seen: Mapping[str, Tensor], reading: Reading, named: Sequence[str]) -> Embedding | str:
    try:
        return find_embedding(parts, seen, reading.p, named)
    except InterpError as missing:
        if named:
            raise
        return str(missing)


def _last_layer(named: str | None, layers: Sequence[Layer], seen: Mapping[str, Tensor]) -> Layer | str:
    """The layer that is named, with its nonlinearity where that is known, or the last one that was found."""
    if named is None:
        return (
            layers[-1] if layers else "no activation is a known function of an earlier one: neurons='NAME' says which are meant"
        )
    for layer in layers:
        if torch.equal(seen[layer.name], seen[named]):
            return Layer(named, layer.pre, layer.function, layer.words)
    return Layer(named, None, None, "of no known nonlinearity")


def _attention(parts: Parts, named: str | None) -> str | None:
    if named is not None and isinstance(parts.by_name.get(named), nn.MultiheadAttention):
        return named + PATTERN
    return named


def _checked(network: ModuleNetwork, a: Tensor, b: Tensor, *, strictly: bool) -> ModuleNetwork:
    """The network, without its embedding where the module answers otherwise when the vectors of other symbols are put in."""
    if isinstance(network.embedding, str):
        return network
    E_a, E_b = network.tables()
    with torch.no_grad():
        own, _ = network.run_symbols(a, b)
        put, _ = network.run(E_a[a], E_b[b])
    off = (own - put).abs().max().item()
    if off <= 100 * CLOSE * max(own.abs().max().item(), 1e-30):
        return network
    lacking = (
        f"reads its symbols not in {', '.join(network.embedding.names)} alone: logits with these replaced are off by {off:.2g}"
    )
    if strictly:
        raise InterpError(f"the module {lacking}; embedding=[...] may name several parts")
    return ModuleNetwork(**{**vars(network), "embedding": lacking})


def _notes(network: ModuleNetwork, why: str) -> tuple[str, ...]:
    """How the module was read, in a few phrases."""
    reading, embedding, layer = network.reading, network.embedding, network.layer
    notes = [f"input {reading.words}" + (f" ({why})" if why else "")]
    if reading.logits != ROOT:
        notes.append(f"logits {reading.logits}")
    notes.append("embedding not found" if isinstance(embedding, str) else f"embedding {' and '.join(embedding.names)}")
    notes.append("neurons not found" if isinstance(layer, str) else f"neurons {layer.name} ({layer.words})")
    if isinstance(layer, Layer):
        if (gain := network.gain()) is not None:
            notes.append(f"W_L is a mean over pairs: normalisations multiply a pair's own by 1 ± {gain.std():.2g}")
        if variation := network.map_variation():
            notes.append(
                f"W_L is a mean over pairs, from which a pair's own map differs by {variation:.1%}: between neurons and logits "
                "stands what is neither linear nor a normalisation"
            )
    return tuple(notes)

"""Which network is it? What nobody says is tried: the reading under which the network computes a + b mod p is taken."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product

import torch
from einops import rearrange
from torch.nn import functional

from interp.attention_free import AttentionFree, AttentionFreeConfig
from interp.checkpoint import Assumption
from interp.config import MAX_P, NetworkConfig, Parameters
from interp.errors import InterpError
from interp.formats.facts import Facts
from interp.formats.layouts import Layout
from interp.model import check_analysable
from interp.network import Network

RATES = tuple(i / 10 for i in range(11))
"""Attention rates tried where none is given. A network that computes the sum under several of them keeps its secret: the
loss does not tell, it is lowest at 0 for networks that were trained at .2 and at .5 (zhong-2023, seed 5, 1,500 steps)."""
COMPUTES = 0.99
"""A reading computes the sum from this accuracy."""
SAMPLE = 2000
"""Pairs that a reading is tried on, drawn with a fixed seed."""


@dataclass(frozen=True, eq=False)
class Reading:
    """One way to understand a layout, and what was assumed for it beyond the facts."""

    network: Network | AttentionFree
    assumed: dict[str, str]
    """Option → value, for everything that the facts leave open."""

    def says(self) -> str:
        """The assumptions as options."""
        return " ".join(f"--{option} {value}" if value else f"--{option}" for option, value in self.assumed.items())


@dataclass(frozen=True, eq=False)
class Choice:
    """The reading that was taken."""

    network: Network | AttentionFree
    notes: tuple[str, ...] = ()
    """What was assumed, and why."""
    assumed: Assumption | None = None
    """The assumption that could be wrong, beside the network of the other reading."""


def choose(layout: Layout, facts: Facts) -> Choice:
    """Which network is it?

    Raises InterpError where no reading fits the shapes, or several or none of those that fit compute a + b mod p; then
    the options that decide are named. Two things are assumed and said. Ordinary attention (rate 1), where published networks
    have no other. And ReLU, unless GELU alone computes the sum: where both do, the lower loss does not tell which it was
    trained with (of published networks it is right about as often as a coin).
    """
    readings = list(_attention_free(layout, facts) if layout.kinds else _transformers(layout, facts))
    if not readings:
        raise InterpError(_no_reading(layout, facts))
    notes: tuple[str, ...] = ()
    if layout.rate_is_assumed(facts):
        notes = ("attention rate 1, ordinary attention, assumed (not stored; --attention-rate decides)",)
    if len(readings) == 1:
        check_analysable(readings[0].network)
        return Choice(readings[0].network, notes)
    tried = [_try(reading) for reading in readings]
    taken = _pick(tried)
    other = next((each for each in tried if _differ_in_activation(each.reading, taken.reading)), None)
    if other is None:
        how = f"of {len(readings)} readings it computes a + b mod p, loss {taken.loss:.2g}"
        return Choice(taken.reading.network, (*notes, f"read as {taken.reading.says()} (not stored; {how})"))
    return Choice(taken.reading.network, (*notes, _assumes(taken, other)), _assumption(taken, other))


@dataclass(frozen=True, eq=False)
class _Tried:
    """A reading, and how well the network adds under it."""

    reading: Reading
    loss: float
    accuracy: float


def _pick(tried: Sequence[_Tried]) -> _Tried:
    """The one under which it computes the sum; ReLU where that is all that is asked. Raises InterpError as ``choose`` does."""
    fits = [each for each in tried if each.accuracy >= COMPUTES]
    # Of one that fits with ReLU nothing else is asked; what fits with GELU alone is GELU.
    fits = [each for each in fits if each.reading.assumed.get("activation") == "relu"] or fits
    if len(fits) > 1:
        best, *others = sorted(fits, key=lambda each: each.loss)
        open_ = {name for each in others for name, value in each.reading.assumed.items() if best.reading.assumed[name] != value}
        shown = "; ".join(f"{each.reading.says()}: loss {each.loss:.2g}" for each in (best, others[0]))
        raise InterpError(
            f"it computes a + b mod p under {len(fits)} of {len(tried)} readings ({shown}): decide with "
            + " ".join(f"--{name}" for name in sorted(open_))
        )
    options = " ".join(dict.fromkeys(f"--{name}" for each in tried for name in each.reading.assumed))
    if not fits and options != "--activation":
        best_accuracy = max(each.accuracy for each in tried)
        raise InterpError(
            f"under none of the {len(tried)} readings that fit does it compute a + b mod p (best accuracy "
            f"{best_accuracy:.2f}); if it is a network that does not, say how to read it: {options}"
        )
    return fits[0] if fits else tried[0]


def _differ_in_activation(one: Reading, two: Reading) -> bool:
    """In nothing else?"""
    if "activation" not in one.assumed:
        return False
    return one.assumed != two.assumed and {**one.assumed, "activation": ""} == {**two.assumed, "activation": ""}


def _assumes(taken: _Tried, other: _Tried) -> str:
    """The note on an activation that nobody says."""

    def how_well(each: _Tried) -> str:
        return f"it answers {each.accuracy:.4f} of the pairs tried right, loss {each.loss:.2g}"

    name = other.reading.assumed["activation"]
    beside = f"{how_well(taken)}; as {name} {how_well(other)}"
    note = f"read as {taken.reading.says()}, assumed (not stored; {beside}; --activation decides)"
    if taken.accuracy >= COMPUTES:
        return note
    return (
        f"{note}. Under neither does it compute a + b mod p: it has not learned that, or does something that "
        "its weights do not say (another operation, a normalisation)"
    )


def _assumption(taken: _Tried, other: _Tried) -> Assumption:
    assert isinstance(other.reading.network, Network)
    ours, theirs = (f"activation {each.reading.assumed['activation']}" for each in (taken, other))
    return Assumption(taken=ours, other=theirs, network=other.reading.network)


def _try(reading: Reading) -> _Tried:
    """Loss and accuracy on a sample of pairs; the worst possible where the network overflows."""
    check_analysable(reading.network)
    p = reading.network.p
    index = torch.randperm(p * p, generator=torch.Generator().manual_seed(0))[:SAMPLE]
    a, b = index // p, index % p
    E_a, E_b = reading.network.tables()
    with torch.no_grad():
        logits, _ = reading.network.run(E_a[a], E_b[b])
    answer = (a + b) % p
    loss = functional.cross_entropy(logits.double(), answer).item()
    accuracy = (logits.argmax(-1) == answer).double().mean().item()
    return _Tried(reading, loss, accuracy) if math.isfinite(loss) else _Tried(reading, math.inf, 0.0)


def _attention_free(layout: Layout, facts: Facts) -> Iterator[Reading]:
    W = layout.parameters
    p, d_embedding = W["embed_a.W_E"].shape
    if facts.modulus not in (None, p) or p > MAX_P:
        return
    for kind in layout.kinds:
        if facts.kind is None or kind == facts.kind or len(layout.kinds) == 1:
            config = AttentionFreeConfig(
                p=p,
                kind=kind,
                d_embedding=d_embedding,
                d_hidden=W["l1.W"].shape[1],
                biases="l1.b" in W,
                separate_vocabularies="embed_b.W_E" in W,
            )
            yield Reading(AttentionFree(config, W), {} if facts.kind or len(layout.kinds) == 1 else {"kind": kind})


def _transformers(layout: Layout, facts: Facts) -> Iterator[Reading]:
    W = layout.parameters
    n_layers = sum(name.endswith(".attn.W_Q") for name in W)
    vocabularies = list(_vocabularies(W, facts))
    heads = [None] if not layout.heads_are_merged else [facts.n_heads] if facts.n_heads else _head_counts(W)
    activations = (facts.activation,) if facts.activation else ("relu", "gelu")
    rates = (facts.attention_rate,) if facts.attention_rate is not None else RATES
    if layout.rate_is_assumed(facts):
        rates = (1.0,)
    # The last position sees everything either way: with one layer there is nothing to decide.
    masks = (facts.causal,) if facts.causal is not None else (False, True) if n_layers > 1 else (False,)
    for (p, equals, separate), n_heads, activation, rate, causal in product(vocabularies, heads, activations, rates, masks):
        parameters = _split_heads(W, n_heads) if n_heads else W
        assumed = {}
        if len(vocabularies) > 1:
            assumed["modulus"] = str(p)
        if len(heads) > 1:
            assumed["heads"] = str(n_heads)
        if len(activations) > 1:
            assumed["activation"] = activation
        if len(rates) > 1:
            assumed["attention-rate"] = f"{rate:g}"
        if len(masks) > 1:
            assumed["causal" if causal else "no-causal"] = ""
        yield Reading(_network(parameters, p, equals, separate, activation, rate, causal, n_layers), assumed)


def _vocabularies(W: Parameters, facts: Facts) -> Iterator[tuple[int, bool, bool]]:
    """(p, is there an '=', has b tokens of its own) that fit the sizes of the vocabularies and the context."""
    d_vocab, n_positions, d_out = len(W["embed.W_E"]), len(W["pos_embed.W_pos"]), W["unembed.W_U"].shape[1]
    for equals in (False, True):
        residues = d_vocab - equals
        # A context longer than three positions does not say how much of it was used.
        if n_positions != 2 + equals and not (n_positions > 3):
            continue
        for p, separate in ((residues, False), (residues // 2, True)):
            fits = 2 <= p <= MAX_P and d_out >= p and (not separate or residues % 2 == 0)
            fits &= facts.modulus in (None, p) and facts.separate_vocabularies in (None, separate)
            # Outputs: the residues, with '=' where there is one, or the whole vocabulary.
            if fits and d_out in (p, p + equals, d_vocab):
                yield p, equals, separate


def _head_counts(W: Parameters) -> list[int | None]:
    width = W["blocks.0.attn.W_Q"].shape[1]
    return [heads for heads in range(1, 65) if width % heads == 0]


def _split_heads(W: Parameters, heads: int) -> Parameters:
    """Merged attention weights and biases, per head."""
    split = dict(W)
    for name, tensor in W.items():
        letter = name[-1]
        if ".attn." not in name or tensor.shape[0 if letter == "O" else -1] % heads:
            if ".attn." in name and not name.endswith("b_O"):
                raise InterpError(f"{name} of shape {list(tensor.shape)} does not divide into {heads} heads")
            continue
        if name.endswith(".W_O"):
            split[name] = rearrange(tensor, "(head d) m -> head d m", head=heads)
        elif ".W_" in name:
            split[name] = rearrange(tensor, "m (head d) -> head m d", head=heads)
        elif letter != "O":
            split[name] = rearrange(tensor, "(head d) -> head d", head=heads)
    return split


def _network(
    W: Parameters, p: int, equals: bool, separate: bool, activation: str, rate: float, causal: bool, n_layers: int
) -> Network:
    """The network of one reading; columns of outputs that are no residue and not '=' are dropped."""
    first = "blocks.0"
    for name in (f"{first}.mlp.W_in", f"{first}.attn.W_Q"):
        if name not in W:
            raise InterpError(f"{name} is missing from this state dict: networks without it are not supported")
    answers_equals = equals and not separate and W["unembed.W_U"].shape[1] == p + 1
    heads, d_model, d_head = W[f"{first}.attn.W_Q"].shape
    config = NetworkConfig(
        p=p,
        equals_token=equals,
        separate_vocabularies=separate,
        answers_equals=answers_equals,
        d_model=d_model,
        n_layers=n_layers,
        n_heads=heads,
        d_head=d_head,
        d_mlp=W[f"{first}.mlp.W_in"].shape[1],
        activation="gelu" if activation == "gelu" else "relu",
        causal=causal,
        attention_rate=rate,
        attention_biases=f"{first}.attn.b_Q" in W,
        mlp_biases=f"{first}.mlp.b_in" in W,
        unembed_bias="unembed.b_U" in W,
    )
    outputs = p + answers_equals
    trimmed = {**W, "pos_embed.W_pos": W["pos_embed.W_pos"][: config.n_ctx]}
    trimmed["unembed.W_U"] = W["unembed.W_U"][:, :outputs]
    if "unembed.b_U" in W:
        trimmed["unembed.b_U"] = W["unembed.b_U"][:outputs]
    return Network(config, trimmed)


def _no_reading(layout: Layout, facts: Facts) -> str:
    if layout.kinds:
        rows = len(layout.parameters["embed_a.W_E"])
        expected = f"at most {MAX_P}" if rows > MAX_P else f"the {facts.modulus} that were said"
        return f"its embedding has {rows} rows, expected {expected}"
    W = layout.parameters
    said = f" with modulus {facts.modulus}" if facts.modulus else ""
    return (
        f"vocabulary {len(W['embed.W_E'])}, {len(W['pos_embed.W_pos'])} positions and {W['unembed.W_U'].shape[1]} outputs fit "
        f"no way to read a + b mod p{said}: expected tokens (a, b) or (a, b, '='), shared or separate, p of {MAX_P} or less, "
        "and p outputs or more"
    )

"""Which networks can a layout be? One reading for every way to fill in what its shapes and the known facts leave open."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

from einops import rearrange

from interp.errors import InterpError
from interp.files.formats.facts import Facts
from interp.files.formats.layouts import Layout
from interp.networks.attention_free import AttentionFree, AttentionFreeConfig
from interp.networks.config import MAX_P, NetworkConfig, Parameters
from interp.networks.transformer import Network

RATES = tuple(i / 10 for i in range(11))
"""Attention rates tried where none is given. Where a network computes its task under several rates, the loss does not tell
its own: it is lowest at 0 for networks that were trained at .2 and at .5 (zhong-2023, seed 5, 1,500 steps)."""


@dataclass(frozen=True, eq=False)
class Reading:
    """One way to understand a layout, and what was assumed for it beyond the facts."""

    network: Network | AttentionFree
    assumed: dict[str, str]
    """Assumed options: name → value, for everything that the facts leave open."""

    def says(self) -> str:
        """The assumptions as options of a command line."""
        return " ".join(f"--{option} {value}" if value else f"--{option}" for option, value in self.assumed.items())


def readings(layout: Layout, facts: Facts) -> list[Reading]:
    """All readings of a layout that fit its shapes and the facts. Raises InterpError where there are none."""
    found = list(_attention_free(layout, facts) if layout.kinds else _transformers(layout, facts))
    if not found:
        raise InterpError(_no_reading(layout, facts))
    return found


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
    """Every (p, is there an '=', has b tokens of its own) that fits the sizes of the vocabularies and the context."""
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
    """The parameters with merged attention weights and biases split into heads. Raises InterpError where they do not divide."""
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

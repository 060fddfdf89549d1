"""What do the tensors of a transformer leave open, once their roles are known, and which answers fit?

What can be folded into weights is folded: grouped keys and values are repeated, a scaled embedding and fixed positions become
weights, a tied output is the embedding again.
"""

from collections.abc import Iterator
from functools import partial
from typing import Any

from interp.errors import InterpError
from interp.files.formats.facts import Facts
from interp.files.formats.strangers.normalization import possible_normalizations
from interp.files.formats.strangers.proposal import Proposal
from interp.files.formats.strangers.roles import Roles
from interp.files.formats.strangers.shapes import Shapes
from interp.files.formats.strangers.tokens import possible_tokens
from interp.files.formats.strangers.weights import network
from interp.networks.activations import Activation

PLAIN: tuple[Activation, ...] = ("relu", "gelu", "silu", "gelu_tanh", "square")
"""Activations that are tried, the most usual first."""
GATED: tuple[Activation, ...] = ("silu", "gelu", "relu", "gelu_tanh")
"""Activations of a gate that are tried, the most usual first."""
HEADS = (4, 8, 2, 1, 16, 3, 6, 5, 12, 32)
"""Numbers of heads that are tried where nothing says them, the most usual first."""


def transformer(roles: Roles, facts: Facts) -> Proposal | None:
    """The transformer that the roles make, None where they make none. Raises InterpError where a part of one is missing."""
    if not any(role.endswith((".attention.q", ".attention.qkv")) for role in roles.tensors):
        return None
    if "embed" not in roles.tensors:
        raise InterpError("has attention, and no embedding that is recognised")
    shapes = Shapes(roles)
    layers = "one-layer" if roles.blocks == 1 else f"{roles.blocks}-layer"
    questions = {name: answers for name, answers in _questions(shapes, facts)}
    return Proposal(f"{layers} transformer", questions, partial(network, shapes, facts), lambda _: tuple(roles.left))


def _questions(shapes: Shapes, facts: Facts) -> Iterator[tuple[str, tuple[Any, ...]]]:
    """Every open question with the answers that fit, the most usual first; sizes and vocabularies come first."""

    def known_or(usual: tuple[Any, ...], known: Any) -> tuple[Any, ...]:
        return usual if known is None else (known,)

    yield "tokens", possible_tokens(shapes, facts)
    yield "heads", _heads(shapes, facts)
    if shapes.has(".mlp.in") or shapes.has(".mlp.gate_in"):
        yield "activation", known_or(GATED if shapes.is_gated else PLAIN, facts.activation)
    yield "normalization", possible_normalizations(shapes, facts)
    if shapes.positions is None:
        rotary = ("rotary", "rotary, interleaved")
        yield "positions", rotary if facts.rotary_base else ("none", *rotary, "sinusoidal", "sinusoidal, sines first")
    if shapes.roles.blocks > 1:
        yield "causal", known_or((True, False), facts.causal)
    if shapes.has(".attention.qkv"):
        yield "qkv", ("one after the other", "head by head")
    if shapes.has(".mlp.gate_in"):
        yield "gate", ("first", "second")
    if shapes.is_square:
        yield "matrices", ("[out, in]", "[in, out]") if shapes.are_linear_modules else ("[in, out]", "[out, in]")
    if facts.attention_rate is not None:
        yield "attention rate", (facts.attention_rate,)
    yield "scale", ("1", "√d_model", "√d_model, then √½ of all")
    yield "residual", (True, False)


def _heads(shapes: Shapes, facts: Facts) -> tuple[int, ...]:
    q = shapes.of_block("attention.q")
    if q is not None and q.dim() == 3:
        return (q.shape[1] if q.shape[0] == shapes.d_model and shapes.d_model not in q.shape[1:] else q.shape[0],)
    if facts.n_heads:
        return (facts.n_heads,)
    fits = tuple(count for count in HEADS if shapes.attention_width % count == 0)
    if not fits:
        raise InterpError(f"attention of width {shapes.attention_width} is divided by no usual number of heads: give --heads")
    return fits

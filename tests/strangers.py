"""Small networks named as people name them, each with one unusual element (more, of torch's own layers, in torch_strangers.py).

Every one is a function that builds a module which reads a and b and returns logits, [pair, p or more]; ``STRANGERS`` has them
by name. ``trained`` trains one until it answers every pair right, so that a reading can be proved by what it computes.
"""

import itertools
import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

P, D, HEADS = 11, 24, 4


@dataclass(frozen=True)
class Stranger:
    """How a network is built, and what its author would say about it where its weights do not say."""

    build: Callable[[], nn.Module]
    said: dict[str, Any]
    until: float = 0.02
    """Loss on all pairs, in nats, down to which it is trained."""


STRANGERS: dict[str, Stranger] = {}


def stranger(until: float = Stranger.until, **said: Any) -> Callable[[Callable[[], nn.Module]], Callable[[], nn.Module]]:
    """Adds a network to ``STRANGERS``, with what its author says."""

    def add(build: Callable[[], nn.Module]) -> Callable[[], nn.Module]:
        STRANGERS[build.__name__] = Stranger(build, {"activation": "relu", **said}, until)
        return build

    return add


@cache
def trained(name: str) -> nn.Module:
    """The module, trained on all pairs until its loss is low enough; deterministic."""
    torch.manual_seed(0)
    module = STRANGERS[name].build()
    optimiser = torch.optim.AdamW(module.parameters(), lr=3e-3, weight_decay=0.01)
    a, b = all_pairs()
    # A rate that goes down: at a constant one the loss of some still jumps in the end, on one machine and not on another.
    schedule = torch.optim.lr_scheduler.LinearLR(optimiser, 1.0, 0.0, total_iters=3000)
    for _ in range(3000):
        loss = functional.cross_entropy(module(a, b)[:, :P], (a + b) % P)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()
        if loss < STRANGERS[name].until:
            return module.eval()
    raise AssertionError(f"{name} did not learn: loss {loss.item():.3f}")


def all_pairs() -> tuple[Tensor, Tensor]:
    pairs = torch.arange(P * P)
    return pairs // P, pairs % P


def logits(module: nn.Module) -> Tensor:
    """The module's own logits on all pairs, [p, p, p]."""
    with torch.no_grad():
        return module(*all_pairs())[:, :P].reshape(P, P, P)


def tokens(a: Tensor, b: Tensor, form: str = "ab=") -> Tensor:
    """Rows of tokens: numbers, then + (p, where there is one), then = (the last)."""
    extra = [mark for mark in "+=" if mark in form]
    columns = {"a": a, "b": b, **{mark: torch.full_like(a, P + place) for place, mark in enumerate(extra)}}
    return torch.stack([columns[mark] for mark in form], dim=1)


def attend(
    q: Tensor, k: Tensor, v: Tensor, heads: int, causal: bool = False, mix: Callable[[Tensor], Tensor] = lambda x: x
) -> Tensor:
    """Attention by torch's function from [pair, position, head·d_head], ``mix`` applied to queries and keys of each head."""

    def split(x: Tensor) -> Tensor:
        return x.unflatten(-1, (-1, q.shape[-1] // heads)).transpose(1, 2)

    keys, values = split(k), split(v)
    groups = heads // keys.shape[1]
    keys, values = keys.repeat_interleave(groups, 1), values.repeat_interleave(groups, 1)
    found = functional.scaled_dot_product_attention(mix(split(q)), mix(keys), values, is_causal=causal)
    return found.transpose(1, 2).flatten(2)


class Plain(nn.Module):
    """One block of linear modules; what is unusual is set by the arguments."""

    def __init__(
        self, *, form: str = "ab=", outputs: int = P, activation: Callable[[Tensor], Tensor] = torch.relu, mlp: bool = True,
        residual: bool = True, bias: bool = True, scale: float = 1.0, separate: bool = False, zero: bool = False,
    ) -> None:  # fmt: skip
        super().__init__()
        self.form, self.activation, self.has_mlp, self.residual, self.scale = form, activation, mlp, residual, scale
        self.separate, self.zero = separate, zero
        vocabulary = P * (1 + separate) + sum(mark in form for mark in "+=")
        self.tok_embed = nn.Embedding(vocabulary, D)
        self.pos_embed = nn.Parameter(torch.randn(len(form) + zero, D) / math.sqrt(D))
        self.query, self.key, self.value, self.out_proj = (nn.Linear(D, D, bias=bias) for _ in range(4))
        if mlp:
            self.fc1, self.fc2 = nn.Linear(D, 4 * D, bias=bias), nn.Linear(4 * D, D, bias=bias)
        self.lm_head = nn.Linear(D, outputs, bias=bias)

    def forward(self, a: Tensor, b: Tensor) -> Tensor:
        x = self.tok_embed(tokens(a, b + P if self.separate else b, self.form)) * self.scale
        if self.zero:
            x = torch.cat([x, torch.zeros_like(x[:, :1])], dim=1)
        x = x + self.pos_embed
        written = self.out_proj(attend(self.query(x), self.key(x), self.value(x), HEADS))
        x = x + written if self.residual else written
        if self.has_mlp:
            written = self.fc2(self.activation(self.fc1(x)))
            x = x + written if self.residual else written
        return self.lm_head(x[:, -1])


@stranger()
def linear_modules() -> nn.Module:
    return Plain()


@stranger()
def no_biases() -> nn.Module:
    return Plain(bias=False)


@stranger()
def two_tokens() -> nn.Module:
    return Plain(form="ab")


@stranger()
def operator_token() -> nn.Module:
    return Plain(form="a+b=")


@stranger()
def operator_without_equals() -> nn.Module:
    return Plain(form="a+b")


@stranger()
def output_for_equals() -> nn.Module:
    return Plain(outputs=P + 1)


@stranger()
def tokens_of_b() -> nn.Module:
    return Plain(form="ab", separate=True)


@stranger()
def zero_vector() -> nn.Module:
    return Plain(form="ab", zero=True)


@stranger(activation=None)
def attention_only() -> nn.Module:
    return Plain(mlp=False)


@stranger()
def no_residual() -> nn.Module:
    return Plain(residual=False)


@stranger(activation="gelu")
def gelu() -> nn.Module:
    return Plain(activation=functional.gelu)


@stranger(activation="gelu_tanh")
def gelu_tanh() -> nn.Module:
    return Plain(activation=nn.GELU("tanh"))


@stranger(activation="silu")
def silu() -> nn.Module:
    return Plain(activation=functional.silu)


@stranger(activation="square")
def square() -> nn.Module:
    return Plain(activation=torch.square)


@stranger()
def scaled_embedding() -> nn.Module:
    return Plain(scale=math.sqrt(D))


class Sinusoidal(Plain):
    """Positions of Vaswani et al. 2017, a buffer that is not saved, on an embedding scaled by √d_model."""

    def __init__(self) -> None:
        super().__init__(scale=math.sqrt(D))
        del self.pos_embed
        angles = torch.outer(torch.arange(3), 1e4 ** (-torch.arange(0, D, 2) / D))
        self.register_buffer("pos_embed", torch.stack([angles.sin(), angles.cos()], dim=-1).flatten(1), persistent=False)


@stranger(until=0.005)  # at .02 a network without positions fits as well
def sinusoidal_positions() -> nn.Module:
    return Sinusoidal()


class Perceptron(nn.Module):
    """Embeddings or one-hot vectors, added or side by side, and linear layers."""

    def __init__(
        self, *, together: bool, hidden: tuple[int, ...] = (48,), one_hot: bool = False, two: bool = False, bias: bool = True
    ) -> None:
        super().__init__()
        self.together, self.one_hot = together, one_hot
        if not one_hot:
            self.embed_a = nn.Embedding(P, D)
            self.embed_b = nn.Embedding(P, D) if two else self.embed_a
        sizes = ((P if one_hot else D) * (2 if together else 1), *hidden, P)
        layers: list[nn.Module] = []
        for inputs, outputs in itertools.pairwise(sizes):
            layers += [nn.Linear(inputs, outputs, bias=bias), nn.ReLU()]
        self.layers = nn.Sequential(*layers[:-1])

    def forward(self, a: Tensor, b: Tensor) -> Tensor:
        x, y = (functional.one_hot(each, P).float() for each in (a, b)) if self.one_hot else (self.embed_a(a), self.embed_b(b))
        return self.layers(torch.cat([x, y], dim=-1) if self.together else x + y)


@stranger()
def embeddings_added() -> nn.Module:
    return Perceptron(together=False)


@stranger()
def embeddings_side_by_side_two_hidden() -> nn.Module:
    return Perceptron(together=True, hidden=(48, 32))


@stranger()
def two_embeddings() -> nn.Module:
    return Perceptron(together=False, two=True)


@stranger()
def one_hot_side_by_side() -> nn.Module:
    return Perceptron(together=True, one_hot=True)


@stranger()
def one_hot_added_no_biases() -> nn.Module:
    return Perceptron(together=False, one_hot=True, bias=False, hidden=(64,))

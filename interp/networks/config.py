"""What must be known besides the weights to run a transformer on two symbols, and the names and shapes of its weights.

The transformer reads (a, b) or (a, b, '=') and answers at the last position; ``interp.networks.forward`` runs it.
"""

from dataclasses import dataclass, fields
from typing import Literal

from torch import Tensor

from interp.errors import InterpError

Parameters = dict[str, Tensor]
MAX_P = 400
"""Largest p that is analysed: all p² pairs with their p logits are held at once, half a gigabyte in float64 at p = 400."""
MAX_ACTIVATIONS = 1 << 27
"""Largest number of activations of one kind, on all pairs at once: half a gigabyte in float32.

The published networks have p² · 512, 6.5 million.
"""


@dataclass(frozen=True, kw_only=True)
class Architecture:
    """What a transformer is like, whatever the task: all of ``NetworkConfig`` but the number of symbols."""

    equals_token: bool = True
    """Is a third token '=', the last of the vocabulary, read at the last position? Without '=' the answer is read at b."""
    separate_vocabularies: bool = False
    """Has b tokens of its own, p..2p-1, instead of sharing a's, 0..p-1? Token '=' is 2p with them and p without."""
    answers_equals: bool = True
    """Has the unembedding a column for '=' that takes part in the training softmax?"""
    d_model: int = 128
    """Width of the residual stream."""
    n_layers: int = 1
    """Number of transformer blocks."""
    n_heads: int = 4
    """Number of attention heads per block."""
    d_head: int = 32
    """Width of one attention head."""
    d_mlp: int = 512
    """Number of neurons per block."""
    activation: Literal["relu", "gelu"] = "relu"
    """Nonlinearity of the neurons (gelu is the exact one, with erf)."""
    causal: bool = True
    """Does a position attend only to itself and earlier ones? With one layer this changes nothing at the last position."""
    attention_rate: float = 1.0
    """Attention rate α of Zhong et al. 2023, from 0 to 1: attention is α·softmax + (1-α)·ones.
    At 1 it is ordinary attention, at 0 every position that is seen has weight 1."""
    attention_biases: bool = False
    """Has attention the biases b_Q, b_K, b_V and b_O?"""
    mlp_biases: bool = True
    """Has the MLP the biases b_in and b_out?"""
    unembed_bias: bool = False
    """Has the unembedding the bias b_U?"""

    def __post_init__(self) -> None:
        for name in ("d_model", "n_layers", "n_heads", "d_head", "d_mlp"):
            if getattr(self, name) < 1:
                raise InterpError(f"expected {name} of at least 1, got {getattr(self, name)}")
        if self.n_layers > 64:
            raise InterpError(f"expected at most 64 layers, got {self.n_layers}")
        if not 0.0 <= self.attention_rate <= 1.0:
            raise InterpError(f"expected an attention rate between 0 and 1, got {self.attention_rate}")
        if self.activation not in ("relu", "gelu"):
            raise InterpError(f"expected activation relu or gelu, got {self.activation!r}")
        if self.answers_equals and not self.equals_token:
            raise InterpError("answers_equals needs equals_token: without '=' there is no such column to predict")

    @property
    def n_ctx(self) -> int:
        """Number of tokens read: 2 for (a, b), 3 for (a, b, '=')."""
        return 3 if self.equals_token else 2

    def with_symbols(self, p: int) -> "NetworkConfig":
        """The configuration of a network of this architecture with p symbols."""
        return NetworkConfig(p=p, **{each.name: getattr(self, each.name) for each in fields(Architecture)})


@dataclass(frozen=True, kw_only=True)
class NetworkConfig(Architecture):
    """What must be known besides the weights to run a transformer."""

    p: int = 113
    """Number of symbols that a, b and the answer may be, tokens 0..p-1: the modulus, where the task has one."""

    def __post_init__(self) -> None:
        if self.p < 2:
            raise InterpError(f"expected a modulus p of at least 2, got {self.p}: there is nothing to compute mod {self.p}")
        super().__post_init__()

    @property
    def architecture(self) -> Architecture:
        """The architecture: all of the configuration but the number of symbols."""
        return Architecture(**{each.name: getattr(self, each.name) for each in fields(Architecture)})

    @property
    def d_vocab(self) -> int:
        """Number of tokens that can be read."""
        return self.p * (1 + self.separate_vocabularies) + self.equals_token

    @property
    def d_vocab_out(self) -> int:
        """Number of tokens that can be answered."""
        return self.p + self.answers_equals


def parameter_shapes(config: NetworkConfig) -> dict[str, tuple[int, ...]]:
    """Which parameters does a transformer have, and in what shapes? Names and layout are TransformerLens's."""
    shapes: dict[str, tuple[int, ...]] = {
        "embed.W_E": (config.d_vocab, config.d_model),
        "pos_embed.W_pos": (config.n_ctx, config.d_model),
    }
    for layer in range(config.n_layers):
        attention, mlp = f"blocks.{layer}.attn", f"blocks.{layer}.mlp"
        for letter in "QKV":
            shapes[f"{attention}.W_{letter}"] = (config.n_heads, config.d_model, config.d_head)
            if config.attention_biases:
                shapes[f"{attention}.b_{letter}"] = (config.n_heads, config.d_head)
        shapes[f"{attention}.W_O"] = (config.n_heads, config.d_head, config.d_model)
        if config.attention_biases:
            shapes[f"{attention}.b_O"] = (config.d_model,)
        shapes[f"{mlp}.W_in"] = (config.d_model, config.d_mlp)
        shapes[f"{mlp}.W_out"] = (config.d_mlp, config.d_model)
        if config.mlp_biases:
            shapes[f"{mlp}.b_in"] = (config.d_mlp,)
            shapes[f"{mlp}.b_out"] = (config.d_model,)
    shapes["unembed.W_U"] = (config.d_model, config.d_vocab_out)
    if config.unembed_bias:
        shapes["unembed.b_U"] = (config.d_vocab_out,)
    return shapes

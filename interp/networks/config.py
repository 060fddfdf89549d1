"""What must be known besides the weights to run a transformer on two symbols, and the names and shapes of its weights.

The transformer reads (a, b), (a, b, '='), (a, '+', b) or (a, '+', b, '=') and answers at the last position;
``interp.networks.forward`` runs it. What can be folded into weights is no configuration: grouped keys and values are repeated,
a scaled embedding and fixed positions are weights like others.
"""

from dataclasses import dataclass, fields
from typing import Literal

from torch import Tensor

from interp.errors import InterpError
from interp.networks.activations import Activation, check_activation

Parameters = dict[str, Tensor]
MAX_P = 10_000
"""Largest p that a file may claim. Whether so many symbols can be analysed is a question of memory: ``check_analysable``."""


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
    activation: Activation = "relu"
    """Nonlinearity of the neurons (gelu is the exact one, with erf; gelu_tanh its usual approximation; silu x·sigmoid x)."""
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
    operator_token: bool = False
    """Is a token '+' read between a and b? It is the last of the vocabulary but for '='."""
    gated_mlp: bool = False
    """Are neurons gated: activation(gate) times a second, linear input?"""
    residual: bool = True
    """Are attention and MLP added to what they read? Otherwise what they write takes its place."""
    normalization: Literal["none", "layer", "rms"] = "none"
    """Normalisation of the residual stream: layer subtracts the mean and divides by the standard deviation, rms divides by the
    root of the mean square."""
    normalization_place: Literal["before", "after", "logits"] = "before"
    """Is the stream normalised before attention and MLP read it, after each was added to it, or before the logits only?"""
    normalization_weights: bool = True
    """Are normalised vectors multiplied by weights (and, after layer normalisation, biases added)?"""
    normalization_epsilon: float = 1e-5
    """Number added to the variance, or to the mean square, that a normalisation divides by the root of."""
    final_normalization: bool = False
    """Is the stream normalised once more before the unembedding reads it?"""
    rotary_base: float = 0.0
    """Base of rotary positions, which turn queries and keys by angles that grow with the position; 0 for none."""
    rotary_interleaved: bool = False
    """Are the two numbers that rotary positions turn neighbours? Otherwise they are half a head apart."""

    def __post_init__(self) -> None:
        for name, least in (("d_model", 1), ("n_layers", 1), ("n_heads", 1), ("d_head", 1), ("d_mlp", 0)):
            if getattr(self, name) < least:
                raise InterpError(f"expected {name} of at least {least}, got {getattr(self, name)}")
        if self.n_layers > 64:
            raise InterpError(f"expected at most 64 layers, got {self.n_layers}")
        if not 0.0 <= self.attention_rate <= 1.0:
            raise InterpError(f"expected an attention rate between 0 and 1, got {self.attention_rate}")
        check_activation(self.activation)
        if not (0 <= self.normalization_epsilon < 1 and 0 <= self.rotary_base < float("inf")):
            raise InterpError("expected a normalization_epsilon in [0, 1) and a rotary_base of 0 or more")
        if self.rotary_base and self.d_head % 2:
            raise InterpError(f"rotary positions turn pairs of numbers, which {self.d_head} to a head do not make")
        if self.final_normalization and self.normalization == "none":
            raise InterpError("final_normalization needs a normalization, layer or rms")
        if self.normalization_place == "logits" and not self.final_normalization:
            raise InterpError("a normalization before the logits only needs final_normalization")
        if self.answers_equals and not self.equals_token:
            raise InterpError("answers_equals needs equals_token: without '=' there is no such column to predict")

    @property
    def n_ctx(self) -> int:
        """Number of tokens read: 2 for (a, b), 3 for (a, b, '=')."""
        return 2 + self.operator_token + self.equals_token

    @property
    def is_plain(self) -> bool:
        """Is it of the usual kind but for the neurons' activation: an MLP, no gates, no normalisation, learned positions?"""
        usual = ("operator_token", "gated_mlp", "residual", "normalization", "rotary_base", "final_normalization")
        return self.d_mlp > 0 and all(getattr(self, name) == getattr(Architecture, name) for name in usual)

    @property
    def normalizations(self) -> tuple[str, ...]:
        """Names of all normalisations: two to a block where there is an MLP, and a final one."""
        parts = ("ln1", "ln2") if self.d_mlp else ("ln1",)
        blocks = [f"blocks.{layer}.{part}" for layer in range(self.n_layers) for part in parts]
        within = self.normalization != "none" and self.normalization_place != "logits"
        return (*(blocks if within else ()), *(("ln_final",) if self.final_normalization else ()))

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
        return self.p * (1 + self.separate_vocabularies) + self.operator_token + self.equals_token

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
        if not config.d_mlp:
            continue
        if config.gated_mlp:
            shapes[f"{mlp}.W_gate"] = (config.d_model, config.d_mlp)
        shapes[f"{mlp}.W_in"] = (config.d_model, config.d_mlp)
        shapes[f"{mlp}.W_out"] = (config.d_mlp, config.d_model)
        if config.mlp_biases:
            if config.gated_mlp:
                shapes[f"{mlp}.b_gate"] = (config.d_mlp,)
            shapes[f"{mlp}.b_in"] = (config.d_mlp,)
            shapes[f"{mlp}.b_out"] = (config.d_model,)
    if config.normalization_weights:
        for name in config.normalizations:
            shapes[f"{name}.w"] = (config.d_model,)
            if config.normalization == "layer":
                shapes[f"{name}.b"] = (config.d_model,)
    shapes["unembed.W_U"] = (config.d_model, config.d_vocab_out)
    if config.unembed_bias:
        shapes["unembed.b_U"] = (config.d_vocab_out,)
    return shapes

"""Network: a transformer, its configuration with the parameters that fit it, under TransformerLens's names."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from interp.networks.config import NetworkConfig, Parameters, parameter_shapes
from interp.networks.forward import forward, nonlinearity
from interp.networks.hooks import Edit
from interp.networks.model import Model, Tables, check_parameters


@dataclass(frozen=True, eq=False)
class Network(Model):
    """A transformer: a configuration with parameters that fit it, finite and all of one dtype, float32 or float64."""

    config: NetworkConfig
    parameters: Parameters

    def __post_init__(self) -> None:
        check_parameters(parameter_shapes(self.config), self.parameters)

    @property
    def p(self) -> int:
        return self.config.p

    @property
    def dtype(self) -> torch.dtype:
        """Floating-point type of all parameters: float32 or float64."""
        return self.parameters["embed.W_E"].dtype

    def to(self, dtype: torch.dtype) -> "Network":
        """This network in another precision."""
        return Network(self.config, {name: tensor.to(dtype) for name, tensor in self.parameters.items()})

    def width(self) -> int:
        config = self.config
        return max(config.d_mlp, config.n_ctx * max(config.d_model, config.n_heads * config.d_head))

    def describe(self) -> str:
        layers = self.config.n_layers
        return "a one-layer transformer" if layers == 1 else f"a transformer of {layers} layers"

    def tables(self) -> Tables:
        W_E, p = self.parameters["embed.W_E"], self.p
        return W_E[:p], W_E[p : 2 * p] if self.config.separate_vocabularies else W_E[:p]

    def run(
        self, E_a: Tensor, E_b: Tensor, *, record: Collection[str] = (), edits: Mapping[str, Edit] | None = None
    ) -> tuple[Float[Tensor, "*batch p"], dict[str, Tensor]]:
        embeddings = [E_a, E_b]
        if self.config.equals_token:
            equals = self.parameters["embed.W_E"][-1]
            embeddings.append(equals.reshape((1,) * (E_a.dim() - 1) + equals.shape))
        logits, activations = forward(self.config, self.parameters, embeddings, record=record, edits=edits)
        return logits[..., : self.p], activations

    def weights(self) -> Parameters:
        return self.parameters

    def layers_of_neurons(self) -> int:
        return self.config.n_layers

    def neurons_name(self) -> str:
        return f"{self._last_block}.mlp.hook_post"

    def nonlinearity(self) -> Callable[[Tensor], Tensor]:
        return nonlinearity(self.config)

    def neuron_logit_map(self) -> Float[Tensor, "neuron p"]:
        return self.parameters[f"{self._last_block}.mlp.W_out"] @ self.parameters["unembed.W_U"][:, : self.p]

    def pattern_name(self) -> str:
        return f"{self._last_block}.attn.hook_pattern"

    def attention_rate(self) -> float:
        return self.config.attention_rate

    @property
    def _last_block(self) -> str:
        return f"blocks.{self.config.n_layers - 1}"

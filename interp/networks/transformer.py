"""Network: a transformer, its configuration with the parameters that fit it, under TransformerLens's names."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from functools import cached_property, reduce

import torch
from jaxtyping import Float
from torch import Tensor

from interp.networks.activations import activation_named
from interp.networks.config import NetworkConfig, Parameters, parameter_shapes
from interp.networks.forward import forward
from interp.networks.hooks import Edit
from interp.networks.model import Model, Tables, Unavailable, check_parameters


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
        config, W_E, batch = self.config, self.parameters["embed.W_E"], (1,) * (E_a.dim() - 1)
        embeddings = [E_a, E_b]
        if config.operator_token:
            embeddings.insert(1, W_E[-1 - config.equals_token].reshape(*batch, -1))
        if config.equals_token:
            embeddings.append(W_E[-1].reshape(*batch, -1))
        logits, activations = forward(self.config, self.parameters, embeddings, record=record, edits=edits)
        return logits[..., : self.p], activations

    def weights(self) -> Parameters:
        return self.parameters

    def layers_of_neurons(self) -> int:
        return self.config.n_layers if self.config.d_mlp else 0

    def is_plain_layer(self) -> bool:
        return self.config.is_plain and self.config.n_layers == 1

    def layers(self) -> int:
        return self.config.n_layers

    def neurons_name(self) -> str:
        if not self.config.d_mlp:
            raise Unavailable("needs neurons, which a transformer of attention alone does not have")
        return f"{self._last_block}.mlp.hook_post"

    def nonlinearity(self) -> Callable[[Tensor], Tensor]:
        if self.config.gated_mlp:
            raise Unavailable("needs neurons that are a function of one input, which gated neurons are not")
        return activation_named(self.config.activation)

    def neuron_logit_map(self) -> Float[Tensor, "neuron p"]:
        self.neurons_name()  # refuses a transformer of attention alone
        written = self.parameters[f"{self._last_block}.mlp.W_out"]
        for name in self.normalizations_behind_neurons:
            if self.config.normalization == "layer":
                written = written - written.mean(-1, keepdim=True)
            if self.config.normalization_weights:
                written = written * self.parameters[f"{name}.w"]
        if (scales := self._scales_behind_neurons) is not None:
            written = written * scales.mean()
        return written @ self.parameters["unembed.W_U"][:, : self.p]

    def gain(self) -> Float[Tensor, "a b"] | None:
        scales = self._scales_behind_neurons
        return None if scales is None else scales / scales.mean()

    @property
    def normalizations_behind_neurons(self) -> list[str]:
        """Names of the normalisations between the last neurons and the logits."""
        config = self.config
        after = config.normalization != "none" and config.normalization_place == "after"
        return [*([f"{self._last_block}.ln2"] if after else []), *(["ln_final"] if config.final_normalization else [])]

    @cached_property
    def _scales_behind_neurons(self) -> Float[Tensor, "a b"] | None:
        """What the normalisations between the last neurons and the logits multiply by on every pair; None without any."""
        hooks = [f"{name}.hook_scale" for name in self.normalizations_behind_neurons]
        if not hooks:
            return None
        E_a, E_b = self.tables()
        with torch.no_grad():
            _, sizes = self.run(E_a[:, None], E_b[None], record=hooks)
        return 1 / reduce(torch.mul, [sizes[hook][..., -1, 0] for hook in hooks])

    def pattern_name(self) -> str:
        return f"{self._last_block}.attn.hook_pattern"

    def attention_rate(self) -> float:
        return self.config.attention_rate

    @property
    def _last_block(self) -> str:
        return f"blocks.{self.config.n_layers - 1}"

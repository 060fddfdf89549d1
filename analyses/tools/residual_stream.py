"""The parts of a transformer that write to the residual stream, and what each of them adds to the logits directly."""

import math
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Literal

import torch
from jaxtyping import Float, Int
from torch import Tensor

from analyses.tools.logit_sums import logit_sums
from analyses.tools.pairs import sums
from interp import fourier
from interp.circuit import Circuit
from interp.memory import whole
from interp.needs import check_has
from interp.networks.config import NetworkConfig
from interp.networks.hooks import Edit
from interp.networks.model import Unavailable
from interp.networks.transformer import Network

Kind = Literal["embedding", "head", "MLP", "biases"]


@dataclass(frozen=True)
class Part:
    """One part of a transformer that writes to the residual stream. Layers and heads are counted from 0."""

    kind: Kind
    """The embedding with its position, an attention head, an MLP with its output bias, or all other biases together."""
    layer: int = -1
    """The layer of a head or an MLP; -1 for what belongs to no layer."""
    head: int = -1
    """The number of a head in its layer; -1 for all other parts."""

    @property
    def name(self) -> str:
        """The part in words: layer 1, head 0."""
        if self.layer < 0:
            return self.kind
        return f"layer {self.layer}, {f'head {self.head}' if self.kind == 'head' else self.kind}"

    @property
    def hook(self) -> str:
        """Name of the activation that this part writes, or that it makes what it writes of. Biases have none."""
        names = {
            "embedding": "hook_embed",
            "head": f"blocks.{self.layer}.attn.hook_z",
            "MLP": f"blocks.{self.layer}.hook_mlp_out",
        }
        return names[self.kind]

    def replaced_by_mean(self, circuit: Circuit) -> Circuit:
        """The circuit in which this part writes, at every position, its mean over all pairs. Edits made before come first."""
        before: Edit = circuit.edits.get(self.hook, lambda values: values)

        def edit(values: Tensor) -> Tensor:
            values = before(values)
            mean = values.mean((0, 1), keepdim=True).expand_as(values)
            if self.kind != "head":
                return mean.clone()
            values = values.clone()
            values[..., self.head, :] = mean[..., self.head, :]
            return values

        return circuit.with_activation(self.hook, edit)


def transformer(circuit: Circuit) -> Network:
    """The transformer of a circuit. Raises Unavailable where its network is none."""
    check_has(circuit, "layers")
    if not isinstance(circuit.network, Network):
        raise Unavailable(f"needs the layers of a transformer, which {circuit.network.describe()} does not have")
    return circuit.network


def positions_of(network: Network) -> tuple[str, ...]:
    """Names of the positions of a transformer in their order: a, + where there is one, b, = where there is one."""
    config = network.config
    return ("a", *(["+"] if config.operator_token else []), "b", *(["="] if config.equals_token else []))


def inputs_of_neurons(network: Network, layer: int) -> list[str]:
    """Names of the pre-activations of a layer's neurons, of gated ones both; none in a transformer of attention alone."""
    mlp, config = f"blocks.{layer}.mlp", network.config
    names = [f"{mlp}.hook_pre", *([f"{mlp}.hook_pre_linear"] if config.gated_mlp else [])]
    return names if config.d_mlp else []


def parts_of(network: Network) -> tuple[Part, ...]:
    """All parts in the order in which they write: the embedding, each layer's heads and MLP, and biases where it has any."""
    config = network.config
    found = [Part("embedding")]
    for layer in range(config.n_layers):
        found += [Part("head", layer, head) for head in range(config.n_heads)]
        found += [Part("MLP", layer)] if config.d_mlp else []
    others = (".attn.b_O", "unembed.b_U", "ln_final.b")
    return (*found, *([Part("biases")] if any(name.endswith(others) for name in network.parameters) else []))


@dataclass(frozen=True, eq=False)
class Writing:
    """What the parts write at the answering position, for the pairs of a few values of a, and how it becomes logits."""

    network: Network
    """The transformer."""
    rows: Int[Tensor, " row"]
    """The values of a."""
    columns: Int[Tensor, " c"]
    """The symbol of each answer's number, in the order of the circuit's logits."""
    activations: dict[str, Tensor]
    """The activations that were recorded."""

    def of(self, part: Part) -> Float[Tensor, "row b d_model"]:
        """What a part adds to the stream that the logits are read from, float64; 0 where another part's output replaces it."""
        W, config = self.network.parameters, self.network.config
        if part.kind == "biases":
            layers = [layer for layer in range(config.n_layers) if _is_kept(config, "head", layer)]
            biases = [W[name].double() for layer in layers if (name := f"blocks.{layer}.attn.b_O") in W]
            return self._embedding.zero_() + sum(biases)
        if not _is_kept(config, part.kind, part.layer):
            return self._embedding.zero_()
        if part.kind == "embedding":
            return self._embedding
        written = self.activations[part.hook]
        if part.kind == "MLP":
            return written.select(-2, -1).double()
        return written.select(-3, -1)[..., part.head, :].double() @ W[f"blocks.{part.layer}.attn.W_O"][part.head].double()

    @property
    def _embedding(self) -> Float[Tensor, "row b d_model"]:
        """A copy of what the first layer reads at the answering position."""
        return self.activations["blocks.0.hook_resid_pre"].select(-2, -1).to(torch.float64, copy=True)

    def logits(self, stream: Float[Tensor, "row b d_model"]) -> Float[Tensor, "row b c"]:
        """What a part of the stream adds to the logits, less their mean over c. Where the stream is normalised before the
        unembedding reads it, every pair's own size divides the parts alike.
        """
        W = self.network.parameters
        if self.network.config.final_normalization:
            if self.network.config.normalization == "layer":
                stream = stream - stream.mean(-1, keepdim=True)
            stream = stream / self.activations["ln_final.hook_scale"].select(-2, -1).double()
            if self.network.config.normalization_weights:
                stream = stream * W["ln_final.w"].double()
        return stream @ self.unembedding

    @property
    def unembedding(self) -> Float[Tensor, "d_model c"]:
        """W_U in the order of the circuit's logits, less its mean over c."""
        W_U = self.network.parameters["unembed.W_U"].double()[:, self.columns]
        return W_U - W_U.mean(-1, keepdim=True)

    def constant_logits(self) -> Float[Tensor, " c"]:
        """What biases behind the stream add to the logits, those of the final normalisation and of the unembedding."""
        W = self.network.parameters
        constant = (
            W["unembed.b_U"].double()[self.columns] if "unembed.b_U" in W else self.unembedding.new_zeros(len(self.columns))
        )
        if "ln_final.b" in W:
            constant = constant + W["ln_final.b"].double() @ self.unembedding
        return constant - constant.mean()

    def added(self, part: Part) -> Float[Tensor, "row b c"]:
        """What a part adds to the logits directly, less its mean over c."""
        logits = self.logits(self.of(part))
        return logits + self.constant_logits() if part.kind == "biases" else logits


def _is_kept(config: NetworkConfig, kind: Kind, layer: int) -> bool:
    """Is what a part writes still in the stream that the logits are read from? Without a residual only what is written last."""
    return config.residual or (layer == config.n_layers - 1 and (kind == "MLP" or not config.d_mlp))


def writings(circuit: Circuit) -> Iterator[Writing]:
    """What every part writes, a few values of a at a time, all of the pairs in turn.

    Raises Unavailable where the logits are no sum of what the parts write.
    """
    network = transformer(circuit)
    if network.config.normalization != "none" and network.config.normalization_place == "after":
        raise Unavailable("needs a residual stream that is a sum, which one that is normalised after each part is not")
    parts = parts_of(network)
    record = {"blocks.0.hook_resid_pre", *(part.hook for part in parts if part.layer >= 0)}
    if network.config.final_normalization:
        record.add("ln_final.hook_scale")
    for rows in circuit.rows():
        _, activations = circuit.run_rows(record, rows)
        of_pairs = {name: value.expand(len(rows), circuit.p, *value.shape[2:]) for name, value in activations.items()}
        writing = Writing(network, rows, circuit.numbers.c, of_pairs)
        if circuit.edits:
            _check_sum(circuit, writing, parts)
        yield writing


def _check_sum(circuit: Circuit, writing: Writing, parts: tuple[Part, ...]) -> None:
    logits, total = fourier.centred(circuit.logits[writing.rows]), sum(writing.added(part) for part in parts)
    if not torch.allclose(torch.as_tensor(total), logits, rtol=1e-3, atol=1e-4 * float(logits.abs().max())):
        raise Unavailable("needs a network that is not edited between its parts and its logits")


@dataclass(frozen=True, eq=False)
class Direct:
    """What the parts add to the logits themselves, each less its mean over c, gathered in one pass over the pairs."""

    effects: dict[Part, float]
    """The direct effect of every part, see ``direct_effects``."""
    by_sum: dict[tuple[int, Kind], Float[Tensor, "s c"]]
    """Layer and kind of its heads together, and of its MLP → what they add, summed over the pairs of each a + b mod p."""
    squares: dict[tuple[int, Kind], float]
    """Layer and kind → sum of the squares of what its heads together, or its MLP, add, over all pairs and answers."""


def direct(circuit: Circuit) -> Direct:
    """What every part adds to the logits. Raises Unavailable where the logits are no sum of what the parts write."""

    def measure() -> Direct:
        p, parts = circuit.p, parts_of(transformer(circuit))
        products, squares = dict.fromkeys(parts, 0.0), dict[tuple[int, Kind], float]()
        by_sum = dict[tuple[int, Kind], Tensor]()
        for writing in writings(circuit):
            logits, together = fourier.centred(circuit.logits[writing.rows]), dict[tuple[int, Kind], Tensor]()
            for part in parts:
                added, group = writing.added(part), (part.layer, part.kind)
                products[part] += (added * logits).sum().item()
                if part.layer >= 0:
                    together[group] = together[group] + added if group in together else added
            of_pairs = sums(p)[writing.rows].flatten()
            for group, added in together.items():
                by_sum.setdefault(group, torch.zeros(p, p, dtype=torch.float64)).index_add_(0, of_pairs, added.flatten(0, 1))
                squares[group] = squares.get(group, 0.0) + added.square().sum().item()
        square = logit_sums(circuit).square or math.nan
        return Direct({part: product / square for part, product in products.items()}, by_sum, squares)

    return circuit.remember("direct effects", measure)


def direct_effects(circuit: Circuit) -> dict[Part, float]:
    """The direct effect of every part: what it adds to the logits itself, whatever other parts make of what it writes.

    ⟨ℓ, Lc⟩ / ⟨Lc, Lc⟩ over all pairs and answers, ℓ what the part adds and Lc the logits, each less its mean over c. These
    shares add up to 1; below 0 is a part that works against the answer. NaN where the logits do not depend on c.

    Raises Unavailable where the logits are no sum of what the parts write.
    """
    return direct(circuit).effects


def at_answering_position(circuit: Circuit, names: Collection[str]) -> dict[str, Float[Tensor, "a b *rest"]]:
    """Activations [*batch, position, last axis] of all pairs at the answering position, which are all that is kept of them."""

    def parts() -> Iterator[dict[str, Tensor]]:
        for rows in circuit.rows():
            _, activations = circuit.run_rows(names, rows)
            last = {name: value.select(-2, -1) for name, value in activations.items()}
            yield {name: value.expand(len(rows), circuit.p, *value.shape[2:]) for name, value in last.items()}

    return whole(circuit.p, parts())

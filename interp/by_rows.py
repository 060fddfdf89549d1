"""What a circuit computes on all pairs, a few values of a at a time, so that nothing of size p³ has to exist.

What is small enough to be kept (``circuit.KEPT``), or is known already, is not computed again.
"""

from collections.abc import Iterator
from dataclasses import replace

import torch
from jaxtyping import Float
from torch import Tensor

from interp.circuit import Circuit
from interp.memory import in_rows, whole
from interp.networks.activations import activation_named
from interp.networks.config import NetworkConfig, Parameters
from interp.networks.row_sums import RowSums
from interp.networks.token_tables import has_token_tables, row_count, rows, token_tables
from interp.networks.transformer import Network

PAIRS = 512
"""Number of pairs whose neurons are looked at together where what they write is summed at once: as many as a cache holds."""

OWN_ARITHMETIC = 256
"""Largest p whose logits are always formed by the network itself."""


def logits_by_rows(circuit: Circuit, *, keep: bool = True) -> Iterator[Float[Tensor, "row b c"]]:
    """The logits of every pair, in the order of a. ``keep``: will they be asked for again?"""
    known = "logits" in vars(circuit) or (circuit.replaced_tables is None and circuit.network.given_logits() is not None)
    if known or circuit.edits or (keep and circuit.keeps_logits):
        yield from in_rows(circuit.logits)
    else:
        yield from (circuit.run_rows([], rows)[0] for rows in circuit.rows())


@torch.no_grad()
def projected_logits(circuit: Circuit, F: Float[Tensor, "c n"]) -> Float[Tensor, "a b n"]:
    """The logits of every pair times a matrix over the answers, float64; they are not asked for again, and not kept.

    A plain transformer of one layer with p > 256 does not form them: the matrix is multiplied into what each neuron and each
    token adds to the logits, and what depends on one token is computed once, in float64. Smaller networks run in their own
    precision: the numbers are then those of the logits that they give, from which the others differ by 5·10⁻⁷ at most, by
    single precision's rounding.
    """
    network, p = circuit.network, circuit.p
    if p <= OWN_ARITHMETIC or circuit.edits or not isinstance(network, Network) or not has_token_tables(network.config):
        return whole(p, ({"all": logits.double() @ F} for logits in logits_by_rows(circuit, keep=False)))["all"]
    config, parameters = _reading(circuit, network)
    parameters["unembed.W_U"] = circuit.relabelled(parameters["unembed.W_U"][:, : network.p]) @ F
    if "unembed.b_U" in parameters:
        parameters["unembed.b_U"] = circuit.relabelled(parameters["unembed.b_U"][: network.p]) @ F
    a, b = torch.cartesian_prod(torch.arange(p), torch.arange(p)).unbind(1)
    tables, read, activate = token_tables(config, parameters, a, b), rows(config, a, b), activation_named(config.activation)
    projected = torch.empty(p * p, F.shape[1], dtype=torch.float64)
    for some in torch.arange(p * p).split(PAIRS):
        weights, sums = tables.weights[some], RowSums(read[some], row_count(config))
        post = activate(sums.of_table(weights, tables.neurons))
        projected[some] = sums.of_table(weights, tables.direct).addmm_(post, tables.neuron_logit_map)
    return projected.unflatten(0, (p, p))


def _reading(circuit: Circuit, network: Network) -> tuple[NetworkConfig, Parameters]:
    """Configuration and float64 parameters of a network whose symbols are the circuit's numbers, each with its own vectors."""
    parameters = {name: x.double() for name, x in network.parameters.items()}
    equals = [parameters["embed.W_E"][-1:]] if network.config.equals_token else []
    parameters["embed.W_E"] = torch.cat([*(E.double() for E in circuit.tables), *equals])
    return replace(network.config, p=circuit.p, separate_vocabularies=True), parameters


def own_logits_by_rows(circuit: Circuit) -> Iterator[Float[Tensor, "row b c"]]:
    """The logits of every pair in the order of the task's own symbols, pairs that have no answer among them.

    Raises Unavailable as ``Circuit.own_logits`` does.
    """
    if circuit.is_plain:
        yield from logits_by_rows(circuit)
    elif circuit.edits or circuit.replaced_tables is not None or (circuit.p == circuit.network.p and circuit.keeps_logits):
        yield from in_rows(circuit.own_logits)
    else:
        yield from logits_by_rows(Circuit(circuit.network))  # as addition of its own symbols, nothing is relabelled


def neurons_by_rows(circuit: Circuit) -> Iterator[Float[Tensor, "row b neuron"]]:
    """The activations of the last layer's neurons on every pair, in the order of a."""
    name = circuit.network.neurons_name()
    if circuit.keeps_neurons or circuit.edits:
        yield from in_rows(circuit.neurons)
    else:
        yield from (circuit.run_rows([name], rows)[1][name].select(-2, -1) for rows in circuit.rows())

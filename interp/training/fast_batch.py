"""The loss of a one-layer network and its exact gradient, several times faster than pair by pair.

``interp.networks.token_tables`` says why: the work per pair is a weighted sum of a few table rows and one matrix product.
Autograd takes the gradient of the tables. The step from the tables to the loss, where the time goes, has its backward
pass written out in this module, because the gradient of a weighted sum of rows is again a weighted sum of rows.
"""

from functools import cached_property
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn import functional

from interp.networks.config import Parameters
from interp.networks.row_sums import RowSums
from interp.networks.token_tables import row_count, rows, token_tables
from interp.training.batch import Batch


class FastBatch(Batch):
    """Pairs for a one-layer network, with the loss and the gradient of ``PlainBatch``, to rounding.

    Take the gradient of a loss before asking for the next loss: losses share their memory (torch refuses otherwise).
    """

    @cached_property
    def sums(self) -> "RowSums":
        """Which table rows each pair reads."""
        return RowSums(rows(self.config, self.a, self.b), row_count(self.config))

    @cached_property
    def _buffers(self) -> dict[tuple[str, torch.dtype], Tensor]:
        return {}

    @torch.no_grad()
    def logits(self, parameters: Parameters) -> Float[Tensor, "pair vocab_out"]:
        tables = token_tables(self.config, parameters, self.a, self.b)
        return _logits(self, tables.weights, tables.neurons, tables.direct, tables.neuron_logit_map)[-1].clone()

    def loss(self, parameters: Parameters) -> Float[Tensor, ""]:
        tables = token_tables(self.config, parameters, self.a, self.b)
        return _Loss.apply(self, tables.weights, tables.neurons, tables.direct, tables.neuron_logit_map)

    def buffer(self, name: str, table: Float[Tensor, "row out"], dtype: torch.dtype | None = None) -> Float[Tensor, "pair out"]:
        """Memory, as wide as a table, for a result that is used up before the same name is asked for again.

        Megabytes that are freed at every step go back to the system, and fetching them anew takes as long as a matrix
        product.
        """
        key = (name, dtype or table.dtype)
        if key not in self._buffers:
            self._buffers[key] = table.new_empty(len(self.labels), table.shape[1], dtype=key[1])
        return self._buffers[key]


def _logits(
    batch: FastBatch, weights: Tensor, neurons: Tensor, direct: Tensor, neuron_logit_map: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """Pre-activations, activations (for ReLU the same memory) and logits of every pair."""
    pre = batch.sums.of_table(weights, neurons, out=batch.buffer("pre", neurons))
    match batch.config.activation:
        case "relu":
            post = pre.relu_()
        case "square":
            post = torch.mul(pre, pre, out=batch.buffer("post", neurons))
        case _:
            post = functional.gelu(pre)
    past_neurons = batch.sums.of_table(weights, direct, out=batch.buffer("past neurons", direct))
    return pre, post, past_neurons.addmm_(post, neuron_logit_map)


class _Loss(torch.autograd.Function):
    """The loss in float64 as a function of the tables, with its backward pass written out."""

    @staticmethod
    def forward(
        ctx: Any, batch: FastBatch, weights: Tensor, neurons: Tensor, direct: Tensor, neuron_logit_map: Tensor
    ) -> Float[Tensor, ""]:
        pre, post, logits = _logits(batch, weights, neurons, direct, neuron_logit_map)
        loss, d_logits = batch.loss_function.value_and_gradient(logits, batch.labels)
        ctx.batch = batch
        ctx.save_for_backward(weights, neurons, direct, neuron_logit_map, pre, post, d_logits)
        return loss

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, scale: Tensor) -> tuple[Tensor | None, ...]:
        weights, neurons, direct, neuron_logit_map, pre, post, d_logits = ctx.saved_tensors
        batch: FastBatch = ctx.batch
        d_logits.mul_(scale)
        d_pre = torch.mm(d_logits, neuron_logit_map.T, out=batch.buffer("gradient of pre", neurons))
        match batch.config.activation:
            case "relu":
                torch.ops.aten.threshold_backward.grad_input(d_pre, post, 0, grad_input=d_pre)
            case "square":
                d_pre.mul_(pre).mul_(2)
            case _:
                torch.ops.aten.gelu_backward.grad_input(d_pre, pre, grad_input=d_pre)
        needed = ctx.needs_input_grad
        d_weights = batch.sums.weights_gradient(weights, [(d_pre, neurons), (d_logits, direct)]) if needed[1] else None
        d_neurons = batch.sums.table_gradient(weights, d_pre)
        d_direct = batch.sums.table_gradient(weights, d_logits) if needed[3] else None
        # Not post.T @ d_logits: the products of a processor are faster with the many neurons as columns.
        return None, d_weights, d_neurons, d_direct, (d_logits.T @ post).T

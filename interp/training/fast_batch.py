"""The loss of a one-layer network and its exact gradient, several times faster than pair by pair.

``interp.training.token_tables`` says why: the work per pair is a weighted sum of a few table rows and one matrix product.
Autograd takes the gradient of the tables. The step from the tables to the loss, where the time goes, has its backward
pass written out in this module, because the gradient of a weighted sum of rows is again a weighted sum of rows.
"""

import warnings
from functools import cached_property
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn import functional

from interp.networks.config import Parameters
from interp.training.batch import Batch
from interp.training.token_tables import row_count, rows, token_tables


class FastBatch(Batch):
    """Pairs for a one-layer network, with the loss and the gradient of ``PlainBatch``, to rounding.

    Take the gradient of a loss before asking for the next loss: losses share their memory (torch refuses otherwise).
    """

    @cached_property
    def sums(self) -> "_RowSums":
        """Which table rows each pair reads."""
        return _RowSums(rows(self.config, self.a, self.b), row_count(self.config))

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


class _RowSums:
    """Weighted sums of table rows, a few per pair: a sparse matrix [pair, row] times the table, and the gradients."""

    def __init__(self, rows: Int[Tensor, "pair slot"], row_count: int) -> None:
        self._rows, self._shape = rows, (len(rows), row_count)
        entries, slots = rows.flatten(), rows.shape[1]
        # 32 bits, which is what the sparse products of a processor convert to otherwise.
        self._pair_starts = torch.arange(0, len(entries) + 1, slots, device=rows.device, dtype=torch.int32)
        self._columns = entries.int()

    @cached_property
    def _by_row(self) -> Int[Tensor, " entry"]:
        """All entries row by row, for the way back: which pairs read this row?"""
        return self._rows.flatten().argsort(stable=True)

    @cached_property
    def _pairs(self) -> Int[Tensor, " entry"]:
        """The pair of each entry, row by row."""
        return self._by_row // self._rows.shape[1]

    @cached_property
    def _row_starts(self) -> Int[Tensor, " row"]:
        """How many entries come before each row's."""
        read = torch.bincount(self._rows.flatten(), minlength=self._shape[1])
        return read.cumsum(0) - read

    def _matrix(self, weights: Float[Tensor, "pair slot"]) -> Tensor:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "Sparse CSR tensor support is in beta")
            return torch.sparse_csr_tensor(
                self._pair_starts, self._columns, weights.flatten(), self._shape, check_invariants=False
            )

    def of_table(
        self, weights: Float[Tensor, "pair slot"], table: Float[Tensor, "row out"], out: Float[Tensor, "pair out"]
    ) -> Float[Tensor, "pair out"]:
        """Weighted sum per pair: Σ_slot weights[pair, slot] · table[row of the slot], written to ``out``."""
        return torch.addmm(out, self._matrix(weights), table, beta=0, out=out)

    def table_gradient(
        self, weights: Float[Tensor, "pair slot"], gradient: Float[Tensor, "pair out"]
    ) -> Float[Tensor, "row out"]:
        """Gradient of a table: per row, Σ weights · gradient over the pairs that read the row."""
        weights = weights.flatten()[self._by_row]
        return functional.embedding_bag(self._pairs, gradient, self._row_starts, mode="sum", per_sample_weights=weights)

    def weights_gradient(
        self, weights: Float[Tensor, "pair slot"], parts: list[tuple[Float[Tensor, "pair _"], Float[Tensor, "row _"]]]
    ) -> Float[Tensor, "pair slot"]:
        """Gradient of the weights: per pair and slot, Σ over the parts of gradient[pair] · table[row of the slot]."""
        entries = self._matrix(torch.zeros_like(weights))
        for gradient, table in parts:
            entries = torch.sparse.sampled_addmm(entries, gradient, table.T)
        return entries.values().view_as(self._rows)


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
        return None, d_weights, d_neurons, d_direct, post.T @ d_logits

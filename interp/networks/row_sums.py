"""Weighted sums of a few rows of a table for every pair, and their gradients."""

import warnings
from functools import cached_property

import torch
from jaxtyping import Float, Int
from torch import Tensor


class RowSums:
    """Weighted sums of table rows, a few per pair: a sparse matrix [pair, row] times the table, and the gradients."""

    def __init__(self, rows: Int[Tensor, "pair slot"], row_count: int) -> None:
        self._rows, self._shape = rows, (len(rows), row_count)
        # 32 bits, which is what the sparse products of a processor convert to otherwise.
        self._pair_starts = torch.arange(0, rows.numel() + 1, rows.shape[1], device=rows.device, dtype=torch.int32)
        self._columns = rows.flatten().int()

    @cached_property
    def _by_row(self) -> Int[Tensor, " entry"]:
        """All entries row by row, for the way back: which pairs read this row?"""
        return self._rows.flatten().argsort(stable=True)

    @cached_property
    def _pairs(self) -> Int[Tensor, " entry"]:
        """The pair of each entry, row by row."""
        return (self._by_row // self._rows.shape[1]).int()

    @cached_property
    def _row_starts(self) -> Int[Tensor, " row_and_end"]:
        """How many entries come before each row's, and how many there are."""
        read = torch.bincount(self._rows.flatten(), minlength=self._shape[1])
        return torch.cat([read.new_zeros(1), read.cumsum(0)]).int()

    def _matrix(self, weights: Float[Tensor, "pair slot"]) -> Tensor:
        return _sparse(self._pair_starts, self._columns, weights.flatten(), self._shape)

    def of_table(
        self, weights: Float[Tensor, "pair slot"], table: Float[Tensor, "row out"], out: Float[Tensor, "pair out"] | None = None
    ) -> Float[Tensor, "pair out"]:
        """Weighted sum per pair: Σ_slot weights[pair, slot] · table[row of the slot], written to ``out`` where it is given."""
        if out is None:
            out = table.new_empty(len(weights), table.shape[1])
        return torch.addmm(out, self._matrix(weights), table, beta=0, out=out)

    def table_gradient(
        self, weights: Float[Tensor, "pair slot"], gradient: Float[Tensor, "pair out"]
    ) -> Float[Tensor, "row out"]:
        """Gradient of a table: per row, Σ weights · gradient over the pairs that read the row."""
        weights = weights.flatten().index_select(0, self._by_row)
        return _sparse(self._row_starts, self._pairs, weights, self._shape[::-1]) @ gradient

    def weights_gradient(
        self, weights: Float[Tensor, "pair slot"], parts: list[tuple[Float[Tensor, "pair _"], Float[Tensor, "row _"]]]
    ) -> Float[Tensor, "pair slot"]:
        """Gradient of the weights: per pair and slot, Σ over the parts of gradient[pair] · table[row of the slot]."""
        entries = self._matrix(torch.zeros_like(weights))
        for gradient, table in parts:
            entries = torch.sparse.sampled_addmm(entries, gradient, table.T)
        return entries.values().view_as(self._rows)


def _sparse(
    starts: Int[Tensor, " _"], columns: Int[Tensor, " entry"], values: Float[Tensor, " entry"], shape: tuple[int, ...]
) -> Tensor:
    """A sparse matrix, its entries given row by row. It checks nothing: that would take as long as the product."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Sparse CSR tensor support is in beta")
        return torch.sparse_csr_tensor(starts, columns, values, shape, check_invariants=False)

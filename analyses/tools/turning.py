"""The hand turned: a part of E[a] replaced by that of E[a+Δ], which must move the answer by Δ."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from jaxtyping import Int
from torch import Tensor

from analyses.tools.ablation import right, run_pairs
from analyses.tools.pairs import Pairs
from interp.circuit import Circuit


@dataclass(frozen=True, eq=False)
class Turning:
    """Inputs whose hand is turned: in the place of the pair (a, b), a + Δ and b are shown to the key frequencies."""

    circuit: Circuit
    """The network."""
    shown: Pairs
    """The pairs (a + Δ, b) that the key frequencies are shown: held out, where that is known."""
    delta: Int[Tensor, " input"]
    """By how much each hand is turned, Δ ≠ 0."""

    @staticmethod
    def of(circuit: Circuit, pairs: Pairs, count: int, generator: torch.Generator) -> "Turning":
        """``count`` inputs at random, of which the key frequencies are shown these pairs.

        Of an edited network, which is run once for every Δ, inputs of one Δ lie together: the first few of them need few runs.
        """
        chosen = torch.randint(len(pairs[0]), (count,), generator=generator)
        delta = torch.randint(1, circuit.p, (count,), generator=generator)
        if circuit.edits:
            delta = delta[torch.randperm(circuit.p, generator=generator)[delta].argsort()]
        return Turning(circuit, (pairs[0][chosen], pairs[1][chosen]), delta)

    def first(self, count: int) -> "Turning":
        """The first ``count`` of these inputs."""
        return Turning(self.circuit, (self.shown[0][:count], self.shown[1][:count]), self.delta[:count])

    def share(self, hand: Callable[[Tensor], Tensor]) -> float:
        """How often is the answer that to the shown pair when the ``hand`` part of E[a] is replaced by that of E[a+Δ]?"""
        there, b = self.shown
        a, (E_a, E_b) = (there - self.delta) % self.circuit.p, self.circuit.tables
        turning = hand(E_a)
        if not self.circuit.edits:
            return right(run_pairs(self.circuit, E_a[a] - turning[a] + turning[there], E_b[b]), self.shown)
        # An edit sees all pairs at once: one run per Δ, in which the hand of every a is turned.
        moved = 0.0
        for each in self.delta.unique().tolist():
            mine = self.delta == each
            logits = self.circuit.with_tables((E_a - turning + turning.roll(-each, 0), E_b)).logits
            moved += right(logits[a[mine], b[mine]], (there[mine], b[mine])) * int(mine.sum())
        return moved / len(self.delta)

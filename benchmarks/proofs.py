"""How do proofs grow with p? Networks with five planted pizzas, on one thread: time and multiplications, as ratios to p = 59.

Each proof is made at one setting: rank 10, two waves per neuron, and cells of the size .2. A planted network is right on all
pairs, and has 160 neurons whatever p is.
"""

import sys
import time
from collections.abc import Callable
from pathlib import Path

import torch

from analyses.tools.proofs.cells import Cells
from analyses.tools.proofs.low_rank import LowRank
from analyses.tools.proofs.token_forward import token_forward
from analyses.tools.proofs.waves import Waves
from analyses.tools.proofs.work import work
from interp.circuit import Circuit
from interp.networks.transformer import Network

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))
from planted import planted

MODULI = (59, 113, 199)
FREQUENCIES = (3, 7, 12, 19, 25)
RANK, SIZE, COUNT = 10, 0.2, 2


def all_pairs(network: Network) -> tuple[float, int]:
    """The share of the pairs that are right by a forward pass, and its multiplications."""
    circuit = Circuit(network)
    return float((circuit.logits.argmax(-1) == circuit.task.table()).double().mean()), work(network).brute_force


def by_low_rank(network: Network) -> tuple[float, int]:
    """The share that rank 10 certifies, and its multiplications."""
    tables, answers = token_forward(network), Circuit(network).task.table()
    held = LowRank(tables.V, (RANK,))
    found = sum(int(held.certifies(post, direct, answers[a]).sum()) for a, (post, direct) in enumerate(tables.rows()))
    return found / answers.numel(), work(network).low_rank(RANK)


def by_waves(network: Network) -> tuple[float, int]:
    """The share that two waves per neuron certify, and the multiplications."""
    circuit = Circuit(network)
    found = Waves(token_forward(network), circuit.numbers).certified(COUNT, circuit.task.table())
    return float(found.double().mean()), work(network).waves()


def by_cells(network: Network) -> tuple[float, int]:
    """The share that cells certify, and the multiplications."""
    circuit = Circuit(network)
    held = Cells(token_forward(network, half_past_neurons=True), circuit.numbers)
    cuts = held.cut(SIZE)
    assert cuts is not None
    found, closely = held.certified(cuts, circuit.task.table())
    return float(found.double().mean()), held.products(cuts, closely, work(network))


PROOFS: dict[str, Callable[[Network], tuple[float, int]]] = {
    "trying all": all_pairs, "low rank": by_low_rank, "waves": by_waves, "cells": by_cells,
}  # fmt: skip


def main() -> int:
    torch.set_num_threads(1)
    print("| proof | p | proven | time | multiplications | / trying all |\n|---|---|---|---|---|---|")
    first: dict[str, tuple[float, int]] = {}
    for p in MODULI:
        network, every = planted(p, pizzas=FREQUENCIES, attention_rate=0.0), 0
        for name, prove in PROOFS.items():
            started = time.process_time()
            proven, products = prove(network)
            took = time.process_time() - started
            every = products if name == "trying all" else every
            first.setdefault(name, (took, products))
            print(
                f"| {name} | {p} | {proven:.3f} | {took / first[name][0]:.1f} | {products / first[name][1]:.1f} | "
                f"{products / every:.3f} |"
            )
    return 0


if __name__ == "__main__":
    sys.exit(main())

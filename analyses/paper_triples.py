"""The 100 triples on which Zhong et al. 2023 measure gradient symmetricity."""

import random

import torch
from jaxtyping import Int
from torch import Tensor

# fmt: off
_SHUFFLED_113 = (
    837262, 573864, 1120676, 81656, 109667, 597254, 884957, 555311, 715765, 332844, 146681, 488581,
    420312, 656975, 470153, 165114, 758775, 1293633, 553958, 1297786, 617130, 765559, 881500, 5561,
    46167, 541023, 33369, 822507, 1252364, 517468, 1385248, 131067, 844158, 525701, 408081, 672805,
    174572, 85657, 464121, 193810, 244093, 584354, 646586, 1432417, 357350, 659547, 925510, 436771,
    1196427, 696824, 891668, 741323, 1151056, 35467, 907848, 264436, 784092, 809983, 1352745,
    386486, 1183051, 995302, 498557, 580443, 469659, 266855, 319018, 1423337, 386837, 964736,
    785712, 1167002, 251992, 1161926, 1152370, 1107963, 1018778, 1407440, 342619, 1032172, 781273,
    27605, 1029043, 879193, 182327, 1170243, 1214996, 824998, 688159, 957590, 783850, 1180663,
    1209015, 943448, 436525, 1205632, 594124, 380872, 617901, 414578,
)
# fmt: on
"""The answer for p = 113, whose list of 1.4 million triples takes a second to shuffle; a test shuffles it."""


def paper_sample(p: int) -> tuple[Int[Tensor, " n"], Int[Tensor, " n"], Int[Tensor, " n"]]:
    """Which triples (a, b, c) does the paper sample? The first 100 of ``shuffled(p)``, as three vectors."""
    index = torch.tensor(_SHUFFLED_113 if p == 113 else shuffled(p))
    return index // p**2, index // p % p, index % p


def shuffled(p: int) -> tuple[int, ...]:
    """The first 100 of all a·p² + b·p + c after ``random.Random(42).shuffle``.

    Source: Zhong et al. 2023, arXiv 2306.17844 (released code).
    """
    index = list(range(p**3))
    random.Random(42).shuffle(index)
    return tuple(index[:100])

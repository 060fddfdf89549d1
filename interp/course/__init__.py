"""The course: checks of the exercises in six notebooks (notebooks/course), and interp-grade, which runs them on a folder.

A check is given what a student wrote, a function or a value, and shows itself as a sentence:

from interp import course

course.check_fourier_basis(mine)
"""

from interp.course.clock import check_best_three, check_clock_logits, check_margin, check_turned_on
from interp.course.exercise import EXERCISES, Exercise, Outcome
from interp.course.fourier_basis import check_coefficients, check_energy_shares, check_fourier_basis, check_point
from interp.course.grokking import START, check_accuracy, check_delay, check_split, check_trained, train_pairs, trained
from interp.course.key_frequencies import check_embedding_shares, check_find_keys, check_taken_away, check_wave_strength
from interp.course.pizza import (
    check_clock_or_pizza,
    check_halfway,
    check_pizza_logits,
    check_profile,
    check_share_explained,
)
from interp.course.unseen_network import (
    check_my_circuits,
    check_my_frequencies,
    check_my_most_needed,
    check_my_share,
    unseen,
)

__all__ = [
    "EXERCISES",
    "START",
    "Exercise",
    "Outcome",
    "check_accuracy",
    "check_best_three",
    "check_clock_logits",
    "check_clock_or_pizza",
    "check_coefficients",
    "check_delay",
    "check_embedding_shares",
    "check_energy_shares",
    "check_find_keys",
    "check_fourier_basis",
    "check_halfway",
    "check_margin",
    "check_my_circuits",
    "check_my_frequencies",
    "check_my_most_needed",
    "check_my_share",
    "check_pizza_logits",
    "check_point",
    "check_profile",
    "check_share_explained",
    "check_split",
    "check_taken_away",
    "check_trained",
    "check_turned_on",
    "check_wave_strength",
    "train_pairs",
    "trained",
    "unseen",
]

# ---
# jupyter:
#   jupytext:
#     formats: ipynb,py:percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 7. Your own operation: not only a + b
#
# A network can be trained on any table of answers. interp asks of each: is it an addition in other numbers, as a product is one
# of logarithms? Is it the product of a group? Then every measurement works in these numbers. Three ways to say what your
# operation is, the shortest first.

# %%
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

import analyses
import interp
from interp import Circuit
from interp.tasks import task_named
from interp.tasks.task import ModularTask, Relabelling, Words

torch.set_num_threads(1)
checkpoints = Path("checkpoints") if Path("checkpoints").is_dir() else Path("../checkpoints")
folder = Path(tempfile.mkdtemp())

# %% [markdown]
# ## A formula, or the name of a group
#
# Polynomials need no code, nor do groups that have a name.

# %%
for name in ("2a+3b", "ab+b", "a^2+b^2", "a^2+ab+b^2", "D5", "S4", "Z2xZ4"):
    task = task_named(name, None if name[0] in "DSZ" else 13)
    numbers = task.relabelling()
    disguise = task.disguise()
    if numbers is not None:
        what = f"adds {task.words.sum}" if numbers.is_addition else f"multiplies the {numbers.modulus} elements of a group"
    else:
        what = f"adds {disguise.sum}, which do not tell all numbers apart" if disguise else "nothing is known of it"
    print(f"{task.sentence:24} {what}")

# %% [markdown]
# `ab + b` is `(a + 1)b`: a product, and so an addition of logarithms. `a² + b²` is an addition whose numbers cannot be told
# apart, since 3 and -3 have one square; `analyses.disguise` measures it.
#
# ## A table
#
# Here is the table of a group whose elements somebody renamed, for a, for b and for the answer, each differently. It is told
# by its structure:

# %%
rng = np.random.default_rng(0)
table = np.empty((24, 24), dtype=int)
names_of_a, names_of_b, names_of_answers = (rng.permutation(24) for _ in range(3))
table[names_of_a[:, None], names_of_b] = names_of_answers[task_named("S4").table()]
np.save(folder / "table.npy", table)
found = task_named(f"{folder}/table.npy")
print(found.sentence, "→", found.relabelling().group.name)

# %% [markdown]
# In a shell: `interp-train --task table.npy --train-fraction 0.8`. Where a table is no group's, it says what fails:

# %%
np.save(folder / "larger.npy", np.maximum(np.arange(7)[:, None], np.arange(7)))
print(task_named(f"{folder}/larger.npy").why_no_group())

# %% [markdown]
# ## A class
#
# A class can say more: how the operation is written, and in which numbers it is an addition. This is all of a file that adds an
# operation, here *a + b + 1*. Its numbers are a, b and one less than the answer. A folder with such files is named in the
# environment variable `INTERP_TASKS`, and then `interp-train --task "one more" --p 59` knows it too.


# %%
class OneMore(ModularTask):
    """One more than the sum: a + b + 1 mod p."""

    word = "one more"
    formula = "one more than a+b"

    def table(self):
        residues = torch.arange(self.p)
        return (residues[:, None] + residues + 1) % self.p

    def expression(self, a, b):
        return f"{a} + {b} + 1"

    def relabelling(self):
        residues = torch.arange(self.p)
        return Relabelling(a=residues, b=residues, c=(residues + 1) % self.p, words=Words(c="(c-1)"))


# %% [markdown]
# Half a minute of training:

# %%
recipe = replace(interp.RECIPES["steady"], task="one more", p=29, train_fraction=0.8, steps=2000)
*_, last = interp.train(recipe, seed=0)
circuit = Circuit(last.network, task=recipe.task_value)
print(analyses.report(circuit, only=["performance"]))

# %% [markdown]
# Nothing had to be said again: key frequencies, circuit and pictures are those of an addition, in the letters of the task.

# %%
analyses.logit_spectrum(circuit)

# %% [markdown]
# ## A group
#
# The numbers of a network that multiplies in a group are its elements, and what frequencies are for a sum, irreducible
# representations are for it. Here is one that was trained on half of the products of S5:

# %%
s5 = interp.load(checkpoints / "operations" / "s5.pt")
analyses.key_representations(s5)

# %% [markdown]
# What do its neurons read? Order the elements by the cosets of a subgroup, and the strongest neuron is a chessboard: of a
# and of b it knows only which of five boxes they lie in.

# %%
analyses.cosets(s5)

# %% [markdown]
# ## Exercises
#
# 1. Train `ab+b` with p = 29. How many pairs have a factor of 0, and does the network know them?
# 2. `analyses.trace_or_coset` of `checkpoints/operations/d13.pt`: why are there no cosets to see in a dihedral group?
# 3. Write the class of an operation of yours. Is it an addition in disguise?

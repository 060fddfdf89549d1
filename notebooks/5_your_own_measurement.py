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
# # 5. Your own measurement
#
# *Does the network know that a + b = b + a?* Nobody told it. One that has learned its training pairs by heart may still
# have noticed. We write one file, and find its answer in the report.
#
# A measurement is a file that defines a function of its own name, from a circuit to a `Finding`. In interp itself it
# goes to `analyses/`. Your own can live anywhere: the environment variable `INTERP_ANALYSES` names the folder. Here
# that is a folder in a temporary directory, so that the repository stays as it is.

# %%
import os
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

checkpoints = (Path("checkpoints") if Path("checkpoints").is_dir() else Path("../checkpoints")).resolve()

os.chdir(tempfile.mkdtemp())
Path("my_measurements").mkdir()
os.environ["INTERP_ANALYSES"] = "my_measurements"  # before analyses is imported

# %% [markdown]
# ## One file
#
# Two things are worth measuring. *How far are a and b exchanged?* Split the logits into a part that stays when `a` and
# `b` change places and one that changes its sign; the share of the second is 0 for a network that does not mind the
# order. And *what is it good for?* Of the pairs that were held out, some have their mirror image (b, a) among the
# training pairs. One who knows that the order does not matter knows those.

# %%
# %%writefile my_measurements/commutativity.py
"""Does the network know that a + b = b + a?"""

import math
from dataclasses import dataclass

import plotly.graph_objects as go
import torch

from analyses.findings import Finding, Table, finish, measurement
from interp.circuit import Circuit


@dataclass(frozen=True)
class Commutativity(Finding):
    """What the order of a and b changes, and what a pair's mirror image is worth."""

    antisymmetric: float
    """Share of the centred logits' variance that changes its sign when a and b change places, [0, 1]; NaN without logits."""
    trained: float
    """Accuracy on the training pairs; this and the others are NaN where those are unknown, or there are none."""
    mirrored: float
    """Accuracy on held-out pairs whose mirror image was trained on."""
    unseen: float
    """Accuracy on pairs that were held out with their mirror image."""

    def table(self) -> Table:
        rows = (("trained", self.trained), ("mirror image trained", self.mirrored), ("neither", self.unseen))
        note = f"{self.antisymmetric:.2g} of the logits' variance changes its sign with the order of a and b"
        return Table("Does it know that a + b = b + a?", ("pairs", "accuracy"), rows, note)

    def figure(self) -> go.Figure:
        names, values, _ = zip(*[(*row, None) for row in self.table().rows], strict=True)
        return finish(
            go.Figure(go.Bar(x=names, y=values)),
            "What a pair's mirror image is worth",
            "A network that knows that the order does not matter does as well in the middle as on the left.",
            xaxis_title="pairs",
            yaxis={"title": "accuracy", "range": [0, 1]},
        )


@measurement
def commutativity(circuit: Circuit) -> Commutativity:
    """Does the network know that a + b = b + a?

    antisymmetric: ‖(L - Lᵀ)/2‖² / ‖L‖², L the centred logits, ᵀ exchanging a and b.
    """
    L, p = circuit.centred_logits, circuit.p
    variance = L.square().sum().item()
    changing = ((L - L.transpose(0, 1)) / 2).square().sum().item()
    share = changing / variance if variance else math.nan
    if circuit.train_numbers is None:
        return Commutativity(antisymmetric=share, trained=math.nan, mirrored=math.nan, unseen=math.nan)
    right = (circuit.logits.argmax(-1) == circuit.answers).double()
    trained = torch.zeros(p * p, dtype=torch.bool).index_fill(0, circuit.train_numbers, True).view(p, p)
    return Commutativity(
        antisymmetric=share,
        trained=right[trained].mean().item(),
        mirrored=right[~trained & trained.T].mean().item(),
        unseen=right[~trained & ~trained.T].mean().item(),
    )


# %% [markdown]
# The function is decorated with `@measurement`: its result is remembered with the circuit. Its `Finding` says how it is
# shown as a table and as a figure; JSON it knows by itself.
#
# ## It is there
#
# Nothing else has to be edited. After the import it is a measurement like the others. (Changed the file? Restart the
# kernel.)

# %%
import analyses
import interp

assert "commutativity" in analyses.MEASUREMENTS
nanda = interp.load(checkpoints / "nanda-113.pt")
memorised = interp.load(checkpoints / "nanda-113-step-1400.pt")

# %% [markdown]
# ## A truth to test it on
#
# Before it is let loose on networks: does it find what was put in? `interp.from_logits` makes a circuit of any logits,
# so of some whose answer is known. Logits that depend on `a` alone are half symmetric, half not. Logits that tell `a`
# from `b` only are not symmetric at all.

# %%
import torch

p = 11
of_a = torch.randn(p, 1, p, generator=torch.Generator().manual_seed(0)).double()
of_a = of_a - of_a.mean(0)
known = {
    "a + b": (of_a + of_a.transpose(0, 1), 0.0),
    "a alone": (of_a.expand(p, p, p), 0.5),
    "a against b": (of_a - of_a.transpose(0, 1), 1.0),
}
for name, (logits, share) in known.items():
    found = analyses.commutativity(interp.from_logits(logits)).antisymmetric
    print(f"{name}: {found:.6f}, expected {share}")
    assert abs(found - share) < 1e-6

# %% [markdown]
# And one that knows its training pairs and their mirror images, by heart, and nothing else:

# %%
train = torch.randperm(p * p, generator=torch.Generator().manual_seed(0))[: p * p // 3].sort().values
seen = torch.zeros(p * p, dtype=torch.bool).index_fill(0, train, True).view(p, p)
right = torch.nn.functional.one_hot((torch.arange(p)[:, None] + torch.arange(p)) % p, p).double()
by_heart = torch.where((seen | seen.T)[..., None], right, right.roll(1, -1))

planted = analyses.commutativity(replace(interp.from_logits(by_heart), train_pairs=train))
assert (planted.trained, planted.mirrored, planted.unseen) == (1.0, 1.0, 0.0)
planted.table()

# %% [markdown]
# Such a test is what `CONTRIBUTING.md` asks of a new measurement; in the repository it goes to `tests/`, where
# `planted.py` builds whole networks with known circuits.
#
# ## What it finds
#
# The network of Nanda et al. after 1400 steps, when it has learned its training pairs by heart:

# %%
analyses.commutativity(memorised)

# %%
for name in ("step-0", "step-1400", "step-5000", "step-9400"):
    each = analyses.commutativity(interp.load(checkpoints / f"nanda-113-{name}.pt"))
    print(
        f"{name:>9}: trained {each.trained:.3f}, mirror image trained {each.mirrored:.3f}, neither {each.unseen:.3f}; "
        f"antisymmetric {each.antisymmetric:.1e}"
    )

print(f"step-14000: antisymmetric {analyses.commutativity(nanda).antisymmetric:.1e}, and all right")
at_1400 = analyses.commutativity(memorised)
assert analyses.performance(nanda).wrong == 0
assert at_1400.mirrored > 100 * at_1400.unseen
assert analyses.commutativity(nanda).antisymmetric < 1e-4

# %% [markdown]
# So what it learns by heart is not quite a table of pairs. At step 1400 it knows a quarter of the sums whose mirror
# image it was trained on, and one in a thousand of the rest: nearly all that it gets right beyond its training pairs is
# *order does not matter*. Addition comes thousands of steps later. And in the end a and b are exchanged to one part in
# 10⁵.
#
# It may also be why the run of [notebook 3](3_grokking_over_time.ipynb) stood still at a third of the held-out pairs:
# it was trained on 35% of all, so about as many of the others had their mirror image among them.
#
# (At step 0 the logits are symmetric too: a random network attends to a and b alike. Symmetric is not the same as
# knowing.)
#
# ## It is in the report
#
# In a shell, with `INTERP_ANALYSES=my_measurements` in the environment, `interp-analyze FILE` has it among the other
# tables, and `--only commutativity` shows it alone, below the three lines of answer:

# %%
# !{sys.executable} -m analyses.commands.analyze {checkpoints}/nanda-113-step-1400.pt --only commutativity 2>&1 | cat

# %% [markdown]
# And in the JSON, under the names of its fields. (`--json` prints this whole answer.)

# %%
analyses.report(memorised, only=["commutativity"]).to_dict()["findings"]

# %% [markdown]
# ## Try
#
# 1. `memorising-59.pt` has learned by heart too. Does it know its mirror images?
# 2. `zhong-59-rate-0.pt` attends to all tokens alike, and still is not quite symmetric. Where can it tell a from b?
# 3. Another measurement: of the pairs with the same a + b, does a network that learns by heart get all or none?

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
# # 3. Grokking over time
#
# A network learns its training pairs by heart, knows nothing else for a long time, and then, suddenly, knows all. That
# is *grokking*. Nanda et al. (2023, arXiv 2301.05217) looked inside: it is not sudden there. We train a small network
# to see it happen, then look at theirs.
#
# ## A run of our own
#
# Numbers mod 59, 35% of the pairs to train on, the recipe `steady` with twice its weight decay. It takes some seconds.
# (In a shell: `interp-train --recipe steady --p 59 --train-fraction 0.35 --weight-decay 2 --steps 500
# --record-every 20 --snapshots`.)

# %%
import json
import tempfile
from dataclasses import replace
from pathlib import Path

import plotly.graph_objects as go

import analyses
import interp
from analyses.findings.drawing import finish
from analyses.timeline.moment import moment
from analyses.timeline.phases import phases
from analyses.timeline.progress import Progress, progress
from interp.training import run
from interp.training.run_config import RunConfig

checkpoints = Path("checkpoints") if Path("checkpoints").is_dir() else Path("../checkpoints")

steady = interp.RECIPES["steady"]
recipe = replace(steady, p=59, train_fraction=0.35, weight_decay=2.0, steps=500)
config = RunConfig(recipe=recipe, seed=0, record_every=20, snapshots=True)

ours = run.create(Path(tempfile.mkdtemp()) / "run", config)
for snapshot in ours.train():
    if snapshot.step % 100 == 0:
        trained, others = snapshot.losses["train_accuracy"], snapshot.losses["test_accuracy"]
        print(f"step {snapshot.step}: accuracy on training pairs {trained:.3f}, on all others {others:.3f}")

# %% [markdown]
# Within 100 steps it knows its training pairs. The others stay where they are at first, at a third; then, within
# another 200 steps, they are nearly all right. (Why a third? [Notebook 5](5_your_own_measurement.ipynb) has an idea.)
#
# The timeline looks at every snapshot with the key frequencies that the run ends with. It splits the logits in two: the
# waves of a + b at those frequencies, which is the circuit that generalises, and all the rest, where memorising is.
#
# - **restricted loss**: of the waves alone, on all pairs. It falls as the circuit forms.
# - **excluded loss**: of the rest alone, on the training pairs. It is low as long as they are known by heart.

# %%
timeline = progress(ours.path)
timeline.figure().update_layout(height=780)

# %% [markdown]
# (The numbers behind it: `timeline.table()`.) Look at the restricted loss in the first panel: the waves alone get
# better all the time, also while test accuracy stands still. In the second panel the work passes from one circuit to
# the other: what the generalising one takes off the training loss rises, what memorising takes off falls. Test accuracy
# merely hears of it late.
#
# The three phases of the paper (memorisation, circuit formation, clean-up) are found by a rule, and not by eye. Beside
# each end stands the range that the rule's thresholds and the gaps between snapshots leave open.

# %%
timeline.phases.table()

# %%
assert timeline.phases.verdict == "grokking"
ends = [each.step for each in timeline.phases.boundaries]
print("the phases end at", ends)
assert ends[0] < ends[1]
assert ends[2] is None or ends[1] < ends[2]

# %% [markdown]
# Who moves first? For each measure: how many steps before test accuracy has it gone a tenth of its way?

# %%
timeline.phases.moves_table()

# %%
lead = {each.measure: each.lead for each in timeline.phases.moves}
print(f"the restricted loss moves {lead['restricted loss']} steps before test accuracy")
assert lead["restricted loss"] > 0

# %% [markdown]
# The restricted loss is among the first to move. The neurons, each at one frequency, are the last.
#
# And here is what it ended as.

# %%
analyses.clock_or_pizza(interp.load(ours.model_path))

# %% [markdown]
# ## The paper's own run
#
# The same seed, recipe and data as the network of Nanda et al., trained for 14,000 steps. The log of that run is in the
# repository, with four snapshots of it.

# %%
log = [json.loads(line) for line in (checkpoints / "nanda-113.log.jsonl").read_text().splitlines()]
steps = [record["step"] for record in log]

curves = go.Figure()
for name in ("train_loss", "test_loss"):
    curves.add_scatter(x=steps, y=[record[name] for record in log], name=name.replace("_", " "))
curves.update_yaxes(type="log", exponentformat="power", title="loss (nats)").update_xaxes(title="step")
finish(curves, "The run of the paper, seed 0", "Losses over all 114 outputs, as they were logged.")

# %%
memorised = next(record["step"] for record in log if record["train_accuracy"] > 0.99)
grokked = next(record["step"] for record in log if record["test_accuracy"] > 0.99)
print(f"training accuracy above .99 at step {memorised}, test accuracy above .99 at step {grokked}")
assert memorised == 200 and 9_000 < grokked < 11_000

# %% [markdown]
# Fifty times as long to generalise as to memorise. What happened in between? The key frequencies of each snapshot,
# taken by itself:

# %%
snapshots = {step: interp.load(checkpoints / f"nanda-113-step-{step}.pt") for step in (0, 1400, 5000, 9400)}
snapshots[14_000] = interp.load(checkpoints / "nanda-113.pt")
for step, circuit in snapshots.items():
    accuracy = analyses.performance(circuit).test_accuracy
    print(f"step {step:6}: test accuracy {accuracy:.3f}, key frequencies {analyses.key_frequencies(circuit).frequencies}")

# %% [markdown]
# At step 1400, when it is hardly right on any sum that it was not trained on, two of the five frequencies are already
# there. At 5000 there are three, and still it has not helped. Restricted and excluded loss say the same in nats:

# %%
keys = analyses.key_frequencies(snapshots[14_000]).frequencies
moments = [moment(circuit, keys, step) for step, circuit in snapshots.items()]
for m in moments:
    print(
        f"step {m.step:6}: train loss {m.train_loss:.2g}, test loss {m.test_loss:.2g}, "
        f"restricted {m.restricted_loss:.2g}, excluded {m.excluded_loss:.2g}"
    )

at = {m.step: m for m in moments}
assert keys == (14, 35, 41, 42, 52)
assert at[5000].restricted_loss < at[1400].restricted_loss, "the circuit forms"
assert at[5000].test_loss > 3, "while the test loss does not show it"
assert at[1400].excluded_loss < at[5000].excluded_loss < at[14_000].excluded_loss, "and memorising fades"

# %% [markdown]
# Read it from top to bottom. *Step 1400*: the training pairs are known, and by heart: without the waves (excluded)
# their loss is still near nothing. *Step 5000*: the waves alone have come down, though the test loss is still worse
# than guessing, log 113 = 4.7. *Step 9400*: the waves alone do better than the whole network, which what it learned by
# heart still disturbs. *Step 14000*: that is gone, and without the waves nothing is known any more, not even the
# training pairs.
#
# Five snapshots are a timeline too, if a coarse one: look at the ranges.

# %%
coarse = Progress(p=113, key_frequencies=keys, phases=phases(moments, 113), moments=tuple(moments))
coarse.phases.table()

# %% [markdown]
# Each of the five frequencies through time:

# %%
coarse.frequency_table()

# %% [markdown]
# Two numbers for each: its share of the logits' variance, and the variation of its amplitude, which tells a clock
# (below .2) from a pizza (above .4). At step 9400, when the circuit has just formed, *not one* of the five is either:
# all lie between. Clean-up is when 42 and 52 become clocks and 41 a pizza.

# %%
formed, final = (dict(zip(keys, at[step].variations, strict=True)) for step in (9400, 14_000))
for k in keys:
    print(f"k = {k}: variation {formed[k]:.2f} at step 9400, {final[k]:.2f} at the end")
assert all(0.2 < variation < 0.4 for variation in formed.values())
assert final[42] < 0.2 and final[52] < 0.2 and final[41] > 0.4

# %% [markdown]
# ## Try
#
# 1. Train with other seeds (`seed=1`, `2`). Do the key frequencies repeat? Do the phases?
# 2. Take the weight decay away (`weight_decay=0.0`). What becomes of clean-up, and of grokking?
# 3. Train the paper's run with all its snapshots (`interp-train --recipe nanda-2023 --steps 14000 --snapshots`, ten
#    minutes), and draw its timeline with `progress`.

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
# # 1. A first look
#
# A small transformer was shown 30% of all sums `a + b mod 113` and trained until it knew the other 70% too. Nobody told
# it how to add. What did it come up with?
#
# Four questions, in the order in which one would ask them: does it add, which frequencies does it use, where are the
# numbers, and which circuit computes the sum. At the end the same questions go to a network that was never trained.

# %%
from pathlib import Path

import analyses
import interp

# Started here in notebooks/ or in the folder above, both will do.
checkpoints = Path("checkpoints") if Path("checkpoints").is_dir() else Path("../checkpoints")

circuit = interp.load(checkpoints / "quick-113.pt")
circuit

# %% [markdown]
# `interp.load` reads checkpoints of interp and of several other projects. What it gives is a *circuit*: the network on
# all p² pairs, with every activation at hand. Here are its logits: for each `a` and `b` a number for each possible
# answer `c`.

# %%
circuit.logits.shape

# %% [markdown]
# ## Does it add?
#
# The largest logit is the answer. Every measurement returns a *finding*, which shows itself as a table and a figure
# with its caption; the numbers are its fields.

# %%
analyses.performance(circuit)

# %%
right = circuit.logits.argmax(-1) == circuit.answers
assert right.all()
print(f"{right.sum()} of {right.numel()} sums are right; {len(circuit.train_pairs)} of them were trained on.")

# %% [markdown]
# It was right on pairs that it had never seen. It cannot have learned them by heart: there is something to find.
#
# ## Which frequencies does it use?
#
# Take one answer `c` and look at its logit as a function of `a` and `b`. In networks like this one it is a sum of very
# few waves, cos(2πk(a + b - c)/p), and the numbers `k` are the network's *key frequencies*. There are four published
# ways to find them: in the logits (Chughtai et al. 2023), in what the neurons write, in the neurons themselves, and in
# the embedding (Nanda et al. 2023, arXiv 2301.05217). They need not agree.

# %%
keys = analyses.key_frequencies(circuit)
keys

# %%
print("The output, which decides, has", *keys.frequencies)
for rule, (only_here, missing) in keys.differences().items():
    print(f"Judged by the {rule} there are also {only_here}; missing there: {missing or 'none'}.")
assert keys.frequencies == (6, 7, 11, 38)
assert keys.accompanying == (22,)

# %% [markdown]
# Four frequencies of 56. The embedding has a fifth, 22, which the output does not use: it is twice the key frequency
# 11. Keep it in mind, it comes back below.
#
# ## Where are the numbers?
#
# A wave of frequency `k` has a cosine and a sine, so the numbers 0 to 112 have a place in a plane. Here is the whole
# embedding, 128-dimensional, seen in the plane of each key frequency.

# %%
analyses.circles(circuit)

# %% [markdown]
# The network has put the numbers on circles. Along the circle of frequency `k`, going from one number to the next is
# `k` steps of 1/113 of a turn: the number is an *angle*. Adding numbers mod 113 is adding angles, and going round is
# free.
#
# ## How does it add two numbers?
#
# Watch it add 17 and 30. On each dial the blue hand is `a`, the orange one `b`, and the green one what the logits say.

# %%
addition = analyses.one_pair(circuit, a=17, b=30)
addition

# %%
assert addition.answer == 17 + 30
print(addition.sentence())

# %% [markdown]
# No dial alone says which of the 113 numbers it is: neighbours on it are too close. But all green hands point near the
# right answer, and there is no other number that suits them all: the waves add up there (the star) and cancel elsewhere.
#
# The dials differ. Three of them add the angles, like a **clock**. One of them, 11, does not: it takes the *mean of the
# two points* and looks in which slice of a **pizza** that lies (Zhong et al. 2023, arXiv 2306.17844).
#
# ## Which circuit is it?
#
# How to tell them apart? A clock does not mind how far apart `a` and `b` are. A pizza does: where the two points lie
# opposite, their mean is the centre, and the centre lies in no slice. So look at how strong each wave is in the output,
# pair by pair, sorted by the distance `a - b`.

# %%
analyses.amplitude_profile(circuit)

# %% [markdown]
# 6, 7 and 38 are flat, 11 follows the |cos| of a pizza. That shows because the helper circle at 22, twice 11, was switched
# off in the embedding first; [the next notebook](2_the_clock_and_the_pizza.ipynb) shows why that is needed. The verdict puts
# this beside the rest of the evidence.

# %%
verdict = analyses.clock_or_pizza(circuit)
verdict

# %%
assert verdict.verdict == "hybrid" and verdict.sureness == "clear"
assert dict(verdict.frequencies) == {6: "clock", 7: "clock", 11: "pizza", 38: "clock"}
print(f"{verdict.verdict}: {verdict.reason}.")
print(f"Clocks and pizzas account for {verdict.explained:.1%} of its output, the variance of the logits.")

# %% [markdown]
# ## Would it say so of anything?
#
# A microscope that finds circles everywhere is worth nothing. Here is a network with the same shape and random weights.

# %%
untrained = interp.load(checkpoints / "untrained-113.pt")
control = analyses.clock_or_pizza(untrained)
control

# %%
assert control.verdict == "not generalising" and control.sureness == "none"
assert analyses.key_frequencies(untrained).frequencies == ()
assert analyses.circles(untrained).circles == ()
print("circuit:", control.verdict)
print("key frequencies:", analyses.key_frequencies(untrained).frequencies or "none")

# %% [markdown]
# No key frequencies, no circles, no circuit, since it does not add. Its published measures are numbers all the same:
# its gradient symmetry is above .98, as if half a pizza. That is why accuracy is asked for first.
#
# ## Try
#
# 1. Find two numbers whose points lie opposite on the circle of 11: `analyses.one_pair(circuit, a=..., b=...)`. What is
#    left of the green hand there? Is the answer still right, and who saves it?
# 2. `interp.load(checkpoints / "memorising-59.pt")` learned its training pairs by heart. Put the four questions to it.
# 3. All measurements: `analyses.MEASUREMENTS`. What does `analyses.neuron_clusters(circuit)` say about the neurons?

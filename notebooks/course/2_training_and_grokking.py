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
# # Course, 2: training and grokking
#
# A network is a long list of numbers, its weights, and a rule that turns two inputs into scores for all answers with them.
# Training changes the weights, little by little, so that the right answers get higher scores. This notebook trains one to
# add mod 31, and shows a strange thing: it knows its examples by heart long before it understands them.

# %%
# Only on Colab, or where interp is not installed: take away the first # of the last line here,
# put in the name of the wheel of interp that you were given or uploaded, and run this cell.
# Otherwise leave it as it is: nothing in this notebook is fetched from anywhere.
# # %pip install interp-0.1.0-py3-none-any.whl

# %%
import math
import random
from dataclasses import replace

import plotly.graph_objects as go
import torch

import interp
from analyses.findings.drawing import finish
from interp import course

# %% [markdown]
# ## What is held out
#
# There are 31² = 961 pairs (a, b) of numbers mod 31. If we trained on all of them, we could never tell whether the network
# has learned to add or only learned a table. So we train on some, and hold out the others to ask about later.
#
# **Exercise 1.** Divide the pairs, at random, as a seed decides: the same seed gives the same answer, another seed another
# one.
#
# <details><summary>Hint</summary>
#
# Make a list of all pairs, and shuffle it with a generator of its own: `random.Random(seed).shuffle(pairs)`.
#
# </details>


# %%
def split(p, fraction, seed):
    """Two lists of pairs (a, b): those to train on, fraction·p² of them, and all others."""
    # solution
    pairs = [(a, b) for a in range(p) for b in range(p)]
    random.Random(seed).shuffle(pairs)
    count = int(fraction * len(pairs))
    return pairs[:count], pairs[count:]
    # end of solution


# %%
course.check_split(split)

# %% [markdown]
# ## What is right
#
# For each pair the network gives 31 scores, one for every possible answer. They are called **logits**. Its answer is the
# one with the highest score.
#
# **Exercise 2.** Which share of the pairs is answered right? That is called the **accuracy**.
#
# <details><summary>Hint</summary>
#
# `logits.argmax(-1)` is the place of the highest score in every row. Comparing it with `answers` gives True and False;
# as numbers, with `.float()`, these are 1 and 0.
#
# </details>


# %%
def accuracy(logits, answers):
    """The share of rows of logits [pair, answer] whose highest score is at the right answer (answers: one per pair)."""
    # solution
    return (logits.argmax(-1) == answers).float().mean()
    # end of solution


# %%
course.check_accuracy(accuracy)

# %% [markdown]
# ## A network that learns by heart
#
# Here is a training: 600 steps, on half of the pairs. Every 100 steps we look how many pairs are right, of those that
# it is trained on and of those held out. It takes some seconds.

# %%
by_heart = list(interp.train(course.START, seed=0))
curves = go.Figure()
for name in ("train_accuracy", "test_accuracy"):
    label = {"train_accuracy": "trained on", "test_accuracy": "held out"}[name]
    accuracies = [each.losses[name] for each in by_heart]
    curves.add_scatter(x=[each.step for each in by_heart], y=accuracies, name=label)
curves.update_xaxes(title="step").update_yaxes(title="accuracy")
finish(curves, "It knows what it was shown, and not the rest", "", showlegend=True)

# %% [markdown]
# On its own pairs it is perfect. On the others it is right about half of the time, and gets no better. Half is a lot for a
# network that only knows a table. But if it was shown b + a, it was shown the answer to a + b. Look at the held-out pairs
# whose mirror image it was shown, and at all others:

# %%
last = interp.Circuit(by_heart[-1].network)
right = last.logits.argmax(-1) == last.answers  # for every a and b
shown = torch.zeros(31 * 31, dtype=torch.bool)
shown[course.train_pairs(course.START, seed=0)] = True
shown = shown.view(31, 31)
for name, pairs in {"shown b + a": ~shown & shown.T, "not shown": ~shown & ~shown.T}.items():
    print(f"held out, {name}: {right[pairs].float().mean():.1%} of {pairs.sum()} right")

# %% [markdown]
# It has learned that the order does not matter, and nothing else.
#
# Networks that go on to find the rule do so *later*, often much later, and rather suddenly. Power et al. (2022, arXiv
# 2201.02177) called that **grokking**.
#
# **Exercise 3.** Measure how late: given the accuracies at some steps, from which step on are the training pairs known for
# good, which means that accuracy is never below .99 again? From which on the held-out pairs? Return the difference, in
# steps, and `math.inf` if the held-out pairs are never known for good.
#
# <details><summary>Hint</summary>
#
# Look for the last record with an accuracy below .99: the one after it is what you want. There may be none after it.
#
# </details>


# %%
def delay(steps, train, test):
    """How many steps after the training pairs the held-out ones are known for good."""

    # solution
    def known_for_good(accuracies):
        at = 0
        for number, value in enumerate(accuracies):
            if value < 0.99:
                at = number + 1
        return steps[at] if at < len(steps) else math.inf

    return known_for_good(test) - known_for_good(train)
    # end of solution


# %%
course.check_delay(delay)

# %% [markdown]
# ## A network that finds the rule
#
# What makes a network find the rule? Two things matter most. **Weight decay** pulls all weights towards 0 at every step:
# a table takes large weights, a rule gets by with small ones. And it needs **enough pairs** to see the rule in.
#
# **Exercise 4.** Change the recipe `course.START` so that the network knows at least 99% of the held-out pairs; at least a
# fifth of all pairs have to be held out. `replace(course.START, steps=2000)`, for example, is that recipe with more steps
# (3,000 at most).
#
# The next cell trains it, for ten seconds or so, and writes it to the file `my_network.pt`. You may hand in that file, too.
#
# <details><summary>Hint</summary>
#
# `course.START` has `weight_decay=0.0` and `train_fraction=0.5`. Try a weight decay of 1 or 2, and a few more pairs.
#
# </details>


# %%
def my_recipe():
    """A recipe with which the network finds the rule."""
    # solution
    return replace(course.START, weight_decay=2.0, train_fraction=0.6)
    # end of solution


# %%
my_network = course.trained(my_recipe, "my_network.pt")
course.check_trained(my_network)

# %% [markdown]
# The check also says which **key frequencies** your network uses. They are different ones for every seed, and you know from
# the first notebook what they are: how often the numbers go round on its circles. How does one find them? That is the
# next notebook.

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
# # Course, 4: the clock by hand
#
# Nanda et al. (2023, arXiv 2301.05217) opened a network that adds, and found that it works like the hand of a clock: it turns
# from the angle of a on by the angle of b. In this notebook you build such a clock yourself, without any training, and find
# out why networks use several circles at once.

# %%
# Only on Colab, or where interp is not installed: take away the first # of the last line here,
# put in the name of the wheel of interp that you were given or uploaded, and run this cell.
# Otherwise leave it as it is: nothing in this notebook is fetched from anywhere.
# # %pip install interp-0.1.0-py3-none-any.whl

# %%
import math
from itertools import combinations

import plotly.graph_objects as go
import torch

import analyses
import interp
from analyses.findings.drawing import finish
from interp import course, fourier

# %% [markdown]
# ## Turning on
#
# On a circle number a stands at k·a/p turns. Turn on by k·b/p, and you are at k·(a + b)/p: **adding angles is adding mod p**,
# since whole turns do not show.
#
# But a network has no angles, only the coordinates of points. For these there is a formula in school books:
#
# > cos(x + y) = cos x · cos y - sin x · sin y
# >
# > sin(x + y) = sin x · cos y + cos x · sin y
#
# **Exercise 1.** Turn a point on by the angle of another one, with products of coordinates alone.
#
# <details><summary>Hint</summary>
#
# `c1, s1 = first` takes a point apart. The answer is a pair, written with the two lines above.
#
# </details>


# %%
def turned_on(first, second):
    """The point at the sum of the angles of two points, each a pair (cosine, sine)."""
    # solution
    c1, s1 = first
    c2, s2 = second
    return c1 * c2 - s1 * s2, s1 * c2 + c1 * s2
    # end of solution


# %%
course.check_turned_on(turned_on)

# %% [markdown]
# This is how a trained network does it (`zhong-59-rate-1`, which adds mod 59 on three circles). On each dial are the hands of
# a and of b, and the hand of what the network's output says: it stands at the sum of the two angles.

# %%
analyses.one_pair(interp.example("zhong-59-rate-1"), a=11, b=19).figure()

# %% [markdown]
# ## Scores for all answers
#
# The point of a + b is not yet an answer. The clock gives every number c a score: how far the point of a + b lies in the
# direction of c. That is cos(2πk(a + b - c)/p), which is 1 for the right c and smaller for all others. Clocks of several
# frequencies add up their scores.
#
# **Exercise 2.** Compute the scores, also called logits, of all answers to all pairs.
#
# <details><summary>Hint</summary>
#
# With `n = torch.arange(p)` all values of a + b - c are `n[:, None, None] + n[None, :, None] - n`. Start with zeros, and add
# a cosine for each frequency.
#
# </details>


# %%
def clock_logits(p, frequencies):
    """Scores [a, b, c] of a clock with these frequencies: the sum of cos(2πk(a + b - c)/p) over them."""
    # solution
    n = torch.arange(p)
    total = torch.zeros(p, p, p)
    for k in frequencies:
        total = total + torch.cos(2 * math.pi * k * (n[:, None, None] + n[None, :, None] - n) / p)
    return total
    # end of solution


# %%
course.check_clock_logits(clock_logits)

# %% [markdown]
# ## Why several circles?
#
# Look at the scores of all answers c to one pair, 11 + 19 mod 59. With a single frequency some wrong
# answers come very close to the right one, with several they do not: where one circle is wrong, the others disagree.

# %%
p, pair_sum = 59, 30
scores = go.Figure()
for ks in [(21,), (21, 24, 29)]:
    heights = sum(fourier.waves(k, p)[0][(pair_sum - torch.arange(p)) % p] for k in ks) / len(ks)
    scores.add_scatter(x=list(range(p)), y=heights, name=f"k = {', '.join(map(str, ks))}")
finish(
    scores,
    "Three circles agree on one answer only",
    "",
    xaxis_title="answer c",
    yaxis_title="score / number of circles",
    showlegend=True,
)

# %% [markdown]
# **Exercise 3.** By how much does the right answer lead the best wrong one? That is the **margin**. It is the same for every
# pair, because the score depends only on how wrong c is: if c is d too large, the lead is the sum of 1 - cos(2πk·d/p).
#
# <details><summary>Hint</summary>
#
# Compute the lead for every d from 1 to p-1, and take the smallest. d = 0 is the right answer itself.
#
# </details>


# %%
def margin(p, frequencies):
    """By how much the right answer leads the best wrong one in a clock with these frequencies."""
    # solution
    d = torch.arange(1, p)
    return sum(1 - torch.cos(2 * math.pi * k * d / p) for k in frequencies).min()
    # end of solution


# %%
course.check_margin(margin)

# %% [markdown]
# **Exercise 4.** Which three frequencies go together best? Find three of 1, ..., (p-1)/2 with the largest margin. For small p
# one can try them all.
#
# <details><summary>Hint</summary>
#
# `combinations(range(1, p // 2 + 1), 3)` are all choices, and `max(choices, key=...)` is the best by your margin.
#
# </details>


# %%
def best_three(p):
    """Three different frequencies of 1, ..., (p-1)/2 whose clock has the largest margin."""
    # solution
    d = torch.arange(1, p)
    lead = {k: 1 - torch.cos(2 * math.pi * k * d / p) for k in range(1, p // 2 + 1)}
    return max(combinations(lead, 3), key=lambda ks: sum(lead[k] for k in ks).min())
    # end of solution


# %%
course.check_best_three(best_three)

# %% [markdown]
# Trained networks do not search for the best frequencies. They keep those that were a little stronger in the random numbers
# they began with, until the margin is large enough.
#
# Is every network that adds on circles a clock? No: the next notebook has one that cannot multiply, and adds all the same.

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
# # Course, 5: the pizza, and why it differs
#
# A clock multiplies the coordinates of a with those of b. Some networks cannot: they only add up what they read of a and of b.
# Zhong et al. (2023, arXiv 2306.17844) found out how those add mod p nevertheless, and called it the **pizza**.

# %%
# Only on Colab, or where interp is not installed: take away the first # of the last line here,
# put in the name of the wheel of interp that you were given or uploaded, and run this cell.
# Otherwise leave it as it is: nothing in this notebook is fetched from anywhere.
# # %pip install interp-0.1.0-py3-none-any.whl

# %%
import math

import torch

import analyses
import interp
from interp import course

pizza, clock = interp.example("zhong-59-rate-0"), interp.example("zhong-59-rate-1")

# %% [markdown]
# ## Halfway
#
# Add the points of a and b on a circle, and take half: you are at the point **halfway** between them, which lies inside the
# circle. Its direction is halfway between the two angles, so *twice* that direction is the angle of a + b.
#
# **Exercise 1.** Compute the halfway point.
#
# <details><summary>Hint</summary>
#
# Number n stands at (cos(2πkn/p), sin(2πkn/p)). Take the mean of the two cosines, and the mean of the two sines.
#
# </details>


# %%
def halfway(a, b, k, p):
    """The point halfway between those of a and of b on the circle of frequency k, a pair (right, up)."""
    # solution
    x, y = 2 * math.pi * k * a / p, 2 * math.pi * k * b / p
    return (math.cos(x) + math.cos(y)) / 2, (math.sin(x) + math.sin(y)) / 2
    # end of solution


# %%
course.check_halfway(halfway)

# %% [markdown]
# Here is the network doing it. Halfway between two directions there are always two, one opposite the other, so each answer has
# a thin slice through the whole circle, from rim to rim. The circle is cut like a pizza.

# %%
analyses.one_pair(pizza, a=11, b=19).figure()

# %% [markdown]
# ## Where the pizza is weak
#
# If a and b lie opposite each other on the circle, the halfway point is the centre, which is in every slice: the pizza
# cannot tell. In general the halfway point is |cos(πk(a - b)/p)| away from the centre, and the pizza's score is as strong as
# that:
#
# > |cos(πk(a - b)/p)| · cos(2πk(a + b - c)/p)
#
# **Exercise 2.** Compute the scores of an ideal pizza with several frequencies.
#
# <details><summary>Hint</summary>
#
# As in notebook 4 all values of a + b - c are `n[:, None, None] + n[None, :, None] - n`. Those of a - b are
# `n[:, None] - n`, of shape [p, p]; with `[:, :, None]` behind they are multiplied into every answer.
#
# </details>


# %%
def pizza_logits(p, frequencies):
    """Scores [a, b, c] of an ideal pizza with these frequencies."""
    # solution
    n = torch.arange(p)
    total = torch.zeros(p, p, p)
    for k in frequencies:
        wave = torch.cos(2 * math.pi * k * (n[:, None, None] + n[None, :, None] - n) / p)
        total = total + torch.cos(math.pi * k * (n[:, None] - n) / p).abs()[:, :, None] * wave
    return total
    # end of solution


# %%
course.check_pizza_logits(pizza_logits)

# %% [markdown]
# ## The profile
#
# So this is how to tell the two apart: measure how strong the wave of a key frequency is for all pairs with the same distance
# d = a - b (mod p). A clock does not mind the distance; a pizza does. The strengths for d = 0, ..., p-1 are the **amplitude
# profile** of k.
#
# **Exercise 3.** Measure it. For one pair the strength is 2/p times the sum over c of the logits times
# cos(2πk(a + b - c)/p). Take the mean over the p pairs that have the distance d.
#
# <details><summary>Hint</summary>
#
# First a tensor `strengths[a, b]`. The pairs with the distance d are those with b = (a - d) mod p, so they are
# `strengths[n, (n - d) % p]` with `n = torch.arange(p)`.
#
# </details>


# %%
def profile(logits, k):
    """The strength of the wave of k in logits [a, b, c] for each distance d = (a - b) mod p: p numbers."""
    # solution
    p = len(logits)
    n = torch.arange(p)
    wave = torch.cos(2 * math.pi * k * (n[:, None, None] + n[None, :, None] - n) / p)
    strengths = 2 / p * (logits * wave).sum(-1)
    return torch.stack([strengths[n, (n - d) % p].mean() for d in range(p)])
    # end of solution


# %%
course.check_profile(profile)

# %% [markdown]
# These are the profiles of two trained networks, sorted so that every frequency shows one arch. First the pizza:

# %%
analyses.amplitude_profile(pizza).figure()

# %% [markdown]
# And the clock, which was trained from the same weights, but allowed to choose where to look:

# %%
analyses.amplitude_profile(clock).figure()

# %% [markdown]
# (There is a trick in these pictures. Many pizzas have a helper, a circle at twice the frequency, 2k, which is strong exactly
# where the pizza is weak. It makes a pizza look like a clock, and was taken out of the embedding first, as you took away
# circles in notebook 3. You will need that in the next notebook.)
#
# **Exercise 4.** Write a function that looks at a profile and says what it is, whatever its size, and in spite of noise.
#
# <details><summary>Hint</summary>
#
# How small is the smallest strength, compared with the largest? Or compare the profile, divided by its mean, with that of
# an ideal pizza, |cos(πkd/p)| divided by its mean.
#
# </details>


# %%
def clock_or_pizza(profile, k):
    """What a profile (p strengths, for d = 0, ..., p-1) at frequency k is: "clock" or "pizza"."""
    # solution
    p = len(profile)
    ideal = torch.cos(math.pi * k * torch.arange(p) / p).abs()
    measured, ideal = profile / profile.mean(), ideal / ideal.mean()
    return "clock" if (measured - 1).norm() < (measured - ideal).norm() else "pizza"
    # end of solution


# %%
course.check_clock_or_pizza(clock_or_pizza)

# %% [markdown]
# ## How much is explained?
#
# A story about a network is worth as much as it accounts for. The output are the logits, less their mean over c for each pair
# (adding the same to all scores changes no answer). Write down what clocks and pizzas at the key frequencies account for: each
# wave, as strong as its profile says,
#
# > Σ A_k(a - b) · cos(2πk(a + b - c)/p), the sum over the key frequencies k.
#
# Its sum of squares, over that of the output, is the **share of the output explained**. What is missing from 1 is not
# explained.
#
# **Exercise 5.** Compute it.
#
# <details><summary>Hint</summary>
#
# Nothing of size p³ has to be built: on the p² entries of one distance the squares of the wave sum to p²/2. So what is
# explained is p²/2 times the sum of the squares of all profiles.
#
# </details>


# %%
def share_explained(logits, frequencies):
    """The share of the output that clocks and pizzas at these frequencies explain, from 0 to 1."""
    # solution
    p = len(logits)
    n = torch.arange(p)
    centred = logits - logits.mean(-1, keepdim=True)
    explained = 0
    for k in frequencies:
        wave = torch.cos(2 * math.pi * k * (n[:, None, None] + n[None, :, None] - n) / p)
        strengths = 2 / p * (centred * wave).sum(-1)
        A = torch.stack([strengths[n, (n - d) % p].mean() for d in range(p)])
        explained += p**2 / 2 * A.square().sum()
    return explained / centred.square().sum()
    # end of solution


# %%
course.check_share_explained(share_explained)

# %% [markdown]
# For the two networks of this notebook the program says:

# %%
for name, network in (("pizza", pizza), ("clock", clock)):
    explained = analyses.clock_or_pizza(network).explained
    print(f"{name}: {explained:.1%} of the output is explained, {1 - explained:.1%} is not")

# %% [markdown]
# You have all the tools now. The last notebook has a network that nobody has shown you.

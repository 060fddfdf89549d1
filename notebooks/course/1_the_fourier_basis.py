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
# # Course, 1: the Fourier basis
#
# Networks that learn to add put the numbers on circles. Six notebooks take you to the point where you can open such a
# network and say how it adds. You need Python and the sine and cosine of school; nothing else.
#
# In each notebook there are exercises: a function whose body you write, then a check that says whether it is right, and
# if not, what is wrong. There is a hint to unfold, and a solution. An exercise that is not done yet does not stop the
# notebook.

# %%
# Only on Colab, or where interp is not installed: take away the first # of the last line here,
# put in the name of the wheel of interp that you were given or uploaded, and run this cell.
# Otherwise leave it as it is: nothing in this notebook is fetched from anywhere.
# # %pip install interp-0.1.0-py3-none-any.whl

# %%
import math

import plotly.graph_objects as go
import torch
from plotly.subplots import make_subplots

import analyses
import interp
from analyses.findings.drawing import finish
from interp import course, fourier

# %% [markdown]
# ## A week on a circle
#
# Number the days of the week from 0 (Sunday) to 6. Two days after Friday (5) is Sunday, 0: after 7 days the names begin
# again. We say that we count **mod 7**; in general mod p, with the numbers 0 to p-1.
#
# Put the seven days on a circle of radius 1, evenly. We start on the right and go against the hands of a clock, as is
# usual in mathematics. Number n then stands at n/7 of a full turn. Its place has two coordinates: how far right it is,
# the **cosine** of its angle, and how far up, the **sine**.
#
# The days need not go round once. They can go round twice, or three times; how often is called the **frequency**, k.
# Number n then stands at k·n/7 turns. In these pictures lines join the days from 0 to 6, in this order.

# %%
circles = make_subplots(1, 3, subplot_titles=[f"k = {k}" for k in (1, 2, 3)])
for k in (1, 2, 3):
    x, y = fourier.waves(k, 7)
    days = {"text": list(range(7)), "textposition": "top right", "mode": "lines+markers+text"}
    circles.add_scatter(x=x, y=y, **days, row=1, col=k)
    circles.update_xaxes(range=[-1.4, 1.4], row=1, col=k)
    circles.update_yaxes(range=[-1.4, 1.4], scaleanchor=f"x{k}", constrain="domain", row=1, col=k)
finish(circles, "The same seven places, in another order", "", showlegend=False, height=360)

# %% [markdown]
# **Exercise 1.** Where does number n stand? `math.cos` and `math.sin` take an angle in radians, of which a full turn has
# 2π.
#
# <details><summary>Hint</summary>
#
# Number n stands at k·n/p turns, which is the angle 2π·k·n/p.
#
# </details>


# %%
def point(n, k, p):
    """The place of number n, a pair (cosine, sine), where the numbers 0 to p-1 go round k times."""
    # solution
    angle = 2 * math.pi * k * n / p
    return math.cos(angle), math.sin(angle)
    # end of solution


# %%
course.check_point(point)

# %% [markdown]
# ## Waves
#
# Write down the cosines of all seven days, one after the other, and the sines: two lists of seven numbers for each k.
# Such a list goes up and down along the week, and is called a **wave**.
#
# There are only three different frequencies for seven numbers: going round four times is going round three times the
# other way, since 4/7 of a turn forwards and 3/7 backwards end in the same place. In general k goes from 1 to (p-1)/2,
# for an odd p.

# %%
lines = go.Figure()
for k in (1, 2, 3):
    lines.add_scatter(x=list(range(7)), y=fourier.waves(k, 7)[0], name=f"cosine, k = {k}")
lines.update_xaxes(title="day n").update_yaxes(title="cos(2πkn/7)")
finish(lines, "Three waves along the week", "", showlegend=True)

# %% [markdown]
# With the list that is the same everywhere these are seven lists of seven numbers: the constant, and a cosine and a sine
# for each of three frequencies. Their gift is that they do not get into each other's way: multiply two different ones day
# by day, add up the seven products, and you get 0. (Lists for which this is so are called *orthogonal*.)
#
# A list times itself gives the square of its **length**: 7 for the list of ones, and 3.5 for every wave, in general p and
# p/2. If we divide each list by its length, all give 1 with themselves, and we have an *orthonormal* basis, the
# **Fourier basis**.
#
# **Exercise 2.** Make it, for any odd p: a tensor with p rows. Row 0 is the constant, row 1 the cosine of k = 1, row 2 its
# sine, row 3 the cosine of k = 2, and so on. Each row has length 1.
#
# <details><summary>Hint</summary>
#
# `n = torch.arange(p)` are the numbers, and `torch.cos(2 * math.pi * k * n / p)` is a wave. Collect the rows in a list,
# and put them on each other with `torch.stack(rows)`. A wave has the length `math.sqrt(p / 2)`.
#
# </details>


# %%
def fourier_basis(p):
    """The Fourier basis of p numbers, p odd: a tensor with p rows of length 1 and p columns."""
    # solution
    n = torch.arange(p, dtype=torch.float64)
    rows = [torch.ones(p, dtype=torch.float64) / math.sqrt(p)]
    for k in range(1, (p - 1) // 2 + 1):
        rows.append(torch.cos(2 * math.pi * k * n / p) / math.sqrt(p / 2))
        rows.append(torch.sin(2 * math.pi * k * n / p) / math.sqrt(p / 2))
    return torch.stack(rows)
    # end of solution


# %%
course.check_fourier_basis(fourier_basis)

# %% [markdown]
# ## Taking a list apart
#
# A shop sells 3, 4, 6, 5, 2, 1 and 0 cakes from Sunday to Saturday. How much of each wave is in that? Because the waves
# do not disturb each other, the answer is simple: multiply the list by a row of the basis, number by number, and add up.
# That is the **coefficient** of this row. Seven numbers become seven other numbers, and nothing is lost: the list is the
# sum of all rows, each times its coefficient.
#
# **Exercise 3.** Compute all p coefficients of a list of p numbers.
#
# <details><summary>Hint</summary>
#
# Multiplying by every row and adding up is what `@` does: `basis @ values`. You may use your own basis, or
# `fourier.basis(p)`, which is the same.
#
# </details>


# %%
def coefficients(values):
    """How much of each row of the Fourier basis is in these p numbers (a tensor): p coefficients."""
    # solution
    return fourier.basis(len(values)) @ values.double()
    # end of solution


# %%
course.check_coefficients(coefficients)

# %% [markdown]
# ## At which frequency does it live?
#
# Cosine and sine of the same k belong together: which of the two a list has depends only on where one begins to count. So
# take the sum of the squares of both coefficients, which is called the **energy** at frequency k. The constant has no
# frequency and is left out. The **share** of a frequency is its energy over the sum of all energies.

# %%
cakes = torch.tensor([3.0, 4.0, 6.0, 5.0, 2.0, 1.0, 0.0])
shares = fourier.energy_shares(cakes[:, None])
week = make_subplots(1, 2, subplot_titles=["cakes sold", "share of each frequency"])
week.add_bar(x=["Su", "Mo", "Tu", "We", "Th", "Fr", "Sa"], y=cakes, row=1, col=1)
week.add_bar(x=["k = 1", "k = 2", "k = 3"], y=shares, row=1, col=2)
title = f"The week of this shop is nearly one slow wave: {shares[0]:.1%} of it"
finish(week, title, "", showlegend=False)

# %% [markdown]
# **Exercise 4.** Compute the shares of k = 1 to (p-1)/2.
#
# <details><summary>Hint</summary>
#
# With `c = coefficients(values)`, the cosines are `c[1::2]` and the sines are `c[2::2]`.
#
# </details>


# %%
def energy_shares(values):
    """The share of each frequency k = 1, ..., (p-1)/2 in these p numbers (a tensor); they sum to 1."""
    # solution
    c = fourier.basis(len(values)) @ values.double()
    energies = c[1::2] ** 2 + c[2::2] ** 2
    return energies / energies.sum()
    # end of solution


# %%
course.check_energy_shares(energy_shares)

# %% [markdown]
# ## What it is good for
#
# Here is a network that has learned to add mod 113. It keeps 128 numbers for each of the numbers 0 to 112, its
# *embedding*: 128 lists of length 113. Take all of them apart, and add up the energies.

# %%
analyses.embedding_spectrum(interp.example("quick-113")).figure()

# %% [markdown]
# Nearly all of it lies at five of the 56 frequencies. This network, whose weights began as random numbers, has put the
# numbers on circles. How it came to that is the next notebook; what it does with them are all the others.

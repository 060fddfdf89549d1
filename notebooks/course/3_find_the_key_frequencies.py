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
# # Course, 3: find the key frequencies
#
# A network that has learned to add has put the numbers on circles. On which ones? A circle that the numbers go round k times
# has the frequency k, and those that the network really uses are its **key frequencies**. You will find them in two places: in
# the network's embedding, where the numbers come in, and in its output.

# %%
# Only on Colab, or where interp is not installed: take away the first # of the last line here,
# put in the name of the wheel of interp that you were given or uploaded, and run this cell.
# Otherwise leave it as it is: nothing in this notebook is fetched from anywhere.
# # %pip install interp-0.1.0-py3-none-any.whl

# %%
import math

import plotly.graph_objects as go
import torch

import analyses
import interp
from analyses.findings.drawing import finish
from interp import course, fourier

network = interp.example("quick-113")
p, W_E, logits = network.p, network.embedding, network.logits
print(f"{network}: embedding {list(W_E.shape)}, logits {list(logits.shape)}")

# %% [markdown]
# ## Where the numbers come in
#
# The embedding `W_E` has a row for each of the 113 numbers, and 128 columns. Each column is a list of 113 numbers, which
# you can take apart into waves, as in notebook 1: `fourier.basis(p) @ W_E` does it for all columns at once, and has a row
# for the constant, then one for each cosine and each sine.
#
# **Exercise 1.** Which share of the embedding lies at which frequency? Add up the squares of cosine and sine over all
# columns; that is the energy of k. Divide by the sum for all k. The constant is left out.
#
# <details><summary>Hint</summary>
#
# The squares are `(fourier.basis(p) @ W_E.double()) ** 2`; `.sum(-1)` adds up over the columns. Of what remains the cosines
# are `[1::2]` and the sines `[2::2]`.
#
# </details>


# %%
def embedding_shares(W_E):
    """The share of each frequency k = 1, ..., (p-1)/2 in an embedding [number, column]; they sum to 1."""
    # solution
    squares = ((fourier.basis(len(W_E)) @ W_E.double()) ** 2).sum(-1)
    energies = squares[1::2] + squares[2::2]
    return energies / energies.sum()
    # end of solution


# %%
course.check_embedding_shares(embedding_shares)

# %% [markdown]
# For our network it looks like this, and in the planes of these frequencies there are indeed circles:

# %%
analyses.embedding_spectrum(network).figure()

# %%
analyses.circles(network).figure()

# %% [markdown]
# ## What comes out
#
# The output are the logits, `logits[a, b, c]`: the score of answer c for the pair (a, b). A network that works on the circle
# of frequency k writes the wave
#
# > cos(2πk(a + b - c)/p)
#
# into them, which is 1 where c is the right answer and less everywhere else. How strong is each of these waves? As in
# notebook 1: multiply the logits by the wave, add up, and divide. There are p³ terms, and a cosine's square is one half on
# average, so the strength is 2/p³ times the sum.
#
# **Exercise 2.** Measure the strength of the wave of frequency k.
#
# <details><summary>Hint</summary>
#
# With `n = torch.arange(p)` all values of a + b - c are `n[:, None, None] + n[None, :, None] - n`, a tensor of shape
# [p, p, p]. The mean of a product, times 2, is 2/p³ times its sum.
#
# </details>


# %%
def wave_strength(logits, k):
    """The strength of the wave cos(2πk(a + b - c)/p) in logits [a, b, c]: one number."""
    # solution
    p = len(logits)
    n = torch.arange(p)
    wave = torch.cos(2 * math.pi * k * (n[:, None, None] + n[None, :, None] - n) / p)
    return 2 * (logits * wave).mean()
    # end of solution


# %%
course.check_wave_strength(wave_strength)

# %% [markdown]
# **Exercise 3.** Find the key frequencies. A frequency counts as key if the strength of its wave is at least .05 of the size
# of the output, and as the size we take the root of the mean square: `logits.square().mean().sqrt()`.
#
# <details><summary>Hint</summary>
#
# Go through k = 1 to (p-1)/2, and keep those whose strength is large enough.
#
# </details>


# %%
def find_keys(logits):
    """The key frequencies of logits [a, b, c]: a list of k, in ascending order."""
    # solution
    p = len(logits)
    n = torch.arange(p)
    size, keys = logits.square().mean().sqrt(), []
    for k in range(1, p // 2 + 1):
        wave = torch.cos(2 * math.pi * k * (n[:, None, None] + n[None, :, None] - n) / p)
        if 2 * (logits * wave).mean() >= 0.05 * size:
            keys.append(k)
    return keys
    # end of solution


# %%
course.check_find_keys(find_keys)

# %% [markdown]
# The program measures the same, a little faster, and shows all strengths beside each other:

# %%
analyses.logit_spectrum(network).figure()

# %% [markdown]
# Compare this with the embedding above: there is a circle at 22 in the embedding, and no wave of 22 in the output. It is twice
# 11, and that is no accident; notebook 5 comes back to it. So **the embedding says where the numbers are, and only the output
# says what is used**.
#
# ## Does the network need it?
#
# That a wave is there does not prove that it matters. The proof is to take it away and to see what happens.
#
# **Exercise 4.** Take the circle of frequency k away from an embedding: subtract from each column what it has of the cosine
# and of the sine of k.
#
# <details><summary>Hint</summary>
#
# `B = fourier.rows(k, p)` are the two rows of the basis. What the columns have of them is `B @ W_E`, and as a part of the
# embedding that is `B.T @ (B @ W_E)`.
#
# </details>


# %%
def taken_away(W_E, k):
    """The embedding [number, column] without the circle of frequency k, all else as it was."""
    # solution
    B = fourier.rows(k, len(W_E))
    return W_E - B.T @ (B @ W_E.double())
    # end of solution


# %%
course.check_taken_away(taken_away)

# %% [markdown]
# And what does the network do then? Here is the share of all sums that it still gets right, without each of its key
# frequencies in turn, and without 20, which is none.

# %%
keys = analyses.key_frequencies(network).frequencies
without = {k: network.with_embedding(fourier.without(W_E, k)) for k in (*keys, 20)}
right = {f"k = {k}": analyses.performance(edited).accuracy for k, edited in without.items()}
finish(
    go.Figure(go.Bar(x=list(right), y=list(right.values()))),
    "Without a circle that it uses, the network is lost",
    "",
    yaxis={"title": "accuracy", "range": [0, 1.05]},
)

# %% [markdown]
# Each of the four key frequencies is needed, and a frequency that is not key can go without harm. How does the network
# add with its circles? There are two ways, the subject of the next two notebooks.

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
# # Course, 6: explain a network you have never seen
#
# This is what the others were for. You get a network of your own, decided by a number or a word that you choose (or that your
# teacher gives you), and say what it does: at which frequencies, with clocks or with pizzas, how much of its output that
# explains, and which of its circles it needs most.
#
# All that you wrote in notebooks 1 to 5 may be used here: copy it. All of the program may be used, too, but
# `analyses.clock_or_pizza(network)` says everything at once, so look at it last.

# %%
# Only on Colab, or where interp is not installed: take away the first # of the last line here,
# put in the name of the wheel of interp that you were given or uploaded, and run this cell.
# Otherwise leave it as it is: nothing in this notebook is fetched from anywhere.
# # %pip install interp-0.1.0-py3-none-any.whl

# %%
import math

import torch

import analyses
from interp import course, fourier

# %% [markdown]
# **Your network.** Change the number to one of your own; a word such as "ada" will do, too.

# %%
my_seed = 1

network = course.unseen(my_seed)
p, W_E, logits = network.p, network.embedding, network.logits
print(f"Network {my_seed!r}: {network}, {analyses.performance(network).accuracy:.1%} of all sums right")

# %% [markdown]
# Where do your numbers come from? Your network was made of one that comes with this project, in which all numbers were
# multiplied by a number u that your seed draws: where the old network saw u·a, yours sees a. Since u·a + u·b = u·(a + b), yours
# adds exactly as well, and each of its circles has another frequency.
#
# A first look: where are the numbers?

# %%
analyses.embedding_spectrum(network).figure()

# %% [markdown]
# **Exercise 1.** Which are its key frequencies? Mind that the embedding may have circles that the output does not use.
#
# <details><summary>Hint</summary>
#
# Notebook 3, exercises 2 and 3. `analyses.logit_spectrum(network).figure()` shows the strengths of all waves.
#
# </details>

# %%
# solution: my_frequencies
n = torch.arange(p)
turned = n[:, None, None] + n[None, :, None] - n


def strength(k):
    return 2 * (logits * torch.cos(2 * math.pi * k * turned / p)).mean()


size = logits.square().mean().sqrt()
my_frequencies = [k for k in range(1, p // 2 + 1) if strength(k) >= 0.05 * size]
# end of solution

# %%
course.check_my_frequencies(my_frequencies, my_seed)

# %% [markdown]
# **Exercise 2.** What is it at each of them: "clock", "pizza", or a "mixture" of the two? Write a dict, such as
# `{3: "clock", 8: "pizza"}`. A mixture's profile is the sum of a flat one and a pizza's, and each has at least a quarter of it.
#
# <details><summary>Hint</summary>
#
# Before you measure the profile of k, take the circle at 2k away, which may hide a pizza:
# `network.with_embedding(fourier.without(W_E, fourier.fold(2 * k, p)))` is the network without it, and `.logits` are its
# scores. Then find the two numbers u and v with which u + v·|cos(πkd/p)| comes closest to the profile:
# `torch.linalg.lstsq` does that. The pizza's share is v times the mean of |cos|, over the mean of the whole.
#
# </details>

# %%
# solution: my_circuits
my_circuits = {}
for k in my_frequencies:
    uncovered = network.with_embedding(fourier.without(W_E, fourier.fold(2 * k, p))).logits
    strengths = 2 / p * (uncovered * torch.cos(2 * math.pi * k * turned / p)).sum(-1)
    profile = torch.stack([strengths[n, (n - d) % p].mean() for d in range(p)])
    shapes = torch.stack([torch.ones(p), torch.cos(math.pi * k * n / p).abs()], dim=1)
    flat, arch = torch.linalg.lstsq(shapes, profile[:, None]).solution[:, 0]
    of_pizza = arch * shapes[:, 1].mean() / (flat + arch * shapes[:, 1].mean())
    my_circuits[k] = "clock" if of_pizza < 0.25 else "pizza" if of_pizza > 0.75 else "mixture"
    print(f"k = {k}: the pizza's share is {of_pizza:.2f}, a {my_circuits[k]}")
# end of solution

# %%
course.check_my_circuits(my_circuits, my_seed)

# %% [markdown]
# **Exercise 3.** Which share of the output do clocks and pizzas at these frequencies explain (to .01)? Of the network as it is,
# nothing taken away.
#
# <details><summary>Hint</summary>
#
# Notebook 5, exercise 5.
#
# </details>

# %%
# solution: my_share
centred = logits - logits.mean(-1, keepdim=True)
explained = 0
for k in my_frequencies:
    strengths = 2 / p * (centred * torch.cos(2 * math.pi * k * turned / p)).sum(-1)
    profile = torch.stack([strengths[n, (n - d) % p].mean() for d in range(p)])
    explained += p**2 / 2 * profile.square().sum()
my_share = float(explained / centred.square().sum())
# end of solution

# %%
course.check_my_share(my_share, my_seed)

# %% [markdown]
# **Exercise 4.** Which of its key frequencies does it need most? Take the circle of each away from the embedding, one at
# a time, and see how many sums are still right. Which one's absence does the most harm?
#
# <details><summary>Hint</summary>
#
# `network.with_embedding(fourier.without(W_E, k))` is the network without the circle of k, and
# `analyses.performance(...).accuracy` is the share of sums that are right.
#
# </details>

# %%
# solution: my_most_needed
without = {k: network.with_embedding(fourier.without(W_E, k)) for k in my_frequencies}
right = {k: analyses.performance(each).accuracy for k, each in without.items()}
my_most_needed = min(right, key=right.get)
# end of solution

# %%
course.check_my_most_needed(my_most_needed, my_seed)

# %% [markdown]
# ## What the program says
#
# Now look: `analyses.clock_or_pizza(network)` is the program's own verdict. The whole story of a network, with all evidence and
# with what is *not* explained, is a page: `interp-analyze model.pt --html page.html`.
#
# You can do this with any network that learned arithmetic, your own and other people's. Have fun.

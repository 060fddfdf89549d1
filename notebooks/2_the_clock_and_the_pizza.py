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
# # 2. The clock and the pizza
#
# Nanda et al. (2023, arXiv 2301.05217) opened a network that adds mod 113 and found a **clock**: it multiplies waves of
# `a` with waves of `b`, which adds their angles. Zhong et al. (2023, arXiv 2306.17844) found a second way, the
# **pizza**: average the points of `a` and `b` on their circle, and read which slice the mean lies in. They also gave
# two measures to tell the two apart.
#
# Here are one of each, from the same seed, so with the same initial weights. The only difference is the *attention
# rate* of the second paper: 1 is a transformer's usual attention, 0 is attention that looks at all tokens alike,
# whatever they are.

# %%
from pathlib import Path

from plotly.subplots import make_subplots

import analyses
import interp
from analyses.findings.drawing import finish
from analyses.tools.ablation import part
from analyses.tools.amplitudes import amplitudes
from analyses.tools.closed_form import mixture
from interp import fourier

checkpoints = Path("checkpoints") if Path("checkpoints").is_dir() else Path("../checkpoints")

pizza = interp.load(checkpoints / "zhong-59-rate-0.pt")
clock = interp.load(checkpoints / "zhong-59-rate-1.pt")
for circuit in (pizza, clock):
    accuracy, keys = analyses.performance(circuit).accuracy, analyses.key_frequencies(circuit).frequencies
    print(f"{circuit.network.describe()}: accuracy {accuracy}, key frequencies {keys}")
    assert accuracy == 1 and keys == (21, 24, 29)

# %% [markdown]
# Both are right on every pair, and at the same three frequencies. From outside they cannot be told apart.
#
# ## The paper's two measures
#
# **Gradient symmetry.** A pizza sees `a` and `b` through their mean only, so a logit changes in the same way whether
# one moves the embedding of `a` or that of `b`: the cosine of the two gradients is near 1. A clock multiplies: what
# moving `a` does depends on where `b` is.
#
# **Distance irrelevance.** In a pizza the right answer's logit depends on how far apart `a` and `b` are. The measure is
# the share of its spread that remains among pairs with the same distance: near 0 for a pizza, near 1 for a clock.

# %%
for name, circuit in (("rate 0", pizza), ("rate 1", clock)):
    symmetry, distance = analyses.gradient_symmetry(circuit), analyses.distance_irrelevance(circuit)
    criterion = analyses.clock_or_pizza(circuit).published_criterion
    print(f"{name}: gradient symmetry {symmetry.mean:.3f}, distance irrelevance {distance.correct:.3f}: {criterion}")

assert analyses.clock_or_pizza(pizza).published_criterion == "pizza"
assert analyses.clock_or_pizza(clock).published_criterion == "clock"

# %% [markdown]
# ## Side by side, frequency by frequency
#
# Each of the two measures is one number for the whole network. A finer look: how strong is the wave of each key
# frequency in the output, as the distance `a - b` grows from 0 once round the circle? A clock is flat, a pizza follows
# |cos|: two points that lie opposite (in the middle) average to nothing.

# %%
both = make_subplots(1, 2, subplot_titles=["attention rate 0", "attention rate 1"], shared_yaxes=True)
for column, circuit in enumerate((pizza, clock), start=1):
    both.add_traces(analyses.amplitude_profile(circuit).figure().data, rows=1, cols=column)
both.update_xaxes(title="distance a - b times k, in turns").update_yaxes(title="amplitude, of its largest", col=1)
finish(
    both, "The same three frequencies, two circuits", "The grey lines are an ideal pizza and an ideal clock.", showlegend=False
)

# %%
for circuit, expected in ((pizza, "pizza"), (clock, "clock")):
    profiles = analyses.amplitude_profile(circuit).profiles
    print({each.k: f"{each.verdict}, coordinate {each.coordinate:.2f}" for each in profiles})
    assert all(each.verdict == expected for each in profiles)

# %% [markdown]
# Such a curve is written as the best mixture of the two ideal ones. Its *coordinate* is the pizza's share: 0 is a clock, 1 a
# pizza. A frequency within .25 of 0 is called a clock, within .25 of 1 a pizza, and a mixture between.
#
# ## The pizza hides
#
# One step was left out: before it measures the curve of frequency k, `amplitude_profile` switches the circle at **2k** off in
# the embedding. What if it did not?

# %%
for k in analyses.key_frequencies(pizza).frequencies:
    doubled = fourier.fold(2 * k, pizza.p)
    without = pizza.with_embedding(fourier.without(pizza.embedding, doubled))
    as_it_is, uncovered = (mixture(amplitudes(circuit, k), k).coordinate for circuit in (pizza, without))
    print(f"k = {k}: coordinate {as_it_is:.2f} as it is, {uncovered:.2f} without {doubled}")
    assert as_it_is < 0.25 and uncovered > 0.75

# %% [markdown]
# As it stands, the purest pizza there is passes for a clock! Look at its embedding: there are circles at twice the key
# frequencies, 2·21 = 42 ≡ 17, 2·24 = 48 ≡ 11 and 2·29 = 58 ≡ 1 (k and 59 - k are the same frequency).

# %%
print("in the embedding, but not in the output:", analyses.key_frequencies(pizza).accompanying)
assert set(analyses.key_frequencies(pizza).accompanying) == {fourier.fold(2 * k, 59) for k in (21, 24, 29)}
analyses.embedding_spectrum(pizza)

# %% [markdown]
# On the circle at 2k the points of `a` and `b` add up to 2 cos(w(a - b)) times the point of a + b on the circle of k,
# with w = 2πk/p. The network takes that away from its pizza, and |cos(w(a - b)/2)| - ½ cos(w(a - b)) is nearly flat:
# the circle at 2k *helps where the pizza is weak*. Useful for the network, and it hides what goes on from everyone who
# only looks at the logits.
#
# ## Where is the clock's multiplication?
#
# ReLU neurons can multiply, but attention can too: it weighs `a` and `b` by how they compare. Freeze it: replace each
# head's attention by its mean over all pairs, so that it is there but cannot depend on the numbers.


# %%
def frozen(pattern):
    return pattern.mean((0, 1), keepdim=True).expand_as(pattern)


stopped = clock.with_activation("blocks.0.attn.hook_pattern", frozen)
for name, circuit in (("as it is", clock), ("attention frozen", stopped)):
    print(f"{name}: accuracy {analyses.performance(circuit).accuracy:.3f}")
assert [each.verdict for each in analyses.amplitude_profile(stopped).profiles] == ["pizza"] * 3
analyses.amplitude_profile(stopped)

# %% [markdown]
# A clock whose attention is stopped is a pizza. It is a poor one, right on about half of all pairs, for nothing ever
# trained it to be one; but all three curves follow |cos|. So the attention, which depends on the numbers, is what makes
# a clock of it, and at attention rate 0 there is none that could.
#
# ## The published clock
#
# This is the network of Nanda et al., retrained from their seed: their key frequencies, 14, 35, 41, 42 and 52.

# %%
nanda = interp.load(checkpoints / "nanda-113.pt")
verdict = analyses.clock_or_pizza(nanda)
verdict

# %%
print("published criterion:", verdict.published_criterion)
print("frequency by frequency:", verdict.verdict, "-", verdict.reason)
assert verdict.published_criterion == "clock" and verdict.verdict == "hybrid"
assert dict(verdict.frequencies) == {14: "clock", 35: "mixture", 41: "pizza", 42: "clock", 52: "clock"}

# %%
analyses.amplitude_profile(nanda)

# %% [markdown]
# By the published criterion it is a clock. Frequency by frequency it is a **hybrid**: 14, 42 and 52 are clocks, 41 is a
# pizza, and 35 is a mixture of both.
#
# ### Why the average does not show it
#
# Distance irrelevance is one number for the sum of five waves. Take the logits apart and measure it on each wave alone;
# and beside it, how strong that wave is, and its coordinate with and without 2k.

# %%
p, keys = nanda.p, analyses.key_frequencies(nanda).frequencies
coordinates = {each.k: each.coordinate for each in analyses.amplitude_profile(nanda).profiles}
over_c = nanda.centred_logits.flatten(0, 1).T  # [c, pair]
alone = {k: analyses.distance_irrelevance(interp.from_logits(part(over_c, [k]).T.unflatten(0, (p, p)))).correct for k in keys}

print(f"all together: distance irrelevance {verdict.distance_irrelevance:.3f} (a pizza is below .6)")
for k in keys:
    A = amplitudes(nanda, k)
    print(
        f"k = {k}: distance irrelevance {alone[k]:.3f}, mean amplitude {A.mean():4.1f}, "
        f"coordinate {mixture(A, k).coordinate:.2f} as it is, {coordinates[k]:.2f} without {fourier.fold(2 * k, p)}"
    )

assert min(alone, key=alone.get) == 41 and alone[41] < 0.6 < min(alone[k] for k in keys if k != 41)

# %% [markdown]
# - Alone, 41 is on the pizza's side of the published cut-off, and no other frequency is. It is one of five, and the two
#   strongest, 42 and 52, are clocks: the average is theirs.
# - 41 is disguised too: as it is, its amplitude hardly varies. The circle at 2·41 = 82 ≡ 31 sees to that: it is in the
#   embedding, and the output does not use it.

# %%
print("in the embedding only:", analyses.key_frequencies(nanda).accompanying)
assert analyses.key_frequencies(nanda).accompanying == (31,)

# %% [markdown]
# The cut-offs are a convention. That is why the coordinate is always shown beside the label, with its range: the least and
# the most of it on ten parts of the pairs.
#
# ## Try
#
# 1. Freeze the attention of `nanda`. Which of its frequencies changes its verdict, which does not?
# 2. 35 is a mixture. What happens to its coordinate if the circle at 70 ≡ 43 is left in?
# 3. `analyses.one_pair(nanda, a=17, b=30)` shows a pizza's dial among clocks'. Find two numbers where the pizza's hand
#    is short.

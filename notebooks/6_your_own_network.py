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
# # 6. Your own network: any torch module
#
# interp knows the architectures of a few papers. Yours need not be one of them: every measurement works on any
# `torch.nn.Module`, which is run by its own `forward`, with hooks on its parts. Here is one that no paper has: no attention,
# LayerNorm in front of the neurons and in front of the output, and gated neurons.

# %%
import torch
from torch import nn
from torch.nn.functional import cross_entropy, silu

import analyses
import interp
from interp import fourier

torch.set_num_threads(1)
torch.manual_seed(0)
p = 59


class Mine(nn.Module):
    def __init__(self, d=32, width=64):
        super().__init__()
        self.embed, self.norm_in, self.norm_out = nn.Embedding(p, d), nn.LayerNorm(d), nn.LayerNorm(d)
        self.gate, self.up, self.down = nn.Linear(d, width), nn.Linear(d, width), nn.Linear(width, d)
        self.head = nn.Linear(d, p)

    def forward(self, pairs):
        x = self.embed(pairs).sum(1)
        h = self.norm_in(x)
        return self.head(self.norm_out(x + self.down(silu(self.gate(h)) * self.up(h))))


# %% [markdown]
# Ten seconds of training on 70% of all pairs:

# %%
mine = Mine()
pairs = torch.cartesian_prod(torch.arange(p), torch.arange(p))
answers, trained = pairs.sum(1) % p, torch.randperm(p * p)[: int(0.7 * p * p)]
optimizer = torch.optim.AdamW(mine.parameters(), lr=1e-3, weight_decay=0.5, betas=(0.9, 0.98))
for _ in range(2000):
    optimizer.zero_grad()
    loss = cross_entropy(mine(pairs[trained]), answers[trained])
    loss.backward()
    optimizer.step()
print(f"loss on what it was trained on: {loss.item():.1g}")

# %% [markdown]
# ## One line
#
# What the module reads for a pair, where it holds the vectors of a and b, and which of its activations are neurons is found
# by running it, and said. What leaves a doubt is asked for: `tokens=`, `embedding=`, `neurons=`, `attention=`, `unembedding=`
# name it ([anyone's checkpoint](../docs/formats.md)).

# %%
circuit = interp.from_module(mine)
print(*circuit.notes, sep="\n")
assert circuit.notes[1:3] == ("embedding embed", "neurons down:input (gated silu)")

# %% [markdown]
# It took the product of the two branches for the neurons: what goes into `down`. From here on it is a circuit as any other.

# %%
keys = analyses.key_frequencies(circuit)
print(analyses.performance(circuit).accuracy, "of all pairs right, key frequencies", keys.frequencies)
assert analyses.performance(circuit).accuracy > 0.99
keys.figure()

# %% [markdown]
# ## Edits
#
# Activations go by the dotted names of the module's parts; `NAME:input` is what a part is given. Take what the neurons have at
# one frequency away, and what they write at it is gone:


# %%
def without(k):
    def edit(neurons, hook):  # TransformerLens's signature; the activation alone will do, too
        flat = neurons[:, :, -1].double().flatten(1)  # [a, b·neuron]
        return fourier.without(flat, k).reshape(neurons.shape).to(neurons.dtype)

    return edit


strongest = max(zip(keys.strengths, keys.frequencies, strict=True))[1]
edited = circuit.with_activation("down:input", without(strongest))
before, after = (dict(zip(keys.frequencies, each, strict=True)) for each in (
    keys.strengths,
    [analyses.logit_spectrum(edited).clock_terms[k - 1] for k in keys.frequencies],
))  # fmt: skip
for k in keys.frequencies:
    print(f"k = {k}: clock term {before[k]:.3f}, with the neurons' waves of a at {strongest} taken out {after[k]:.3f}")
assert after[strongest] < before[strongest] / 10

# %% [markdown]
# ## Behind a normalisation W_L is a mean
#
# What a neuron adds to a logit is divided by the size of the stream of that pair. interp takes the mean of this map over
# pairs, and beside it every pair's *gain*: by how much more than on average this pair's division leaves. Spectra of W_L hold
# as they are: a factor per pair changes no frequency. What puts other values into the neurons holds every pair's gain.

# %%
stream = circuit.activation("norm_out:input")[:, :, -1]
scales = 1 / stream.std(-1, correction=0)
gain = circuit.network.gain()
print(f"gain: 1 ± {gain.std():.3f}")
assert (gain - scales / scales.mean()).abs().max() < 1e-2

# %% [markdown]
# ## Is it a clock or a pizza?

# %%
profile = analyses.amplitude_profile(circuit)
print(analyses.clock_or_pizza(circuit).verdict)
profile.figure()

# %% [markdown]
# No clock, at any rate: this network reads the sum of two vectors and cannot tell a + b from b + a. Most of its frequencies
# are pizzas. Some fade faster with the distance of a and b than any pizza does, and interp does not call them one: the whole is
# undecided. Two things are different here from the networks that the two names were made for. Gates multiply, where a
# pizza's neurons take an absolute value; and the normalisation divides every pair's logits by a size of its own, which bends
# the profiles.
#
# ## Try
#
# 1. Replace `silu` by `nn.functional.relu`, or take the gate out. Is it a pizza now?
# 2. Replace `.sum(1)` by an `nn.LSTM`; name its output as `neurons`.
# 3. Save `mine.state_dict()`, put the class into a file with a function `build`, and ask from the shell:
#    `interp-analyze mine.pt --module file.py:build`.

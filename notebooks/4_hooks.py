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
# # 4. Hooks: the same network in TransformerLens
#
# interp runs its networks with a few plain functions. Many people know TransformerLens, with its caches, hooks and
# patching. Here is the network of Nanda et al. (2023, arXiv 2301.05217) in both, and each of interp's numbers that is
# used is checked against TransformerLens's.

# %%
from pathlib import Path

import plotly.graph_objects as go
import torch

import analyses
import interp
from analyses.findings.drawing import finish
from analyses.tools.ablation import part
from interp import fourier
from interp.networks.lens import to_transformer_lens, tokens

checkpoints = Path("checkpoints") if Path("checkpoints").is_dir() else Path("../checkpoints")
circuit = interp.load(checkpoints / "nanda-113.pt")
p, keys = circuit.p, analyses.key_frequencies(circuit).frequencies
answers = circuit.answers.flatten()

torch.set_grad_enabled(False)
model = to_transformer_lens(circuit.network)
pairs = tokens(circuit.network.config)
print(f"key frequencies {keys}; {len(pairs)} rows of tokens (a, b, '='), the last one {pairs[-1].tolist()}")

# %% [markdown]
# ## The same numbers
#
# `run_with_cache` on all pairs. A full cache of all of them takes a gigabyte; `names_filter` keeps what we need.

# %%
names = ["hook_resid_pre", "attn.hook_pattern", "hook_attn_out", "mlp.hook_post", "hook_mlp_out"]
logits, cache = model.run_with_cache(pairs, names_filter=[f"blocks.0.{name}" for name in names])
logits = logits[:, -1, :p]  # the answer is read at the last position; '=' is no answer

differences = {
    "logits": logits.view(p, p, p) - circuit.logits,
    "attention pattern": cache["blocks.0.attn.hook_pattern"][:, :, -1].view(p, p, 4, 3) - circuit.pattern,
    "neurons": cache["blocks.0.mlp.hook_post"][:, -1].view(p, p, 512) - circuit.neurons,
    "neuron-logit map": model.W_out[0] @ model.W_U[:, :p] - circuit.neuron_logit_map,
}
for name, difference in differences.items():
    print(f"{name}: largest difference {difference.abs().max():.1g}")
    assert difference.abs().max() < 1e-4

# %% [markdown]
# Equal, to the rounding of float32. So whatever is measured on the one holds for the other.
#
# ## Patching: where does the answer travel?
#
# Run the network on one pair, and put in an activation of *another* pair, at the last position only. Whose sum does it
# answer? Each pair gets a partner by lot.

# %%
partner = torch.randperm(p * p, generator=torch.Generator().manual_seed(0))


def from_partner(activation, hook):
    patched = activation.clone()
    patched[:, -1] = cache[hook.name][partner, -1]
    return patched


for name in ("hook_resid_pre", "hook_attn_out", "hook_mlp_out"):
    patched = model.run_with_hooks(pairs, fwd_hooks=[(f"blocks.0.{name}", from_partner)])[:, -1, :p].argmax(-1)
    own, other = (patched == answers).double().mean(), (patched == answers[partner]).double().mean()
    print(f"{name}: answers its own sum on {own:.3f} of all pairs, its partner's on {other:.3f}")
    if name != "hook_resid_pre":
        assert other == 1

# %% [markdown]
# What stands at '=' before attention says nothing. What attention brings says all, and what the neurons make of it says
# all: the sum takes the road tokens → attention → neurons → logits. (The few hits left are pairs that have the same sum
# as their partner: about 1 in 113.)
#
# ## Turning the hands
#
# If the network adds angles, then turning `a`'s hands by the angle of Δ must give the answer a + b + Δ. So replace the
# key-frequency part of the embedding of `a` by that of `a + Δ`, and leave everything else of `a` as it is.

# %%
hands = part(circuit.embedding, keys)


def turned(delta, hands=hands):
    def turn(embedding, hook):
        a = pairs[:, 0]
        moved = embedding.clone()
        moved[:, 0] += hands[(a + delta) % p] - hands[a]
        return moved

    return model.run_with_hooks(pairs, fwd_hooks=[("hook_embed", turn)])[:, -1, :p].argmax(-1)


for delta in (1, 10, 56):
    share = (turned(delta) == (answers + delta) % p).double().mean()
    print(f"hands turned by {delta}: the answer moves by {delta} on {share:.4f} of all pairs")
    assert share > 0.999

# %% [markdown]
# The answer follows. Two controls: turn what lies at five *other* frequencies, and turn one hand alone.

# %%
others = part(circuit.embedding, [3, 11, 22, 37, 50])
one_hand = part(circuit.embedding, [42])
stays = (turned(10, others) == answers).double().mean()
moves = (turned(10, one_hand) == (answers + 10) % p).double().mean()
print(f"other frequencies turned: the answer stays on {stays:.4f} of all pairs")
print(f"the hand of 42 alone turned by 10: the answer moves by 10 on {moves:.4f}")
assert stays > 0.999
assert moves < 0.2

# %% [markdown]
# No hand can do it alone: the others hold the answer where it was. interp's own measurement does the same for many Δ,
# beside random frequencies *as large* as the key ones.

# %%
causal = analyses.causal(circuit)
turn = causal.effect("embedding", "turn")
print(f"interp: the answer moves by Δ on {turn.value:.4f}; random frequencies as large: at most {turn.as_large.most:.4f}")
assert turn.value > 0.999
causal

# %% [markdown]
# ## What do the heads carry?
#
# A head reads tokens and writes `W_E W_V W_O` to the residual stream: its OV circuit, applied to each number. As a
# function of the number it has a Fourier spectrum.

# %%
OV = model.OV[0].AB  # [head, d_model, d_model]
shares = torch.stack([fourier.energy_shares(model.W_E[:p] @ each) for each in OV])

spectrum = go.Figure()
for head, share in enumerate(shares):
    print(f"head {head}: {share[[k - 1 for k in keys]].sum():.3f} of what it carries lies at the key frequencies")
    spectrum.add_bar(x=[f"k = {k}" for k in keys], y=[share[k - 1].item() for k in keys], name=f"head {head}")
assert (shares[:, [k - 1 for k in keys]].sum(1) > 0.95).all()
assert all(set(share.topk(5).indices.add(1).tolist()) == set(keys) for share in shares)
finish(spectrum, "What each head carries", "Of the rest, every frequency has less.", yaxis_title="share of its energy")

# %% [markdown]
# All four heads carry the key frequencies and hardly anything else. Heads have their preferences: the largest bar of
# head 1 is at 42, that of head 2 at 52. Their attention agrees: it is what goes by waves at those frequencies.

# %%
pattern = analyses.attention_pattern(circuit)
assert [shares[head].argmax().item() + 1 for head in range(4)] == list(pattern.best_frequencies)
pattern.table()

# %% [markdown]
# ## Freezing the attention
#
# Last, an edit of an activation, made here and there: each head's attention replaced by its mean over all pairs.

# %%
mean = cache["blocks.0.attn.hook_pattern"].mean(0)


def frozen(pattern, hook):
    return mean.expand_as(pattern)


there = model.run_with_hooks(pairs, fwd_hooks=[("blocks.0.attn.hook_pattern", frozen)])[:, -1, :p].view(p, p, p)
here = circuit.with_activation("blocks.0.attn.hook_pattern", lambda each: each.mean((0, 1), keepdim=True).expand_as(each))

print(f"largest difference {(there - here.logits).abs().max():.1g}")
print(f"accuracy {analyses.performance(here).accuracy:.3f}, and it was {analyses.performance(circuit).accuracy:.3f}")
assert (there - here.logits).abs().max() < 1e-4
for each in analyses.amplitude_profile(here).profiles:
    print(f"k = {each.k}: {each.verdict}")

# %% [markdown]
# The same numbers once more. Most sums are still right: with its attention frozen the network goes on as a pizza, if
# not quite at 14 ([notebook 2](2_the_clock_and_the_pizza.ipynb) does the same to a pure clock).
#
# ## Traps, as of TransformerLens 4
#
# - Edits of `hook_pattern` take effect. Edits of `hook_attn_scores` are dropped, with a warning: use the pattern.
# - Call `model.eval()` on models that you make yourself; `to_transformer_lens` has done so.
# - An attention rate below 1 is a permanent hook: `reset_hooks(including_permanent=True)` would take it off.
#
# ## Try
#
# 1. Turn the hands of `b` instead of `a`. Turn both.
# 2. Freeze one head at a time. Which frequency's verdict does each head decide?
# 3. Take the circle at 31 out (`fourier.without(circuit.embedding, 31)`, `circuit.with_embedding`). What does it cost?

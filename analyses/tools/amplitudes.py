"""How strongly is the output at a frequency driven, as a function of the distance a - b of the inputs?"""

from collections.abc import Sequence

import torch
from jaxtyping import Complex, Float
from torch import Tensor

from analyses.tools.logit_sums import logit_sums
from analyses.tools.pairs import by_distance, sums
from interp import fourier
from interp.by_rows import logits_by_rows, projected_logits
from interp.circuit import Circuit
from interp.memory import whole


def explained_share(circuit: Circuit, keys: Sequence[int]) -> float:
    """The share of the centred logits' variance on Σ_k A_k(a-b) cos w_k(a+b-c), k of ``keys``, [0, 1]; 0 where the logits do
    not depend on c."""
    p, variance = circuit.p, logit_sums(circuit).square
    outputs_at(circuit, keys)
    # On each distance d the p² entries of cos w_k(a+b-c) have squares that sum to p²/2, and to p² at k = p/2.
    on_profiles = sum(amplitudes(circuit, k).square().sum().item() * p * p / (1 if 2 * k == p else 2) for k in keys)
    return on_profiles / variance if variance else 0.0


def amplitudes(circuit: Circuit, k: int) -> Float[Tensor, " d"]:
    """A_k(d), the amplitude of cos w_k(a+b-c) in the logits of pairs with a - b = d mod p, d = 0..p-1, in logits.

    Nothing is removed from the network first: a circle at 2k may hide a pizza at k (see amplitude_profile).
    """
    return along_the_sum(output_at(circuit, k), k).mean(-1)


def output_at(circuit: Circuit, k: int) -> Complex[Tensor, "a b"]:
    """What the logits hold at frequency k of c, see ``at_frequency``."""
    return outputs_at(circuit, [k])[0]


def outputs_at(circuit: Circuit, keys: Sequence[int], *, keep: bool = True) -> list[Complex[Tensor, "a b"]]:
    """What the logits hold at each of these frequencies of c, see ``at_frequency``; of all in one pass over the pairs.

    ``keep``: will more be asked of this circuit's logits?
    """
    kept: dict[int, Complex[Tensor, "a b"]] = circuit.remember("output at frequencies", dict)
    if unknown := [k for k in keys if k not in kept]:
        if keep:
            found = all_outputs(circuit, unknown)
        else:
            found = _as_complex(projected_logits(circuit, _waves_of_c(unknown, circuit.p)))
        kept |= dict(zip(unknown, found.unbind(-1), strict=True))
    return [kept[k] for k in keys]


def all_outputs(circuit: Circuit, keys: Sequence[int]) -> Complex[Tensor, "a b key"]:
    """What the logits hold at each of these frequencies of c, see ``at_frequency``; not remembered."""
    waves = _waves_of_c(keys, circuit.p)
    return _as_complex(whole(circuit.p, ({"all": logits.double() @ waves} for logits in logits_by_rows(circuit)))["all"])


def at_frequency(logits: Float[Tensor, "a b c"], k: int) -> Complex[Tensor, "a b"]:
    """What logits hold at frequency k of c: z(a, b), which stands for Re z e^{-i w_k c}. Float64."""
    return _as_complex(logits.double() @ _waves_of_c([k], logits.shape[-1]))[..., 0]


def _as_complex(written: Float[Tensor, "a b two_per_key"]) -> Complex[Tensor, "a b key"]:
    return torch.view_as_complex(written.unflatten(-1, (-1, 2)))


def _waves_of_c(keys: Sequence[int], p: int) -> Float[Tensor, "c two_per_key"]:
    return torch.cat([fourier.waves(k, p).T * (1 if 2 * k == p else 2) / p for k in keys], dim=1)


def along_the_sum(z: Complex[Tensor, "a b"], k: int) -> Float[Tensor, "d a"]:
    """The amplitude of cos w_k(a+b-c) in what z stands for: one row per distance d = a - b, one column per a."""
    return by_distance((z * turned_by_the_sum(k, len(z)).conj()).real)


def turned_by_the_sum(k: int, p: int) -> Complex[Tensor, "a b"]:
    """e^{i w_k (a+b)} for every pair, which stands for cos w_k(a+b-c)."""
    return torch.complex(*fourier.waves(k, p))[sums(p)]

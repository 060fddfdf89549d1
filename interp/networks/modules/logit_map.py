"""What does each neuron of a module add to each logit? The derivative of the logits, at fixed sizes of the normalisations."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn

from interp.networks.modules.inputs import Reading, at_last_position
from interp.networks.modules.parts import INPUT, ROOT, Parts, tensor_in

PAIRS = 512
"""Largest number of pairs that a map is the mean over; spread evenly over all pairs."""
AT_ONCE = 64
"""Number of pairs whose derivatives are held at once."""
NOISE = 5e-3
"""Variation up to which a map counts as the same for all pairs: what rounding to float32 makes is less."""


@dataclass(frozen=True, eq=False)
class LogitMap:
    """What a unit of each neuron adds to each logit: on a pair, its gain times the mean over all pairs."""

    mean: Float[Tensor, "neuron p"]
    gain: Float[Tensor, "a b"] | None
    """None where it is 1 on every pair."""
    variation: float
    """Root mean square of what a pair's own map differs by from its gain times the mean, as a share of it; 0 up to ``NOISE``.

    A number that is added to all logits alike does not count.
    """
    elsewhere: float
    """Share of the squares of all derivatives that belongs to neurons at other positions than the last, [0, 1]."""


@dataclass(frozen=True, eq=False)
class Normalization:
    """A part that divides a vector by its size: output = weight · (x - centre) / size + bias."""

    is_centred: bool
    """Is the mean of the vector taken off first, as LayerNorm does?"""
    weight: Float[Tensor, " d"]
    bias: Float[Tensor, " d"]

    def at_fixed_size(self, given: Float[Tensor, "*batch d"], gave: Float[Tensor, "*batch d"]) -> Float[Tensor, "*batch d"]:
        """The output again, as a linear function of the input: the size it is divided by counts as a constant."""
        weight, bias = self.weight.to(given), self.bias.to(given)
        x = given - given.mean(-1, keepdim=True) if self.is_centred else given
        whole = weight * x
        with torch.no_grad():
            scale = ((gave - bias) * whole).sum(-1, keepdim=True) / whole.square().sum(-1, keepdim=True).clamp_min(1e-30)
        return whole * scale + bias


def find_normalizations(parts: Parts, seen: Mapping[str, Tensor]) -> dict[str, Normalization]:
    """The parts of a module, run once each, that normalise: recognised by what they give, whatever they are called."""
    found = {}
    for name in parts.first_names:
        if name != ROOT and name in seen and f"{name}{INPUT}" in seen and f"{name}:2" not in seen:
            given, gave = seen[f"{name}{INPUT}"], seen[name]
            if given.shape == gave.shape and given.dim() >= 2 and given.shape[-1] > 1 and not torch.equal(given, gave):
                tried = [(is_centred, epsilon) for is_centred in (False, True) for epsilon in _epsilons(parts.by_name[name])]
                norms = (_fitted(given, gave, *each) for each in tried)
                if (norm := next((each for each in norms if each is not None), None)) is not None:
                    found[name] = norm
    return found


def _fitted(given: Tensor, gave: Tensor, is_centred: bool, epsilon: float) -> Normalization | None:
    """The normalisation that gives this for that, with a number added under the root of the size; None where none does."""
    x, y = given.flatten(0, -2).double(), gave.flatten(0, -2).double()
    x = x - x.mean(-1, keepdim=True) if is_centred else x
    unit = x / (x.square().mean(-1, keepdim=True) + epsilon).sqrt().clamp_min(1e-30)
    # Per feature, the line y = weight · unit + bias of least squares; bias 0 where the feature does not vary.
    mean = unit.mean(0)
    spread = unit - mean
    varies = spread.square().sum(0) > 1e-12 * len(unit)
    slope = (spread * y).sum(0) / spread.square().sum(0).clamp_min(1e-30)
    weight = torch.where(varies, slope, y.mean(0) / torch.where(mean == 0, 1.0, mean))
    norm = Normalization(is_centred, weight, torch.where(varies, y.mean(0) - weight * mean, 0.0))
    error = (norm.at_fixed_size(x, y) - y).abs().max()
    return norm if error <= 1e-4 * y.abs().max() else None


def _epsilons(part: nn.Module) -> list[float]:
    """Numbers that a part may add under the root of a size: small ones that it holds, and none."""
    return [*{x for x in vars(part).values() if isinstance(x, float) and 0 < x < 0.1}, 0.0]


def measure_logit_map(
    parts: Parts, reading: Reading, neurons: str, *, axis: int, normalizations: Mapping[str, Normalization]
) -> LogitMap:
    """The map from neurons to logits, by differentiation on up to ``PAIRS`` pairs, and its gain on all.

    ``axis``: the axis of the neurons' activation along which the pairs are. Exact where the way from the neurons to the logits
    is linear but for the normalisations that are known.
    """
    p = reading.p
    some = torch.linspace(0, p * p - 1, min(p * p, PAIRS)).long()
    maps, last, elsewhere = list[Tensor](), list[Tensor](), 0.0
    for rows in some.split(AT_ONCE):
        value, logits = _from_neurons(parts, reading, neurons, rows, normalizations)
        found = [_derivative(logits[:, c], value, axis) for c in range(p)]
        J = torch.stack(found, -1)
        centred = J - J.mean(-1, keepdim=True)
        maps.append(J[:, -1].sum(0))
        last.append(centred[:, -1].square().sum((1, 2)))
        elsewhere += centred[:, :-1].square().sum().item()
    mean, squares = torch.stack(maps).sum(0) / len(some), torch.cat(last)
    size = (mean - mean.mean(-1, keepdim=True)).square().sum()
    gain = _gain(parts, reading, neurons, axis=axis, normalizations=normalizations, mean=mean)
    rest = (squares - gain[some].square() * size).mean().clamp_min(0)
    variation = (rest / (gain[some].square() * size).mean()).sqrt().item() if size > 0 else math.inf
    average = gain.mean()
    everywhere = elsewhere + squares.sum().item()
    return LogitMap(
        mean=(mean * average).to(value.dtype),
        gain=None if (gain - average).abs().max() <= NOISE * average else (gain / average).to(value.dtype).unflatten(0, (p, p)),
        variation=0.0 if variation < NOISE else variation,
        elsewhere=elsewhere / everywhere if everywhere else 0.0,
    )


def _gain(
    parts: Parts,
    reading: Reading,
    neurons: str,
    *,
    axis: int,
    normalizations: Mapping[str, Normalization],
    mean: Float[Tensor, "neuron p"],
) -> Float[Tensor, " pair"]:
    """How much of ``mean`` is in each pair's own map, for all pairs: of one mixture of the logits, the same for all."""
    p = reading.p
    mixture = torch.randn(p, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    mixture = mixture - mixture.mean()
    expected = mean @ mixture
    gains = []
    for rows in torch.arange(p * p).split(PAIRS):
        value, logits = _from_neurons(parts, reading, neurons, rows, normalizations)
        own = _derivative((logits * mixture.to(logits)).sum(1), value, axis)[:, -1]
        gains.append(own @ expected / expected.square().sum().clamp_min(1e-300))
    return torch.cat(gains)


def _derivative(of: Float[Tensor, " pair"], value: Tensor, axis: int) -> Float[Tensor, "pair position neuron"]:
    """The derivative of each pair's number with respect to its neurons, at one position where these have none."""
    (found,) = torch.autograd.grad(of.sum(), value, retain_graph=True, materialize_grads=True)
    found = found.movedim(axis, 0).detach().cpu().double()
    return found.flatten(1, -2) if found.dim() > 2 else found[:, None]


def _from_neurons(
    parts: Parts, reading: Reading, neurons: str, rows: Tensor, normalizations: Mapping[str, Normalization]
) -> tuple[Tensor, Tensor]:
    """The neurons' activation as a leaf of automatic differentiation, and the logits [pair, p] that follow from it."""
    found: dict[str, Tensor] = {}
    p = reading.p

    def see(name: str, value: Tensor) -> Tensor:
        if name == neurons:
            value = value.detach().clone().requires_grad_()
        elif name in normalizations and f"{name}{INPUT}" in found:
            value = normalizations[name].at_fixed_size(found[f"{name}{INPUT}"], value)
        found[name] = value
        return value

    seen = {parts.part_of(name) for name in (neurons, reading.logits, *normalizations) if name != ROOT}
    with torch.enable_grad():
        output = tensor_in(parts.run(reading.tokens(rows // p, rows % p), see, list(seen)))
        logits = output if reading.logits == ROOT else found[reading.logits]
        assert logits is not None
        return found[neurons], at_last_position(logits, len(rows))[:, :p]

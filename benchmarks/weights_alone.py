"""What stops a proof that is about distances instead of pairs? The table of docs/certificates.md, "From the weights alone".

    python benchmarks/weights_alone.py [NETWORK ...]

Such a proof says of a distance d = a - b that the right answer wins by a signal that depends on d and on how far an answer is
off, e = c - s, and not on the sum s = a + b; and that every remainder, however it depends on s, is smaller. Nothing is proven
here: the remainders are computed on all pairs, and the largest of each is taken. What does not pass with these passes with no
bound on them.
"""

import sys
from collections.abc import Iterable
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

import interp
from analyses.tools.last_layer import last_neurons
from analyses.tools.pairs import by_distance, sums
from interp import fourier
from interp.circuit import Circuit

NETWORKS = ("zhong-59-rate-0", "zhong-59-rate-1", "quick-113", "nanda-113")


@dataclass(frozen=True, kw_only=True)
class Budget:
    """A network's distances: what passes with which remainders, and how large each remainder is.

    Shares are of the p distances. Sizes are over the signal, at the wrong answer that leaves least of it, medians over the
    distances; 1 and more of all together leaves nothing.
    """

    law: float
    """Share of distances that pass if each neuron read and wrote its own frequency alone, and nothing else were in the logits:
    against them is only that a sum over neurons is not quite an integral over angles."""
    exact: float
    """Share that passes with every other remainder too, each at its largest over s."""
    bounded: float
    """Share that passes where the other waves that neurons read are bounded by their length."""
    sizes: dict[str, float]
    """Name of a remainder → size."""


def budget(circuit: Circuit) -> Budget:
    """Measure the distances of a network that adds, of ReLU neurons."""
    p, neurons = circuit.p, last_neurons(circuit)
    W = neurons.neuron_logit_map.double()
    pre, bypass = neurons.pre.double(), neurons.bypass.double()
    fit = neurons.fit.values(p, order=2, frequencies=1, dtype=torch.float64)
    writes = torch.stack([(W @ fourier.rows(k, p).T).square().sum(1) for k in fourier.frequencies(p)]).argmax(0) + 1
    law = torch.zeros_like(W)
    for k in writes.unique().tolist():
        waves = fourier.rows(k, p)
        law[writes == k] = W[writes == k] @ waves.T @ waves
    by_frequency = [_margins(fit[..., writes == k].relu() @ law[writes == k]) for k in writes.unique().tolist()]
    signal = _sum(part.mean(1) for part in by_frequency)
    quadrature = _sum((part.mean(1, keepdim=True) - part).amax(1) for part in by_frequency)
    largest = {
        "sum over neurons": quadrature,
        "other waves read": _largest(_margins((pre.relu() - fit.relu()) @ W)),
        "other waves written": _largest(_margins(fit.relu() @ (W - law))),
        "past the neurons": _largest(_margins(bypass)),
    }
    lengths = by_distance((pre - fit).norm(dim=-1)).amax(1, keepdim=True)
    apart = torch.stack([(W - W.roll(-e, 1)).norm(dim=0).amax() for e in range(1, p)])
    bounded = {**largest, "other waves read, by length": lengths * apart}
    del bounded["other waves read"]
    weakest = (signal - _sum(largest.values())).argmin(1, keepdim=True)

    def share(remainders: dict[str, Tensor]) -> float:
        return (signal > _sum(remainders.values())).all(1).double().mean().item()

    def size(remainder: Tensor) -> float:
        return (remainder.gather(1, weakest) / signal.gather(1, weakest)).median().item()

    return Budget(
        law=share({"sum over neurons": quadrature}),
        exact=share(largest),
        bounded=share(bounded),
        sizes={each: size(remainder) for each, remainder in {**largest, **bounded}.items()},
    )


def _sum(parts: Iterable[Tensor]) -> Tensor:
    return torch.stack(list(parts)).sum(0)


def _margins(logits: Float[Tensor, "a b c"]) -> Float[Tensor, "d a e"]:
    """By how much the right answer s is ahead of s + e, for e = 1 … p - 1, by distance and a."""
    p = len(logits)
    turned = logits.gather(2, (sums(p)[:, :, None] + torch.arange(p)) % p)  # the answer s + e, for e = 0 … p - 1
    return by_distance(turned[..., :1] - turned[..., 1:])


def _largest(remainder: Float[Tensor, "d a e"]) -> Float[Tensor, "d e"]:
    """The most that it takes from a margin, at any sum."""
    return (-remainder).amax(1)


def row(name: str, found: Budget) -> list[str]:
    """A row of the table."""
    return [name, *(f"{x:.2f}" for x in (found.law, found.exact, found.bounded, *found.sizes.values()))]


def main() -> None:
    for name in sys.argv[1:] or NETWORKS:
        found = budget(interp.example(name))
        if name == (sys.argv[1:] or NETWORKS)[0]:
            print(f"| network | by the law | with all else | with lengths | {' | '.join(found.sizes)} |")
            print("| --- |" + " --- |" * (3 + len(found.sizes)))
        print(f"| {' | '.join(row(name, found))} |", flush=True)


if __name__ == "__main__":
    main()

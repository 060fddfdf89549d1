"""Which frequencies does the output use?"""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from jaxtyping import Float
from torch import Tensor

from analyses.basics.embedding_spectrum import embedding_spectrum
from analyses.basics.logit_spectrum import KEY, logit_spectrum
from analyses.evidence.neuron_clusters import neuron_clusters
from analyses.findings.drawing import bars, finish
from analyses.findings.finding import Finding, side_by_side
from analyses.findings.measurement import measurement
from analyses.findings.table import Table
from analyses.findings.wording import sentences
from interp import fourier
from interp.circuit import Circuit
from interp.networks.model import Unavailable

if TYPE_CHECKING:
    import plotly.graph_objects as go

MINOR = 0.005
"""Clock term t_k from which a frequency that is not key is minor."""
OF_LARGEST = 0.25
"""Share of the largest component norm above which a frequency is key by rules 2 and 4."""


@dataclass(frozen=True)
class KeyFrequencies(Finding):
    """The key frequencies by all four published rules; the answer is the first rule's."""

    p: int
    """The modulus."""
    logits: tuple[int, ...]
    """Key frequencies by rule 1, ascending: those with a clock term of the logits t_k ≥ .05."""
    neuron_logit_map: tuple[int, ...] | None
    """Key frequencies by rule 2, ascending: those whose component of W_L = W_out W_U over c has a norm above ¼ of the
    largest. None where the network has no W_L."""
    neurons: tuple[int, ...] | None
    """Key frequencies by rule 3, ascending: those with at least one neuron that has ≥ .85 of its variance at the frequency.
    None where the network has no neurons."""
    embedding: tuple[int, ...] | None
    """Key frequencies by rule 4, ascending: those whose component of W_E has a norm above ¼ of the largest; this rule
    adds frequencies that the output never uses. None where the network has no embedding."""
    strengths: tuple[float, ...]
    """Clock term t_k of each key frequency by rule 1, in the order of ``logits``."""
    minor: tuple[int, ...]
    """Minor frequencies: those with .005 ≤ t_k < .05, ascending."""
    harmonics: tuple[int, ...]
    """Minor frequencies that are 2k (folded) of a key frequency k."""
    accompanying: tuple[int, ...]
    """Frequencies with an energy share ≥ .02 in the embedding that are not key in the output; usually 2k of a key k."""
    spectra: tuple[tuple[str, tuple[float, ...]], ...]
    """Name and values, k = 1..⌊p/2⌋, of what each rule that applies looks at: t_k of the logits; norm of W_L's component over
    the largest; members of each cluster of neurons; norm of W_E's component over the largest."""

    @property
    def frequencies(self) -> tuple[int, ...]:
        """The key frequencies of the network: those of rule 1, ascending."""
        return self.logits

    @property
    def listed(self) -> str:
        """The key frequencies in words: all of them, however many, or the word none."""
        return " ".join(map(str, self.frequencies)) or "none"

    @property
    def rules(self) -> dict[str, tuple[int, ...]]:
        """Each rule's frequencies by its name, for the rules that apply to this network."""
        rules = {
            "logits": self.logits,
            "neuron-logit map": self.neuron_logit_map,
            "neurons": self.neurons,
            "embedding": self.embedding,
        }
        return {name: found for name, found in rules.items() if found is not None}

    def differences(self) -> dict[str, tuple[tuple[int, ...], tuple[int, ...]]]:
        """Rule → (frequencies that rule 1 does not have, frequencies of rule 1 that are missing), for the rules that differ."""
        answer = set(self.logits)
        return {
            name: (tuple(sorted(set(found) - answer)), tuple(sorted(answer - set(found))))
            for name, found in self.rules.items()
            if set(found) != answer
        }

    def records(self) -> Iterator[dict[str, Any]]:
        ks = range(1, self.p // 2 + 1)
        spectra = {name.replace("-", "_").replace(" ", "_"): heights for name, heights in self.spectra}
        of = {"key": self.frequencies, "minor": self.minor, "accompanying": self.accompanying}
        yield from side_by_side(k=ks, **{f"is_{name}": [k in those for k in ks] for name, those in of.items()}, **spectra)

    def table(self) -> Table:
        differences = self.differences()
        rows = []
        for name, found in self.rules.items():
            extra, missing = differences.get(name, ((), ()))
            rows.append((name, _listed(found), _listed(extra), _listed(missing)))
        note = (
            "The logits, the network's output, decide which frequencies are key; the other rules are published ones, for "
            f"comparison. In the output, but too weak to be key: {_listed(self.minor)}; of these at twice a key frequency "
            f"(second harmonics): {_listed(self.harmonics)}. In the embedding only, helping (accompanying): "
            f"{_listed(self.accompanying)}"
        )
        columns = ("judged by", "frequencies", "only here", "missing here")
        return Table("Key frequencies, judged in four places", columns, tuple(rows), sentences(note))

    def figure(self) -> "go.Figure":
        from plotly.subplots import make_subplots

        axes = {
            "logits": "clock term t_k",
            "neuron-logit map": "share of largest",
            "neurons": "neurons",
            "embedding": "share of largest",
        }
        figure = make_subplots(
            len(self.spectra), 1, shared_xaxes=True, vertical_spacing=0.07, subplot_titles=[name for name, _ in self.spectra]
        )
        ks = list(range(1, self.p // 2 + 1))
        for row, (name, heights) in enumerate(self.spectra, start=1):
            marker = bars(ks, self.colours(self.frequencies), self.accompanying)
            figure.add_bar(x=ks, y=heights, marker=marker, name=name, row=row, col=1,
                           hovertemplate=f"{name}<br>k = %{{x}}<br>%{{y:.4g}}<extra></extra>")  # fmt: skip
            cut = {"logits": KEY, "neurons": None}.get(name, OF_LARGEST)
            if cut is not None:
                figure.add_hline(y=cut, line_dash="dot", row=row, col=1)
            figure.update_yaxes(title=axes[name], row=row, col=1)
        figure.update_xaxes(title="frequency k (turns per p numbers)", row=len(self.spectra))
        return finish(
            figure,
            f"Key frequencies: {_listed(self.frequencies)}",
            "The same frequencies, read in four places: the output, what neurons add to it, the neurons (members of "
            "each cluster), and the embedding. Coloured ones are key, judged by the output; hatched ones are in the "
            "embedding only, usually at twice a key frequency. Dotted: the height from which each rule counts a frequency.",
            height=110 + 190 * len(self.spectra),
            showlegend=False,
        )

    def to_dict(self) -> dict[str, object]:
        return {"frequencies": list(self.frequencies), **super().to_dict()}


@measurement(place=20)
def key_frequencies(circuit: Circuit) -> KeyFrequencies:
    """Which frequencies does the output use?

    Four published rules; where they differ, the logits decide, because only they are the output:
    1. logits: t_k ≥ .05 (see logit_spectrum). Source: Chughtai et al. 2023; the published threshold is .005, which
       counts second harmonics in attention-free networks.
    2. neuron-logit map, 3. neurons, 4. embedding: see the fields of the finding. Source: Nanda et al. 2023, arXiv 2301.05217.
    """
    p = circuit.p
    spectra = _spectra(circuit)
    terms = dict(zip(fourier.frequencies(p), spectra["logits"], strict=True))
    keys = tuple(k for k, t in terms.items() if t >= KEY)
    minor = tuple(k for k, t in terms.items() if MINOR <= t < KEY)
    doubled = {fourier.fold(2 * k, p) for k in keys}
    present = embedding_spectrum(circuit).present if "embedding" in spectra else ()

    def above(rule: str, cut: float) -> tuple[int, ...] | None:
        return tuple(k for k, height in enumerate(spectra[rule], start=1) if height > cut) if rule in spectra else None

    return KeyFrequencies(
        p=p,
        logits=keys,
        neuron_logit_map=above("neuron-logit map", OF_LARGEST),
        neurons=above("neurons", 0.0),
        embedding=above("embedding", OF_LARGEST),
        strengths=tuple(terms[k] for k in keys),
        minor=minor,
        harmonics=tuple(k for k in minor if k in doubled),
        accompanying=tuple(sorted(k for k in present if k not in keys)),
        spectra=tuple(spectra.items()),
    )


def _spectra(circuit: Circuit) -> dict[str, tuple[float, ...]]:
    """What each rule looks at, by its name, k = 1..⌊p/2⌋, for the rules that apply to this network."""

    def members() -> tuple[float, ...]:
        clusters = neuron_clusters(circuit).clusters
        return tuple(float(clusters.get(k, 0)) for k in fourier.frequencies(circuit.p))

    spectra = {"logits": logit_spectrum(circuit).clock_terms}
    for name, measure in (
        ("neuron-logit map", lambda: _of_largest(circuit.neuron_logit_map.T)),
        ("neurons", members),
        ("embedding", lambda: _of_largest(circuit.embedding)),
    ):
        with suppress(Unavailable):
            spectra[name] = measure()
    return spectra


def _of_largest(M: Float[Tensor, "p n"]) -> tuple[float, ...]:
    norms = fourier.energies(M).sqrt()
    return tuple((norms / norms.max()).tolist())


def _listed(found: tuple[int, ...]) -> str:
    if len(found) > 12:
        return f"{len(found)} frequencies"
    return " ".join(map(str, found)) or "none"

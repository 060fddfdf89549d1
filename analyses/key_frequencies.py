"""Which frequencies does the output use?"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from jaxtyping import Float
from torch import Tensor

from analyses.embedding_spectrum import embedding_spectrum
from analyses.logit_spectrum import logit_spectrum
from analyses.neuron_clusters import neuron_clusters
from interp import fourier
from interp.circuit import Circuit
from interp.finding import Finding, Table, measurement
from interp.model import Unavailable

if TYPE_CHECKING:
    import plotly.graph_objects as go

KEY, MINOR = 0.05, 0.005
"""Clock terms t_k from which a frequency is key, and minor."""
OF_LARGEST = 0.25
"""Rules 2 and 4: component norms above this share of the largest."""


@dataclass(frozen=True)
class KeyFrequencies(Finding):
    """The key frequencies by all four published rules; the answer is the first rule's."""

    p: int
    """The modulus."""
    logits: tuple[int, ...]
    """Rule 1: clock term of the logits t_k ≥ .05."""
    neuron_logit_map: tuple[int, ...] | None
    """Rule 2: component of W_L = W_out W_U over c above ¼ of the largest. None where the network has no such thing."""
    neurons: tuple[int, ...] | None
    """Rule 3: at least one neuron with ≥ .85 of its variance at the frequency. None as above."""
    embedding: tuple[int, ...] | None
    """Rule 4: component of W_E above ¼ of the largest; adds frequencies that the output never uses. None as above."""
    strengths: tuple[float, ...]
    """t_k of the answer's frequencies, in their order."""
    minor: tuple[int, ...]
    """.005 ≤ t_k < .05."""
    harmonics: tuple[int, ...]
    """The minor ones that are 2k of a key frequency k."""
    accompanying: tuple[int, ...]
    """Energy share ≥ .02 of the embedding, but not key in the output; usually 2k of a key k."""

    @property
    def frequencies(self) -> tuple[int, ...]:
        """The answer: rule 1's key frequencies, ascending."""
        return self.logits

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
        """Rule → (frequencies only it has, frequencies it misses), for the rules that differ from the first."""
        answer = set(self.logits)
        return {
            name: (tuple(sorted(set(found) - answer)), tuple(sorted(answer - set(found))))
            for name, found in self.rules.items()
            if set(found) != answer
        }

    def table(self) -> Table:
        differences = self.differences()
        rows = []
        for name, found in self.rules.items():
            extra, missing = differences.get(name, ((), ()))
            rows.append((name, _listed(found), _listed(extra), _listed(missing)))
        note = f"minor {_listed(self.minor)}, of these second harmonics {_listed(self.harmonics)}; "
        note += f"accompanying in the embedding {_listed(self.accompanying)}"
        return Table("Key frequencies by rule", ("rule", "frequencies", "only here", "missing here"), tuple(rows), note)

    def figure(self) -> "go.Figure":
        import plotly.graph_objects as go

        figure = go.Figure()
        for name, found in self.rules.items():
            figure.add_scatter(x=found, y=[name] * len(found), mode="markers", name=name, marker={"size": 12})
        return figure.update_layout(
            title="Key frequencies by rule",
            xaxis_title="frequency k",
            xaxis_range=[0, self.p // 2 + 1],
            yaxis={"categoryorder": "array", "categoryarray": [*reversed(self.rules)], "range": [-0.5, len(self.rules) - 0.5]},
            showlegend=False,
        )

    def to_dict(self) -> dict[str, object]:
        return {"frequencies": list(self.frequencies), **super().to_dict()}


@measurement
def key_frequencies(circuit: Circuit) -> KeyFrequencies:
    """Which frequencies does the output use?

    Four published rules; where they differ, the logits decide, because only they are the output:
    1. logits: t_k ≥ .05 (see logit_spectrum). Source: Chughtai et al. 2023; the published threshold is .005, which
       counts second harmonics in attention-free networks.
    2. neuron-logit map, 3. neurons, 4. embedding: see the fields. Source: Nanda et al. 2023, arXiv 2301.05217.
    """
    p = circuit.p
    terms = dict(zip(fourier.frequencies(p), logit_spectrum(circuit).clock_terms, strict=True))
    keys = tuple(k for k, t in terms.items() if t >= KEY)
    minor = tuple(k for k, t in terms.items() if MINOR <= t < KEY)
    present = _where_available(lambda: embedding_spectrum(circuit).present)
    doubled = {fourier.fold(2 * k, p) for k in keys}
    return KeyFrequencies(
        p=p,
        logits=keys,
        neuron_logit_map=_where_available(lambda: _above_share_of_largest(circuit.neuron_logit_map.T)),
        neurons=_where_available(lambda: tuple(neuron_clusters(circuit).clusters)),
        embedding=_where_available(lambda: _above_share_of_largest(circuit.embedding)),
        strengths=tuple(terms[k] for k in keys),
        minor=minor,
        harmonics=tuple(k for k in minor if k in doubled),
        accompanying=tuple(sorted(k for k in present or () if k not in keys)),
    )


def _where_available(find: Callable[[], tuple[int, ...]]) -> tuple[int, ...] | None:
    try:
        return find()
    except Unavailable:
        return None


def _above_share_of_largest(M: Float[Tensor, "p n"]) -> tuple[int, ...]:
    norms = fourier.energies(M).sqrt().tolist()
    return tuple(k for k, norm in enumerate(norms, start=1) if norm > OF_LARGEST * max(norms))


def _listed(found: tuple[int, ...]) -> str:
    if len(found) > 12:
        return f"{len(found)} frequencies"
    return " ".join(map(str, found)) or "none"

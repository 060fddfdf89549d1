"""How does the network compute its task for these two numbers?"""

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import torch
from jaxtyping import Float
from torch import Tensor

from analyses.adding.circles import circle_of
from analyses.adding.hands import Hand, Pair, angle_of, dial, in_turns, name_of, square
from analyses.evidence.amplitude_profile import FrequencyProfile, amplitude_profile
from analyses.findings.drawing import finish
from analyses.findings.finding import ONLY_DRAWN, Finding
from analyses.findings.measurement import measurement
from analyses.findings.palette import MADE, OUTPUT, QUIET
from analyses.findings.table import Table
from analyses.findings.wording import sentences, times_likelier
from analyses.tools.ablation import part
from analyses.tools.amplitudes import output_at
from interp import fourier
from interp.circuit import Circuit
from interp.errors import InterpError
from interp.networks.model import Unavailable

if TYPE_CHECKING:
    import plotly.graph_objects as go


@dataclass(frozen=True)
class OnePair(Finding):
    """One pair of numbers on its way through the network; all numbers are the task's own."""

    question: str
    """The task for these two numbers, such as 22 + 37 mod 113."""
    p: int
    """The modulus."""
    a: int
    """The first number."""
    b: int
    """The second number."""
    answer: int
    """What the network answers: the largest logit."""
    right: int
    """The right answer."""
    margin: float
    """The answer's logit less the next largest, nats."""
    logits: tuple[float, ...]
    """Logit of each answer c less the mean over all c, nats."""
    hands: tuple[Hand, ...]
    """One hand per key frequency, in ascending order of k."""
    places: tuple[int, ...] = field(metadata=ONLY_DRAWN)
    """Number that stands for every answer c where the task is written as an addition."""

    def table(self) -> Table:
        rows = tuple(
            (
                h.k,
                h.verdict,
                in_turns(angle_of(h.a)),
                in_turns(angle_of(h.b)),
                in_turns(h.predicted),
                in_turns(angle_of(h.output)),
                in_turns(2 * math.pi * (h.k * self.places[self.right] % self.p) / self.p),
                math.hypot(*h.output),
            )
            for h in self.hands
        )
        columns = (
            "frequency k",
            "circuit",
            "a at",
            f"{self.words.b} at",
            "together",
            "output at",
            f"{self.words.sum} at",
            "length",
        )
        note = (
            "Angles are in turns. Together: the sum of the two angles; for a pizza twice the angle of the mean of the two "
            "points. Length: that of the output's hand, over the largest of all pairs; it is short where a pizza's points lie "
            "opposite"
        )
        return Table(self._title(), columns, rows, sentences(self.sentence(), note))

    def figure(self) -> "go.Figure":
        from plotly.subplots import make_subplots

        columns = min(max(len(self.hands), 1), 3)
        rows = -(-len(self.hands) // columns)
        specs: list[list[Any]] = [[{}] * columns] * rows + [[{"colspan": columns}] + [None] * (columns - 1)]
        names = [name_of(h) for h in self.hands] + [""] * (rows * columns - len(self.hands)) + ["logits"]
        figure = make_subplots(
            rows + 1, columns, specs=specs, subplot_titles=names, row_heights=[3] * rows + [2],
            horizontal_spacing=0.03, vertical_spacing=0.18 / (rows + 1),
        )  # fmt: skip
        named, colours = set[str](), self.colours(hand.k for hand in self.hands)
        for index, hand in enumerate(self.hands):
            row, column = divmod(index, columns)
            for trace in dial(hand, self._pair(), colours[hand.k]):
                name = trace.get("name", "")
                figure.add_scatter(**trace, showlegend=name not in {"", *named}, row=row + 1, col=column + 1)
                named.add(name)
            axis = "" if index == 0 else str(index + 1)
            figure.update_layout({f"{name}axis{axis}": each for name, each in square(axis).items()})
        figure.add_traces(self._logit_traces(), rows=rows + 1, cols=1)
        figure.update_xaxes(title="answer c", row=rows + 1, col=1)
        figure.update_yaxes(title="logit less their mean (nats)", row=rows + 1, col=1)
        return finish(figure, self._title(), self.caption(), height=400 + 260 * rows, margin_t=170)

    def dial_figure(self, index: int) -> "go.Figure":
        """The figure of one hand's dial alone."""
        import plotly.graph_objects as go

        hand = self.hands[index]
        colour = self.colours(each.k for each in self.hands)[hand.k]
        figure = go.Figure([go.Scatter(**trace) for trace in dial(hand, self._pair(), colour)])
        figure.update_layout({f"{name}axis": each for name, each in square("").items()})
        return finish(figure, name_of(hand), "", showlegend=False, margin={"l": 5, "r": 5, "t": 5, "b": 5}, height=250)

    def logit_figure(self) -> "go.Figure":
        """The figure of the logits alone."""
        import plotly.graph_objects as go

        figure = go.Figure(self._logit_traces())
        return finish(
            figure, "The logits, and the answer", "",
            xaxis_title="answer c", yaxis_title="logit less their mean (nats)", height=300, margin_t=40,
        )  # fmt: skip

    def _logit_traces(self) -> list["go.Scatter | go.Bar"]:
        import plotly.graph_objects as go

        cs = list(range(self.p))
        return [
            go.Bar(x=cs, y=self.logits, name="logit", marker_color=QUIET, meta="logits"),
            go.Scatter(x=cs, y=self.waves(), name="key frequencies together", line_color=OUTPUT, mode="lines", meta="waves"),
            go.Scatter(
                x=[self.answer], y=[self.logits[self.answer]], mode="markers", name="the answer", meta="answer",
                marker={"symbol": "star", "size": 15, "color": MADE},
            ),
        ]  # fmt: skip

    def waves(self) -> tuple[float, ...]:
        """What the key frequencies' parts of the logits add up to, per answer c, nats."""
        keys, places = [hand.k for hand in self.hands], torch.tensor(self.places)
        logits = torch.tensor(self.logits, dtype=torch.float64)
        if not keys:
            return tuple(torch.zeros_like(logits).tolist())
        by_number = logits[torch.argsort(places), None]
        return tuple(part(by_number, keys)[places, 0].tolist())

    def sentence(self) -> str:
        """What the network answers to these two numbers, in a sentence."""
        ahead = (
            f", which it finds {times_likelier(self.margin)} than the next answer"
            if self.answer == self.right
            else f". That is wrong: the right answer is {self.right}"
        )
        return f"{self.question}: the network answers {self.answer}{ahead}."

    def caption(self) -> str:
        """How to read the figure."""
        return CAPTION.format(b=self.words.b)

    def _pair(self) -> Pair:
        return Pair(p=self.p, a=self.a, b=self.b, answer=self.answer, b_as=self.words.b)

    def _title(self) -> str:
        return f"{self.question} = {self.answer}" if self.answer == self.right else f"{self.question} is not {self.answer}"


CAPTION = (
    "Each dial is the circle of the numbers at one key frequency, as this network embeds them. A clock adds the angles "
    "of a and {b}: the dashed hand. A pizza takes the mean of the two points, and reads which slice it lies in: the "
    "slice's angle is half that of the sum, and its two ends mean the same. Of a mixture the larger part is drawn. The green "
    "hand is what the logits say at this frequency; the star is the answer's place on the dial. Below, the logits: where all "
    "frequencies agree, they add up to the answer."
)
"""How to read the figure; {b} is to be replaced by what stands for the second number."""


@measurement(place=200, slow=True, needs=("addition", "embedding"))
def one_pair(circuit: Circuit, *, a: int | None = None, b: int | None = None) -> OnePair:
    """How does the network compute its task for these two numbers?

    ``a``, ``b``: numbers of the task, 0..p-1; a fifth and a third of p where not given. Everything is measured: the numbers'
    places are the embedding's, the output's hand is the logits'; only ``Hand.predicted``, the angle that a and b make
    together, is the circuit's idea.

    Raises InterpError for numbers out of range. Sources: this project; the clock after Nanda et al. 2023, arXiv 2301.05217, the
    pizza after Zhong et al. 2023, arXiv 2306.17844.
    """
    p, numbers, task = circuit.p, circuit.numbers, circuit.task
    if p != task.p:
        raise Unavailable(f"needs every symbol to be a number of the addition, of which {task.sentence} has {p}")
    a, b = p // 5 if a is None else a, p // 3 if b is None else b
    if not (0 <= a < p and 0 <= b < p):
        raise InterpError(f"expected a and b from 0 to {p - 1}, got {a} and {b}")
    places_a, places_b, places_c = circuit.places
    number_a, number_b = int(places_a[a]), int(places_b[b])
    best, second = circuit.logits[number_a, number_b].topk(2).values.tolist()
    return OnePair(
        question=task.of_pair(a, b),
        p=p,
        a=a,
        b=b,
        answer=int(numbers.c[circuit.logits[number_a, number_b].argmax()]),
        right=int(task.table()[a, b]),
        margin=best - second,
        logits=tuple(fourier.centred(circuit.logits[number_a, number_b])[places_c].tolist()),
        hands=tuple(_hand(circuit, each, a, b) for each in amplitude_profile(circuit).profiles),
        places=tuple(places_c.tolist()),
    )


def output_hands(circuit: Circuit, k: int) -> tuple[Float[Tensor, "a b 2"], float]:
    """What the logits of each pair hold of frequency k, along cos w_k c and sin w_k c, over its largest length on any pair;
    and this largest length, the amplitude of the wave in nats. Pairs and answers are in the numbers of the addition."""
    hands = torch.view_as_real(output_at(circuit, k))
    largest = hands.norm(dim=-1).max()
    return hands / largest, largest.item()


def _hand(circuit: Circuit, profile: FrequencyProfile, a: int, b: int) -> Hand:
    k = profile.k
    places_a, places_b, places_c = (each.tolist() for each in circuit.places)
    points_a, points_b = (circle_of(table, k).points for table in circuit.tables)
    output = output_hands(circuit, k)[0][places_a[a], places_b[b]]
    return Hand(
        k=k,
        verdict=profile.verdict,
        a=points_a[places_a[a]],
        b=points_b[places_b[b]],
        output=(output[0].item(), output[1].item()),
        ring_a=tuple(points_a[place] for place in places_a),
        ring_b=tuple(points_b[place] for place in places_b),
        ring_answer=tuple(points_a[place] for place in places_c),
        pizza=profile.coordinate,
    )

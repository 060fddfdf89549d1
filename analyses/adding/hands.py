"""Hands: what happens to two numbers at one key frequency, and the dial that it is drawn on."""

import math
from dataclasses import dataclass, field
from typing import Any, Literal

from analyses.adding.circles import Point
from analyses.findings.finding import ONLY_DRAWN
from analyses.findings.palette import INPUT_A, INPUT_B, MADE, OUTPUT, QUIET

LIMIT, LABELS = 1.45, 1.3
"""Half the side of a dial, and how far from its centre numbers are written, in units of the mean radius."""


@dataclass(frozen=True)
class Hand:
    """What happens to two numbers a and b at one key frequency."""

    k: int
    """The frequency."""
    verdict: str
    """Verdict on the frequency: clock, pizza, mixture or undecided (amplitude_profile)."""
    a: Point
    """Place of a in the plane of this frequency, in units of the mean radius of all numbers (circles)."""
    b: Point
    """Place of b in the plane of this frequency, in units of the mean radius of all numbers (circles)."""
    output: Point
    """What the logits hold of this frequency, (2/p) Σ_c L[a,b,c] (cos w_k c, sin w_k c), in units of its largest length on
    any pair."""
    ring_a: tuple[Point, ...] = field(metadata=ONLY_DRAWN)
    """Place of every number when it is a, in units of the mean radius: the dial."""
    ring_b: tuple[Point, ...] = field(metadata=ONLY_DRAWN)
    """Place of every number when it is b; equal to ``ring_a`` unless a and b are embedded differently, or b stands for -b."""
    ring_answer: tuple[Point, ...] = field(metadata=ONLY_DRAWN)
    """Place on the dial where every answer belongs, in units of the mean radius."""

    pizza: float = math.nan
    """Pizza's share of the amplitude (amplitude_profile's coordinate): 0 a clock, 1 a pizza."""

    @property
    def drawn_as(self) -> Literal["clock", "pizza"]:
        """Which of the two its dial shows: its verdict's, and else the one with the larger share."""
        if self.verdict in ("clock", "pizza"):
            return "pizza" if self.verdict == "pizza" else "clock"
        return "pizza" if self.pizza >= 0.5 else "clock"

    @property
    def mean(self) -> Point:
        """The point halfway between a and b: what a pizza reads."""
        return (self.a[0] + self.b[0]) / 2, (self.a[1] + self.b[1]) / 2

    @property
    def predicted(self) -> float:
        """The angle, in radians, that a and b make together: the sum of their angles; for a pizza, twice that of their mean."""
        if self.drawn_as == "pizza":
            return 2 * angle_of(self.mean)
        return angle_of(self.a) + angle_of(self.b)

    def steps(self, answer: int) -> tuple[tuple[str, float], ...]:
        """What its circuit does with the two numbers, step by step: (name, angle in turns), last the answer's place.

        A pizza's slice is a line through the middle, and has an angle of less than half a turn; doubled it is the answer's.
        """
        end = ("answer", in_turns(angle_of(self.ring_answer[answer])))
        if self.drawn_as == "pizza":
            half = in_turns(angle_of(self.mean)) % 0.5
            return ("slice", half), ("doubled", 2 * half % 1), end
        a, b = angle_of(self.a), angle_of(self.b)
        return ("a", in_turns(a)), ("b", in_turns(b)), ("added", in_turns(a + b)), end


@dataclass(frozen=True, kw_only=True)
class Pair:
    """The two numbers whose hands are drawn, and what the network answers."""

    p: int
    """The modulus."""
    a: int
    """The first number."""
    b: int
    """The second number."""
    answer: int
    """What the network answers."""
    b_as: str
    """What stands for b on the dial, written with the letter b: -b in a subtraction."""


def dial(hand: Hand, pair: Pair, colour: str = QUIET) -> list[dict[str, Any]]:
    """The traces of one dial, its numbers as dots in the frequency's colour. Of a mixture the larger part is drawn.

    The ``meta`` of a trace says what it draws, for the page, where two sliders move the traces.
    """
    hover = f"<b>%{{customdata}}</b><br>k = {hand.k}<extra></extra>"
    dots = {"color": colour, "size": 4}
    traces = [
        _trace("ring_a", hand.ring_a, marker=dots, customdata=list(range(pair.p)), hovertemplate=hover, hoverinfo=None),
        _trace("ring_b", hand.ring_b, visible=False),
        _trace("ring_answer", hand.ring_answer, visible=False),
    ]
    if hand.drawn_as == "pizza":
        traces += [
            _trace("slice", _slice(hand, pair.p), mode="lines", fill="toself", line={"color": MADE, "width": 1}, name="slice"),
            _trace("chord", (hand.a, hand.b), mode="lines", line={"color": QUIET, "width": 1, "dash": "dot"}),
            _trace("mean", (hand.mean,), marker={"size": 9, "color": MADE}, name="mean"),
        ]
    else:
        dashed = {"color": MADE, "dash": "dash", "width": 3}
        end = math.cos(hand.predicted), math.sin(hand.predicted)
        traces.append(_trace("sum", ((0.0, 0.0), end), mode="lines", line=dashed, name="angles added"))
    for role, point, colour in (("a", hand.a, INPUT_A), ("b", hand.b, INPUT_B), ("output", hand.output, OUTPUT)):
        line, marker = {"color": colour, "width": 3}, {"size": [0, 9], "color": colour, "opacity": 1}
        traces.append(_trace(role, ((0.0, 0.0), point), mode="lines+markers", line=line, marker=marker, name=role))
    star = {"symbol": "star", "size": 13, "color": MADE, "line": {"color": QUIET, "width": 1}}
    place = hand.ring_answer[pair.answer]
    labels = tuple(_beyond(point) for point in (hand.a, hand.b, place))
    numbers = [str(pair.a), pair.b_as.replace("b", str(pair.b)), str(pair.answer)]
    return [
        *traces,
        _trace("answer", (place,), marker=star, name="the answer's place"),
        _trace("labels", labels, mode="text", text=numbers, textfont={"color": [INPUT_A, INPUT_B, MADE], "size": 13}),
    ]


def _beyond(point: Point) -> Point:
    """The place beyond the dial, in the direction of a point, where the point's number is written."""
    return LABELS * math.cos(angle_of(point)), LABELS * math.sin(angle_of(point))


def _trace(role: str, points: tuple[Point, ...], **look: Any) -> dict[str, Any]:
    xs, ys = [x for x, _ in points], [y for _, y in points]
    return {"x": xs, "y": ys, "meta": role, "mode": "markers", "hoverinfo": "skip", **look}


def _slice(hand: Hand, p: int) -> tuple[Point, ...]:
    """The slice of the dial that the mean lies in, as a polygon: there are p slices of two ends each, one for every sum."""
    angle, half = angle_of(hand.mean), math.pi / (2 * p)
    rims = (angle - half, angle + half, angle + math.pi - half, angle + math.pi + half)
    ends = [(LIMIT * math.cos(rim), LIMIT * math.sin(rim)) for rim in rims]
    return (0.0, 0.0), ends[0], ends[1], (0.0, 0.0), ends[2], ends[3], (0.0, 0.0)


def square(axis: str) -> dict[str, dict[str, Any]]:
    """The two axes of a dial, bare, and as wide as high; ``axis`` is the number of the dial's panel, empty for the first."""
    bare = {"range": [-LIMIT, LIMIT], "showticklabels": False, "ticks": "", "showgrid": False, "zeroline": False,
            "constrain": "domain"}  # fmt: skip
    return {"x": bare, "y": {**bare, "scaleanchor": f"x{axis}"}}


def name_of(hand: Hand) -> str:
    """The title of a dial: its frequency, its verdict, and of a mixture which share is drawn."""
    if hand.verdict in ("clock", "pizza") or math.isnan(hand.pizza):
        return f"k = {hand.k}: {hand.verdict}"
    share = hand.pizza if hand.drawn_as == "pizza" else 1 - hand.pizza
    return f"k = {hand.k}: {hand.verdict}, {min(share, 1):.0%} {hand.drawn_as}"


def angle_of(point: Point) -> float:
    """The angle of a point, in radians, from the direction of number 0."""
    return math.atan2(point[1], point[0])


def in_turns(angle: float) -> float:
    """An angle, given in radians, in turns, [0, 1)."""
    return angle / (2 * math.pi) % 1

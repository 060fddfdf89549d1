"""The page, put together from answers."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from analyses.addition import CAPTION, Addition
from analyses.report import text
from analyses.report.answer import Answer
from analyses.report.page.pack import FIGURES, MOST_LOGITS, packed, packed_json, pairs
from analyses.report.reproduce import analysis_command, not_said, training_command
from analyses.timeline.moving_circles import MovingCircles
from analyses.timeline.progress import Progress
from interp.drawing import THEMES, caption, template
from interp.finding import Finding, Table

if TYPE_CHECKING:
    import plotly.graph_objects as go

FOLDER = Path(__file__).parent
LIVES = ("key_frequencies", "neuron_clusters", "attention_pattern", "amplitude_profile", "clock_or_pizza")
"""Where the circuit is."""
TESTED = ("explanation", "causal", "phase_law", "surrogate", "residual")
"""Whether it is really that."""
GALLERIES = ("circles", "lives", "tested", "rest")
"""What is shown a row per measurement, a column per network."""


@dataclass(frozen=True, eq=False)
class Subject:
    """What a page is about: a network, and the run that it comes from where that is asked about too."""

    answer: Answer
    """With the findings to show, ``addition`` among them for the sliders."""
    progress: Progress | None = None
    """Its run's timeline."""
    circles: MovingCircles | None = None
    """The circles through its run."""

    @property
    def path(self) -> Path:
        """What was named: a file, or the run's directory."""
        return self.answer.path if self.progress is None else self.answer.path.parent

    @property
    def name(self) -> str:
        """What to call it."""
        return self.path.stem if self.progress is None else self.path.name


def page(subjects: Sequence[Subject]) -> str:
    """One HTML file about these networks, side by side where there are several; in need of nothing else."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(FOLDER), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    writing = _Writing(room=MOST_LOGITS - FIGURES * (len(subjects) - 1))
    chapters = [writing.subject(subject, index) for index, subject in enumerate(subjects)]
    return environment.get_template("page.html").render(
        title=_title(subjects),
        subjects=chapters,
        # Every network has the same measurements, those that it does not allow in their places.
        galleries={name: list(zip(*(each[name] for each in chapters), strict=True)) for name in GALLERIES},
        overview=_rows(text.overview([subject.answer for subject in subjects])) if len(subjects) > 1 else None,
        largest=max(subject.answer.checkpoint.network.p for subject in subjects) - 1,
        version=version("interp"),
        style=(FOLDER / "page.css").read_text(),
        script=(FOLDER / "page.js").read_text(),
        plotly=_packed_plotly(),
        data=packed_json({"figures": writing.figures, "templates": _templates()}),
    )


class _Writing:
    """The figures of a page, collected as they are met, and the logits that it still has room for."""

    def __init__(self, *, room: int) -> None:
        self.figures: dict[str, Any] = {}
        self.room = room

    def subject(self, subject: Subject, index: int) -> dict[str, Any]:
        """What the template needs to know of one network."""
        answer = subject.answer
        shown = answer.findings.get("addition")
        rest = [name for name in answer.findings if name not in {*LIVES, *TESTED, "addition", "circles"}]
        run = {"progress": subject.progress, "moving_circles": subject.circles}
        return {
            "name": subject.name,
            "answer": answer,
            "verdict": text.verdict(answer),
            "headline": [line for line in text.headline(answer) if line != text.verdict(answer)],
            "training": training_command(answer.checkpoint),
            "not_said": not_said(answer.checkpoint),
            "analysis": analysis_command(subject.path),
            "player": self._player(answer, shown, index) if isinstance(shown, Addition) else None,
            "circles": list(self._blocks(answer, ["circles"], index)),
            "lives": list(self._blocks(answer, LIVES, index)),
            "tested": list(self._blocks(answer, TESTED, index)),
            "run": [self._block(name, finding, index) for name, finding in run.items() if finding is not None],
            "phases": None if subject.progress is None else _rows(subject.progress.phases.table()),
            "rest": list(self._blocks(answer, rest, index)),
        }

    def _blocks(self, answer: Answer, names: Sequence[str], index: int) -> Iterator[dict[str, Any]]:
        for name in names:
            if name in answer.findings:
                yield self._block(name, answer.findings[name], index)

    def _block(self, name: str, finding: Finding, index: int) -> dict[str, Any]:
        table = finding.table()
        block = {"id": f"{name}-{index}", "table": _rows(table)}
        if not finding.is_drawn():
            return {**block, "title": table.title, "caption": table.note, "drawn": False}
        figure = finding.figure()
        self._draws(f"{name}-{index}", figure)
        return {**block, "title": figure.layout.title.text, "caption": caption(figure), "drawn": True}

    def _player(self, answer: Answer, shown: Addition, index: int) -> dict[str, Any]:
        fits = shown.p**3 <= self.room
        self.room -= shown.p**3 if fits else 0
        about, content = pairs(answer.circuit, shown, with_logits=fits)
        dials = []
        for number, hand in enumerate(shown.hands):
            figure = shown.dial_figure(number)
            place = f"dial-{index}-{hand.k}"
            self._draws(place, figure)
            dials.append({"id": place, "title": figure.layout.title.text})
        self._draws(f"logits-{index}", shown.logit_figure())
        return {
            "about": about,
            "content": packed(content),
            "content_id": f"content-{index}",
            "dials": dials,
            "logits": f"logits-{index}",
            "with_logits": fits,
            "caption": CAPTION,
            "table": _rows(shown.table()),
            "shown": shown,
        }

    def _draws(self, name: str, figure: "go.Figure") -> None:
        """Take a figure in; the page has its title and caption beside it, and a look for all."""
        plain = json.loads(figure.to_json(), parse_float=_short)
        for not_here in ("title", "template", "sliders"):
            plain["layout"].pop(not_here, None)
        self.figures[name] = plain


def _short(number: str) -> float:
    """Six digits of a number: finer than any screen, in half the space."""
    return float(f"{float(number):.6g}")


@cache
def _packed_plotly() -> str:
    from plotly.offline import get_plotlyjs

    return packed(get_plotlyjs().encode())


def _templates() -> dict[str, Any]:
    return {theme: template(theme).to_plotly_json() for theme in THEMES}


def _rows(table: Table) -> dict[str, Any]:
    return {"title": table.title, "columns": table.columns, "rows": table.text_rows(), "note": table.note}


def _title(subjects: Sequence[Subject]) -> str:
    if len(subjects) > 1:
        return f"How do these {len(subjects)} networks add?"
    answer = subjects[0].answer
    return f"How does this network compute a + b mod {answer.checkpoint.network.p}?"

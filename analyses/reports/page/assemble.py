"""The page, put together from answers."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

import interp
from analyses.adding.one_pair import OnePair
from analyses.chapters import CHAPTERS, OWN
from analyses.evidence.neuron_clusters import NeuronClusters
from analyses.findings.drawing import caption, template
from analyses.findings.finding import Finding
from analyses.findings.measurement import MEASUREMENTS, in_order
from analyses.findings.palette import DARK, THEMES, style_sheet
from analyses.findings.table import Table
from analyses.reports import text
from analyses.reports.answer import Answer, Lacking
from analyses.reports.glossary import glossary, parts
from analyses.reports.page import training
from analyses.reports.page.pack import FIGURES, MOST_LOGITS, packed, packed_json, pairs
from analyses.reports.reproduce import analysis_command, not_said, training_command
from analyses.timeline.moving_answers import MovingAnswers
from analyses.timeline.moving_circles import MovingCircles
from analyses.timeline.progress import Progress
from interp.training.run_config import FILE as RUN

if TYPE_CHECKING:
    import plotly.graph_objects as go

FOLDER = Path(__file__).parent
SCRIPTS = ("figures.js", "address.js", "terms.js", "adding.js", "train.js", "page.js")
"""The page's scripts in the order in which they are read, the one that starts the others last."""


@dataclass(frozen=True, eq=False)
class Subject:
    """What a page is about: a network, and the run that it comes from where that is asked about too."""

    answer: Answer
    """The network's answer with the findings to show, ``one_pair`` among them for the sliders."""
    progress: Progress | None = None
    """The timeline of its run; None for a single network."""
    circles: MovingCircles | None = None
    """The circles through its run; None for a single network, and where there are no key frequencies."""
    answers: MovingAnswers | None = None
    """The answers to all pairs through its run; None for a single network, and where no label was wrong."""
    is_series: bool = False
    """Is the run somebody's series of checkpoints, and no run directory?"""

    @property
    def through_time(self) -> dict[str, Finding | None]:
        """The findings about its run by name; None for what there is not."""
        return {"progress": self.progress, "moving_answers": self.answers, "moving_circles": self.circles}

    @property
    def path(self) -> Path:
        """The path that was named: of a file, or of the run's directory."""
        return self.answer.path if self.progress is None else self.answer.path.parent

    @property
    def name(self) -> str:
        """The name of the run or file, for headings: a run's folder, for its checkpoints with the step."""
        path = self.path
        if self.progress is not None:
            return path.resolve().name
        for folder, step in ((path.resolve().parent, ""), (path.resolve().parent.parent, f", {path.stem}")):
            if (folder / RUN).is_file():
                return f"{folder.name}{step}"
        return path.stem


def page(subjects: Sequence[Subject]) -> str:
    """One HTML file about these networks, side by side where there are several; it needs no other file."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(FOLDER), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    # Every network has a place for each measurement that any of them has.
    writing = _Writing(
        room=MOST_LOGITS - FIGURES * (len(subjects) - 1),
        names=list(dict.fromkeys(name for subject in subjects for name in subject.answer.findings)),
        among=_frequencies(subjects),
    )
    words = glossary()
    environment.filters["with_terms"] = _with_terms
    chapters = [writing.subject(subject, index) for index, subject in enumerate(subjects)]
    galleries = {name: list(zip(*(each["galleries"][name] for each in chapters), strict=True)) for name in CHAPTERS}
    return environment.get_template("page.html").render(
        title=_title(subjects),
        subjects=chapters,
        chapters=CHAPTERS,
        galleries=galleries,
        is_shown=lambda name: galleries[name] or (name == "adding" and any(each["player"] for each in chapters)),
        overview=_rows(text.overview([subject.answer for subject in subjects])) if len(subjects) > 1 else None,
        largest=max(subject.answer.circuit.task.p for subject in subjects) - 1,
        version=interp.__version__,
        words=words,
        panel=training.panel(),
        trainer=packed(training.trainer().encode()),
        style=page_style(),
        script=unpacking_script() + "\n".join((FOLDER / name).read_text() for name in SCRIPTS),
        plotly=packed_plotly(),
        data=packed_json(
            {"figures": writing.figures, "templates": templates(), "dark": DARK, **training.colours(writing.among)}
        ),
    )


class _Writing:
    """The figures of a page, collected as they are met, and the logits that it still has room for."""

    def __init__(self, *, room: int, names: Sequence[str], among: tuple[int, ...]) -> None:
        self.figures: dict[str, Any] = {}
        self.room = room
        self.names = names
        self.among = among

    def subject(self, subject: Subject, index: int) -> dict[str, Any]:
        """What the template needs to know of one network."""
        answer = subject.answer
        shown = answer.findings.get("one_pair")
        run = subject.through_time
        return {
            "name": subject.name,
            "answer": answer,
            "in_words": text.told_of(answer),
            "verdict": text.verdict(answer),
            "headline": [line for line in text.headline(answer) if line not in text.in_large(answer)],
            "training": answer.checkpoint and training_command(answer.checkpoint),
            "not_said": answer.checkpoint and not_said(answer.checkpoint),
            "analysis": analysis_command(subject.path, is_series=subject.is_series)
            if answer.checkpoint
            else "analyses.report(circuit).page()",
            "player": self._player(answer, shown, index) if isinstance(shown, OnePair) else None,
            "galleries": {chapter: list(self._blocks(answer, chapter, index)) for chapter in CHAPTERS},
            "run": [self._block(name, finding, index) for name, finding in run.items() if finding is not None],
            "phases": None if subject.progress is None else _rows(subject.progress.phases.table()),
        }

    def _blocks(self, answer: Answer, chapter: str, index: int) -> Iterator[dict[str, Any]]:
        unknown = [name for name in self.names if name not in MEASUREMENTS] if chapter == OWN else []
        for name in [*in_order(chapter=chapter), *unknown]:
            if name in self.names and name != "one_pair":  # which the sliders show
                missing = Lacking(name, f"says nothing of a task such as {answer.circuit.task.sentence}")
                yield self._block(name, answer.findings.get(name, missing), index)

    def _block(self, name: str, finding: Finding, index: int) -> dict[str, Any]:
        table, finding = finding.table(), replace(finding, among=self.among)
        block = {"id": f"{name}-{index}", "table": _rows(table)}
        if not finding.is_drawn():
            return {**block, "title": finding.title(), "caption": table.note, "drawn": False}
        figure = finding.figure()
        self._draws(f"{name}-{index}", figure)
        return {**block, "title": figure.layout.title.text, "caption": caption(figure), "drawn": True}

    def _player(self, answer: Answer, shown: OnePair, index: int) -> dict[str, Any]:
        fits = shown.p**3 <= self.room
        self.room -= shown.p**3 if fits else 0
        shown = replace(shown, among=self.among)
        colours = shown.colours(hand.k for hand in shown.hands)
        about, content = pairs(answer.circuit, shown, with_logits=fits)
        dials = []
        for number, hand in enumerate(shown.hands):
            figure = shown.dial_figure(number)
            place = f"dial-{index}-{hand.k}"
            self._draws(place, figure)
            light = colours[hand.k]
            title, steps = figure.layout.title.text, hand.steps(shown.answer)
            dials.append({"id": place, "title": title, "steps": steps, "colour": f"light-dark({light}, {DARK[light]})"})
        self._draws(f"logits-{index}", shown.logit_figure())
        return {
            "about": about,
            "content": packed(content),
            "content_id": f"content-{index}",
            "dials": dials,
            "logits": f"logits-{index}",
            "with_logits": fits,
            "caption": shown.caption(),
            "table": _rows(shown.table()),
            "shown": shown,
        }

    def _draws(self, name: str, figure: "go.Figure") -> None:
        """Take a figure in; the page has its title and caption beside it, and a look for all."""
        plain = json.loads(figure.to_json(), parse_float=_short)
        for not_here in ("title", "template", "sliders"):
            plain["layout"].pop(not_here, None)
        self.figures[name] = plain


def _frequencies(subjects: Sequence[Subject]) -> tuple[int, ...]:
    """All frequencies that the page has a colour for: first the key ones of all networks, then those of their neurons."""
    keys, others = set[int](), set[int]()
    for subject in subjects:
        found = subject.answer.findings
        keys |= {*(subject.answer.key_frequencies.frequencies if subject.answer.key_frequencies else ())}
        keys |= {*(subject.progress.key_frequencies if subject.progress else ())}
        others |= {*(clusters.clusters if isinstance(clusters := found.get("neuron_clusters"), NeuronClusters) else ())}
    return *sorted(keys), *sorted(others - keys)


def _with_terms(text: str) -> Markup:
    """A text in which the glossary's words are marked with their meaning."""
    marked = '<span class="term" tabindex="0" role="note" title="{}">{}</span>'
    return Markup().join(Markup(marked).format(term.says, piece) if term else piece for piece, term in parts(text))


def _short(number: str) -> float:
    """A number to six digits: finer than any screen, in half the space."""
    return float(f"{float(number):.6g}")


def unpacking_script() -> str:
    """The beginning of a page's script, which unpacks what the page carries."""
    return (FOLDER / "packed.js").read_text()


def page_style() -> str:
    """The style sheet of a page, with the colours of both themes."""
    return style_sheet() + (FOLDER / "page.css").read_text()


@cache
def packed_plotly() -> str:
    """Plotly's own script, compressed, as text."""
    from plotly.offline import get_plotlyjs

    return packed(get_plotlyjs().encode())


def templates() -> dict[str, Any]:
    """The look of figures in every theme."""
    return {theme: template(theme).to_plotly_json() for theme in THEMES}


def _rows(table: Table) -> dict[str, Any]:
    return {"title": table.title, "columns": table.columns, "rows": table.text_rows(), "note": table.note}


def _title(subjects: Sequence[Subject]) -> str:
    if len(subjects) > 1:
        return f"How do these {len(subjects)} networks compute?"
    return f"How does this network compute {subjects[0].answer.circuit.task.sentence}?"

"""Grades: what the checks say about every exercise of a submission, whatever it does."""

import csv
import io
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from analyses.findings.table import Table
from interp.course.exercise import Exercise, NotDoneError, Outcome, StoppedError, WrongError
from interp.course.grading.session import Session
from interp.course.grading.submission import Submission, read
from interp.errors import InterpError, one_line

NOT_RUN = "could not be run"
"""Result of an exercise about which nothing is known."""


@dataclass(frozen=True)
class Grade:
    """What is said about one exercise in one submission."""

    submission: str
    """Path of the file that was handed in, in the folder that is graded."""
    notebook: int | None
    """Number of the notebook that sets the exercise; None where the file has none."""
    exercise: str
    """Name of the exercise; empty where the file has none."""
    result: str
    """Result: passed, failed, not done, or could not be run."""
    says: str
    """What is right, what is wrong, or why it could not be run, in a sentence."""


def grades(path: Path, folder: Path, *, seconds: float, megabytes: int) -> Iterator[Grade]:
    """The grades of a file: one for each exercise of the notebooks that it has, or one that says why there are none."""
    name = one_line(path.relative_to(folder).as_posix(), 200)
    try:
        submission = read(path, folder)
    except (InterpError, OSError) as error:
        yield Grade(name, None, "", NOT_RUN, f"it {one_line(str(error), 300)}")
        return
    outcomes = _of_code(submission, seconds, megabytes) if submission.cells else _of_network(submission)
    for exercise, (result, says) in zip(submission.exercises, outcomes, strict=True):
        yield Grade(name, exercise.notebook, exercise.name, result, one_line(says))


def _of_network(submission: Submission) -> Iterator[tuple[str, str]]:
    for exercise in submission.exercises:
        yield _checked(exercise, [submission.path])


def _of_code(submission: Submission, seconds: float, megabytes: int) -> Iterator[tuple[str, str]]:
    """A result and a sentence for every exercise. After one that hangs or exits the submission is run again for the others."""
    session, never_ran = None, ""
    try:
        for exercise in submission.exercises:
            try:
                if never_ran:
                    yield NOT_RUN, never_ran
                    continue
                if session is None:
                    session = _started(submission, seconds, megabytes)
                yield _asked(session, exercise)
            except _NeverRanError as error:
                never_ran = str(error)
                yield NOT_RUN, never_ran
            except StoppedError as error:
                assert session is not None
                session.close()
                session = None
                yield NOT_RUN, f"{exercise.hands_in[0]}: {error}"
    finally:
        if session is not None:
            session.close()


class _NeverRanError(Exception):
    """Why the cells of a submission did not come to an end."""


def _started(submission: Submission, seconds: float, megabytes: int) -> Session:
    try:
        return Session(submission.cells, seconds=seconds, megabytes=megabytes)
    except StoppedError as error:
        raise _NeverRanError(f"its cells did not come to an end: {error}") from error


def _asked(session: Session, exercise: Exercise) -> tuple[str, str]:
    try:
        handed_in = session.handed_in(exercise)
    except NotDoneError:
        cell, why = next(iter(session.raised.items()), (0, ""))
        return (
            ("not done", "")
            if not cell
            else (NOT_RUN, f"{exercise.hands_in[0]} is not there, and code cell {cell} raised {why}")
        )
    except WrongError as error:
        return "failed", str(error)
    return _checked(exercise, handed_in)


def _checked(exercise: Exercise, handed_in: list[object]) -> tuple[str, str]:
    try:
        outcome: Outcome = exercise.check(*handed_in)
    except StoppedError:
        raise
    except Exception as error:  # whatever a check did not think of must not end the grading of all others
        return NOT_RUN, f"the check cannot cope with this answer: {type(error).__name__}: {error}"
    return outcome.result, outcome.says


def table(found: list[Grade]) -> Table:
    """All grades as a table, with how many exercises passed in its note."""
    columns = ("submission", "notebook", "exercise", "result", "why")
    rows = tuple((each.submission, each.notebook, each.exercise or None, each.result, each.says) for each in found)
    return Table("Grades", columns, rows, in_words(found))


def in_words(found: list[Grade]) -> str:
    """How many exercises passed, and how many did not, by the reason."""
    of = {result: sum(each.result == result for each in found) for result in ("failed", "not done", NOT_RUN)}
    others = ", ".join(f"{count} {result}" for result, count in of.items() if count)
    submissions = len({each.submission for each in found})
    passed = sum(each.result == "passed" for each in found)
    files = "1 file" if submissions == 1 else f"{submissions} files"
    return f"{files}: {passed} of {len(found)} exercises passed{f'; {others}' if others else ''}"


def as_csv(found: list[Grade]) -> str:
    """All grades as CSV. No cell begins as a formula of a spreadsheet does, since students choose names and messages."""
    written = io.StringIO()
    rows = csv.DictWriter(written, list(asdict(found[0])), lineterminator="\n")
    rows.writeheader()
    for each in found:
        rows.writerow({name: f"'{cell}" if str(cell)[:1] in "=+-@" and cell else cell for name, cell in asdict(each).items()})
    return written.getvalue()


def as_markdown(found: list[Grade]) -> str:
    """All grades as a table in Markdown, and a line with how many passed."""
    made = table(found)
    rows = [made.columns, ("---",) * len(made.columns), *made.text_rows()]
    lines = ["| " + " | ".join(cell.replace("|", "\\|").replace("<", "&lt;") for cell in row) + " |" for row in rows]
    return "\n".join([*lines, "", made.note, ""])


def as_json(found: list[Grade]) -> str:
    """All grades as a JSON array of objects."""
    return json.dumps([asdict(each) for each in found], indent=1, ensure_ascii=False) + "\n"


WRITERS = {".csv": as_csv, ".md": as_markdown, ".json": as_json}
"""What writes a table of grades, by the ending of the file's name."""

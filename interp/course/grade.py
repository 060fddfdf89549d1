"""interp-grade: which exercises of the course are done in a folder of submissions, and what is wrong with the others?"""

import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import tyro

from interp.commands.command import output, run_command
from interp.commands.options import Common, InCommon, parse
from interp.course.grading.grades import WRITERS, Grade, grades, table
from interp.course.grading.submission import files
from interp.errors import InterpError, one_line
from interp.files.atomic import write_atomically

_DESCRIPTION = """\
Grade a folder of submissions to the course (notebooks/course): notebooks (.ipynb), scripts (.py), and trained networks (.pt,
.safetensors). For every file and exercise one row: passed, failed and what is wrong, not done, or could not be run and why.

This runs the students' code. Each notebook or script runs in a process of its own, in an empty folder, with limits on time
and memory; its functions are then called from here, where the checks are, so that a submission cannot change a check. That is
no sandbox: the code can read your files, use your network, and start other programs. Grade people whom you do not know in a
container or a virtual machine (docs/course.md). Trained networks are read, not run.

Examples:
  interp-grade submissions
  interp-grade submissions --out grades.csv grades.md
  interp-grade submissions --seconds 30 --out grades.json

Exit codes: 0 graded, whatever the grades; 2 no such folder, nothing in it to grade, or impossible options; 130 stopped with
Ctrl-C, nothing written.
"""


@dataclass(frozen=True, kw_only=True)
class Options:
    """What interp-grade can be told."""

    folder: Annotated[Path, tyro.conf.Positional, tyro.conf.arg(metavar="FOLDER")]
    """Folder of submissions, and of folders of submissions."""
    out: Annotated[tuple[Path, ...], tyro.conf.arg(metavar="TABLE.csv ...", help_behavior_hint="")] = ()
    """After the folder: write the table to these files too, as CSV, Markdown or JSON by their endings (.csv, .md, .json)."""
    seconds: float = 120.0
    """Longest time in seconds for running a submission, and again for each of its exercises."""
    memory: float = 8.0
    """Largest memory in GiB that a submission may ask for; not every system enforces it."""
    common: InCommon = field(default_factory=Common)
    """What every command can be told."""

    def check(self) -> None:
        """Raises InterpError on options that make no sense, before anything is run."""
        if not self.folder.is_dir():
            raise InterpError(f"expected a folder of submissions, and {self.folder} is none")
        if not self.seconds > 0 or not self.memory >= 1:
            raise InterpError("expected --seconds above 0 and --memory of at least 1 GiB")
        for path in self.out:
            if path.suffix not in WRITERS:
                raise InterpError(f"expected --out to end in {', '.join(WRITERS)}, got {path}")
            if not path.parent.is_dir():
                raise InterpError(f"there is no folder {path.parent} to write {path.name} into")


def main(arguments: list[str] | None = None) -> int:
    """Run interp-grade; returns its exit code."""
    return run_command("interp-grade", lambda: _grade(parse(Options, "interp-grade", arguments, _DESCRIPTION)))


def _grade(options: Options) -> int:
    options.check()
    written = {path.resolve() for path in options.out}
    handed_in = [path for path in files(options.folder) if path.resolve() not in written]
    if not handed_in:
        raise InterpError(
            f"nothing to grade in {options.folder}: no notebook (.ipynb), script (.py) or network (.pt, .safetensors)"
        )
    found: list[Grade] = []
    console = options.common.console()
    for number, path in enumerate(handed_in, start=1):
        with console.status(f"{number} of {len(handed_in)}  {one_line(path.name, 60)}"):
            mine = list(grades(path, options.folder, seconds=options.seconds, megabytes=round(1024 * options.memory)))
        found += mine
        passed = sum(grade.result == "passed" for grade in mine)
        options.common.say(f"interp-grade: {number} of {len(handed_in)}  {mine[0].submission}: {passed} of {len(mine)} passed")
    output().print(table(found))
    for path in options.out:
        write_atomically(path, WRITERS[path.suffix](found).encode())
    return 0


if __name__ == "__main__":
    sys.exit(main())

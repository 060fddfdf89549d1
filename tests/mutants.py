"""Would the tests notice? Small faults are put into the code that computes answers, one at a time: make mutants.

A seeded sample of faults (cosmic-ray's operators: another number, + for -, < for <=, and for or, not) is tried on copies of
the tree; the tests that run the changed line are those that have to fail. A fault that no test notices is printed:
either a test is missing, or the fault changes no answer, and then equivalent_mutants.json says why. Results are kept in
build/mutants, and a run that was stopped goes on; delete that folder to begin anew.
"""

import json
import os
import shutil
import subprocess
import sys
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from xml.etree import ElementTree

import tyro
from coverage import CoverageData
from faults import Mutant, sample

ROOT = Path(__file__).parent.parent
"""Files that show, print or pass on answers and compute none."""
"""Methods that do."""
"""What operators are mistaken for; cosmic-ray knows more, most of which crash at once."""


"""Line and column."""


@dataclass(frozen=True)
class Outcome:
    """What became of it."""

    name: str
    before: str
    after: str
    noticed: str
    """The first test that failed, and with what; empty where none did."""
    tests: int
    """How many tests run the line."""


def copy(target: Path) -> None:
    """The tree as it is now, tracked or new, less what git ignores."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"], cwd=ROOT, check=True, capture_output=True, text=True
    ).stdout.splitlines()
    for name in listed:
        if (ROOT / name).is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, target / name)


def pytest(tree: Path, *arguments: str, timeout: float | None = None) -> subprocess.CompletedProcess[str]:
    """Run tests of a copy on the code of that copy."""
    environment = {**os.environ, "PYTHONPATH": str(tree), "PYTHONDONTWRITEBYTECODE": "1", "OMP_NUM_THREADS": "1"}
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-m", "not slow", *arguments],
        cwd=tree, env=environment, capture_output=True, text=True, timeout=timeout, check=False,
    )  # fmt: skip


class Coverage:
    """Which tests run a line, the quickest first."""

    def __init__(self, tree: Path, folder: Path, workers: int) -> None:
        junit = folder / "tests.xml"
        if not (tree / ".coverage").exists() or not junit.exists():
            done = pytest(tree, "-q", "-n", str(workers), "--dist", "loadfile", "--cov=interp", "--cov=analyses",
                          "--cov-context=test", "--cov-report=", f"--junitxml={junit}")  # fmt: skip
            if done.returncode:
                (tree / ".coverage").unlink(missing_ok=True)
                raise SystemExit(f"mutants: the tests fail as they are:\n{done.stdout[-3000:]}")
        self.seconds: dict[str, float] = {}
        for case in ElementTree.parse(junit).iter("testcase"):
            file = case.attrib["classname"].replace(".", "/") + ".py"
            self.seconds[f"{file}::{case.attrib['name']}"] = float(case.attrib["time"])
        data = CoverageData(str(tree / ".coverage"))
        data.read()
        self.lines = {Path(file).relative_to(tree).as_posix(): data.contexts_by_lineno(file) for file in data.measured_files()}

    def tests(self, file: str, line: int) -> list[str]:
        """Those of a line; of one that only an import runs, a constant, all of the file."""
        lines = self.lines.get(file, {})
        contexts = {each for each in lines.get(line, ()) if each} or {
            each for found in lines.values() for each in found if each
        }
        names = {each.partition("|")[0] for each in contexts}
        return sorted(names & self.seconds.keys(), key=self.seconds.__getitem__)


def try_one(mutant: Mutant, tree: Path, covered: Coverage) -> Outcome:
    """Put a fault into a copy, run the tests that run its line, take it out again."""
    path, tests = tree / mutant.file, covered.tests(mutant.file, mutant.line)
    source = path.read_text()
    code = mutant.code(source)
    before, after = (text.splitlines()[mutant.line - 1].strip() for text in (source, code))
    noticed = ""
    if tests:
        path.write_text(code)
        try:
            allowed = 120 + 5 * sum(covered.seconds[name] for name in tests)
            done = pytest(tree, "-x", "-q", "--tb=line", "-rfE", *tests, timeout=allowed)
            if done.returncode:
                lines = [line for line in done.stdout.splitlines() if line.startswith(("FAILED", "ERROR"))]
                noticed = lines[-1][:300] if lines else f"exit code {done.returncode}: {done.stdout[-300:]}"
        except subprocess.TimeoutExpired:
            noticed = "never ended"
        finally:
            path.write_text(source)
    return Outcome(mutant.name, before, after, noticed, len(tests))


def report(outcomes: list[Outcome], equivalent: dict[str, str]) -> int:
    """The figure, and what nobody noticed; 1 where fewer than nine in ten were."""
    survived = [each for each in outcomes if not each.noticed]
    same = [each for each in survived if f"{each.before} → {each.after}" in equivalent]
    counted = len(outcomes) - len(same)
    killed = len(outcomes) - len(survived)
    share = killed / counted if counted else 0.0
    print(f"{killed} of {counted} faults noticed: {share:.1%}; {len(same)} more change nothing that could be noticed")
    for each in survived:
        reason = equivalent.get(f"{each.before} → {each.after}", f"{each.tests} tests run this line")
        print(f"  {each.name}\n    - {each.before}\n    + {each.after}\n    {reason}")
    how = Counter("an assertion" if "Error" not in e.noticed.replace("AssertionError", "") else "an exception"
                  for e in outcomes if e.noticed)  # fmt: skip
    print("noticed by " + ", ".join(f"{kind} {count}" for kind, count in how.most_common()))
    return 0 if share >= 0.9 else 1


@dataclass(frozen=True, kw_only=True)
class Options:
    """What the command can be told."""

    count: int = 200
    """How many faults to try."""
    seed: int = 0
    """Seed of the sample."""
    workers: int = 2
    """How many copies are tried at once."""
    out: Path = ROOT / "build" / "mutants"
    """Where copies and results are kept."""


def main() -> int:
    """Try a sample, or go on with one; exit code 1 where fewer than nine in ten were noticed."""
    options = tyro.cli(Options, description=__doc__)
    folder = options.out.resolve()
    whole = folder / "whole"
    if not whole.exists():
        copy(whole)
    trees = [folder / f"tree-{number}" for number in range(options.workers)]
    for tree in trees:  # anew: one that was killed has left its fault there
        shutil.copytree(whole, tree, dirs_exist_ok=True)
    results, lock = folder / "outcomes.jsonl", threading.Lock()
    print(f"mutants: {whole}: which tests run which lines?", file=sys.stderr, flush=True)
    covered = Coverage(whole, folder, options.workers)
    wanted = {mutant.name: mutant for mutant in sample(whole, options.count, options.seed)}
    lines = results.read_text().splitlines() if results.exists() else []
    known = [each for each in (Outcome(**json.loads(line)) for line in lines) if each.name in wanted]
    waiting = [mutant for name, mutant in wanted.items() if name not in {each.name for each in known}]
    free = list(trees)

    def work(mutant: Mutant) -> None:
        with lock:
            tree = free.pop()
        outcome = try_one(mutant, tree, covered)
        with lock:
            free.append(tree)
            known.append(outcome)
            with results.open("a") as file:
                file.write(json.dumps(asdict(outcome)) + "\n")
            said = outcome.noticed or "NOT NOTICED"
            print(f"mutants: {len(known)} of {len(wanted)}: {mutant.name}: {said}"[:200], file=sys.stderr, flush=True)

    with ThreadPoolExecutor(options.workers) as pool:
        list(pool.map(work, waiting))
    return report(known, json.loads((ROOT / "tests" / "equivalent_mutants.json").read_text()))


if __name__ == "__main__":
    sys.exit(main())

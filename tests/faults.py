"""Small faults for ``mutants.py``: where they can be put, and a sample of them."""

import ast
import random
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from cosmic_ray.ast import Visitor, get_ast
from cosmic_ray.mutating import mutate_code
from cosmic_ray.operators.operator import Operator
from cosmic_ray.plugins import get_operator

SHOWS = (
    "interp/commands/", "interp/networks/lens.py", "interp/training/watching.py", "interp/sweep/pool.py",
    "analyses/__init__.py",
    "analyses/chapters.py", "analyses/names.py", "analyses/commands/", "analyses/findings/", "analyses/evidence/known.py",
    "analyses/reports/", "analyses/timeline/figure.py",
)  # fmt: skip
"""Files that show, print or pass on answers and compute none."""


SHOWING = {"table", "figure", "frequency_table", "moves_table", "dial_figure", "logit_figure", "circle_grid", "circle_trace",
           "walk_trace", "steps", "colours", "title", "panel", "describe", "says", "sentence", "__repr__"}  # fmt: skip
"""Methods that do."""


BINARY = {
    "Add": ["Sub"], "Sub": ["Add"], "Mul": ["Div"], "Div": ["Mul"], "FloorDiv": ["Mul"], "Mod": ["FloorDiv"], "Pow": ["Mul"],
    "BitAnd": ["BitOr"], "BitOr": ["BitAnd"],
}  # fmt: skip


COMPARISON = {
    "Eq": ["NotEq"], "NotEq": ["Eq"], "Is": ["IsNot"], "IsNot": ["Is"],
    "Lt": ["LtE", "GtE"], "LtE": ["Lt", "Gt"], "Gt": ["GtE", "LtE"], "GtE": ["Gt", "Lt"],
}  # fmt: skip
"""What operators are mistaken for; cosmic-ray knows more, most of which crash at once."""


OTHERS = ("AddNot", "ReplaceTrueWithFalse", "ReplaceFalseWithTrue", "ReplaceAndWithOr", "ReplaceOrWithAnd", "NumberReplacer",
          "ReplaceUnaryOperator_Delete_USub", "ReplaceUnaryOperator_Delete_Not")  # fmt: skip


Place = tuple[int, int]
"""Line and column."""


@dataclass(frozen=True)
class Mutant:
    """One fault."""

    file: str
    line: int
    column: int
    operator: str
    occurrence: int

    @property
    def name(self) -> str:
        """Where and what it is."""
        return f"{self.file}:{self.line}:{self.column} {self.operator}#{self.occurrence}"

    def code(self, source: str) -> str:
        """The file with the fault in it."""
        mutated: str = mutate_code(source, _operator(self.operator), self.occurrence)
        return mutated


def mutants(root: Path) -> Iterator[Mutant]:
    """All faults in the code that computes answers."""
    for file in sorted([*root.glob("interp/**/*.py"), *root.glob("analyses/**/*.py")]):
        name = file.relative_to(root).as_posix()
        if not name.startswith(SHOWS):
            source = file.read_text()
            ignored = set(_ignored(ast.parse(source)))
            for operator, places in _places(source).items():
                for occurrence, (line, column) in enumerate(places):
                    if not any(first <= (line, column) < last for first, last in ignored):
                        yield Mutant(name, line, column, operator, occurrence)


def sample(root: Path, count: int, seed: int) -> list[Mutant]:
    """As many of them, places drawn first, so that an operator with many replacements is not drawn more often."""
    places = defaultdict(list)
    for mutant in mutants(root):
        places[mutant.file, mutant.line, mutant.column].append(mutant)
    drawn, chosen = random.Random(seed), []
    for place in drawn.sample(sorted(places), min(3 * count, len(places))):
        mutant = drawn.choice(places[place])
        code = mutant.code((root / mutant.file).read_text())
        try:
            compile(code, mutant.file, "exec")
        except SyntaxError:
            continue
        chosen.append(mutant)
    return chosen[:count]


def _operators() -> Iterator[str]:
    for kind, mistaken in (("Binary", BINARY), ("Comparison", COMPARISON)):
        for name, others in mistaken.items():
            yield from (f"Replace{kind}Operator_{name}_{other}" for other in others)
    yield from OTHERS


def _operator(name: str) -> Operator:
    return get_operator(f"core/{name}")()


def _places(source: str) -> dict[str, list[Place]]:
    """Where each operator applies, in the order in which cosmic-ray counts."""
    operators = {name: _operator(name) for name in _operators()}
    found: dict[str, list[Place]] = {name: [] for name in operators}

    class Finder(Visitor):  # type: ignore[misc]
        def visit(self, node: object) -> object:
            for name, operator in operators.items():
                found[name].extend(start for start, _ in operator.mutation_positions(node))
            return node

    Finder().walk(get_ast(source))
    return found


def _ignored(tree: ast.Module) -> Iterator[tuple[Place, Place]]:
    """Places of what computes nothing: annotations, messages of exceptions, methods that show."""
    for node in ast.walk(tree):
        skipped: list[ast.AST | None] = []
        if isinstance(node, ast.FunctionDef):
            skipped = [node.returns, *([node] if node.name in SHOWING else [])]
            yield (node.lineno, 0), (node.body[0].lineno, 0)  # the signature: its star is no product
        elif isinstance(node, ast.arg | ast.AnnAssign):
            skipped = [node.annotation]
        elif isinstance(node, ast.Raise | ast.JoinedStr):
            skipped = [node]
        elif isinstance(node, ast.ClassDef):
            skipped = [*node.decorator_list]
        elif isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            skipped = [node]
        elif isinstance(node, ast.Assign) and isinstance(node.value, ast.Subscript):
            skipped = [node.value]  # a name for a type
        for each in skipped:
            if each is not None:
                yield (each.lineno, each.col_offset), (each.end_lineno, each.end_col_offset)  # type: ignore[attr-defined]

"""What a sweep is: a TOML file that says which networks to train and what to keep of them.

    keep = 0.02                       # share of the networks whose weights are kept: 0, the default, to 1
    records = true                    # losses and accuracies of every record, and not of the last alone; false by default
    timeline = true                   # the phases of every run, and what its timeline says of every record; false by default
    findings = ["explanation"]        # measurements whose numbers are kept, beside the verdict

    [[networks]]                      # as many blocks as are wanted
    recipe = "zhong-2023"             # where all that is not said comes from; "quick" if it is not said
    seeds = "0:5"                     # 0 to 4; or [3, 5]
    label = "narrow"                  # a word of your own for these networks
    set = {steps = 4000, network.d_model = 64, network.d_head = 16, network.d_mlp = 256}
    grid = {weight_decay = [1, 2], network.activation = ["relu", "gelu"]}     # every combination of these
    each = [{learning_rate = 1e-3, beta_2 = 0.98}, {learning_rate = 3e-3}]    # with each of these
    draw = {network.attention_rate = {uniform = [0, 1]}}       # drawn anew for every network: uniform, log_uniform, choice
    in_turn = [{p = 59}, {p = 97}]    # the first seed has the first of these, the second the second, and so on in turn
    best = true                       # the record with the least test loss is measured, and not the last; false by default

What can be said is what a recipe has, by the same names, and ``record_every``, ``precision`` and ``device`` of a run.
"""

import math
import random
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from functools import cached_property
from itertools import product
from pathlib import Path
from typing import Any

from interp.configuration import check_type, from_plain
from interp.errors import InterpError
from interp.recipe import RECIPES, Recipe
from interp.sweep.point import Point
from interp.tasks import symbols_of
from interp.training.run_config import RunConfig

DRAWS = ("uniform", "log_uniform", "choice")
"""Ways to draw a value: between two numbers, between two positive numbers evenly in their logarithm, or one of a list."""
OF_RUN = ("record_every", "precision", "device")
"""What can be said of a run beside its recipe."""
MAX_POINTS = 10_000_000
"""Largest number of networks in a sweep: they are all named before the first is trained."""


@dataclass(frozen=True, kw_only=True)
class Block:
    """Networks of one kind: every seed with every one of ``each`` with every combination of the grid."""

    recipe: str = "quick"
    seeds: tuple[int, ...] = (0,)
    label: str = ""
    set: dict[str, Any] = field(default_factory=dict)
    """Option → value, nested as in a recipe."""
    grid: dict[str, Any] = field(default_factory=dict)
    """Option → values, nested as in a recipe."""
    each: tuple[dict[str, Any], ...] = ({},)
    """Alternatives: mappings like ``set``."""
    draw: dict[str, Any] = field(default_factory=dict)
    """Option → how it is drawn, nested as in a recipe. A network's draws depend on its seed alone."""
    in_turn: tuple[dict[str, Any], ...] = ({},)
    """Mappings like ``set``, of which each seed has one: the first seed the first, and again from the first after the last."""
    best: bool = False
    """Is the record with the least test loss measured and kept, and not the last?"""

    def points(self) -> Iterator[Point]:
        """The networks of this block, in the order of seeds, so that a part of them is as varied as all."""
        if self.recipe not in RECIPES:
            raise InterpError(f"expected a recipe among {', '.join(RECIPES)}, got {self.recipe!r:.40}")
        grid = dict(_leaves(self.grid, ()))
        alternatives = [dict(_leaves(each, ())) for each in self.each]
        turns = [dict(_leaves(each, ())) for each in self.in_turn]
        for (turn, seed), alternative, values in product(enumerate(self.seeds), alternatives, product(*grid.values())):
            said = dict(_leaves(self.set, ())) | turns[turn % len(turns)] | alternative | dict(zip(grid, values, strict=True))
            yield Point(config=_config(self.recipe, seed, said | self._drawn(seed)), label=self.label, best=self.best)

    def _drawn(self, seed: int) -> dict[str, Any]:
        chance = random.Random(seed)
        return {name: _draw(chance, name, how) for name, how in _leaves(self.draw, DRAWS)}

    @property
    def count(self) -> int:
        """Number of its networks."""
        return len(self.seeds) * len(self.each) * math.prod(len(values) for _, values in _leaves(self.grid, ()))


@dataclass(frozen=True, kw_only=True)
class Spec:
    """A sweep: its networks, and what is kept of each."""

    networks: tuple[Block, ...]
    findings: tuple[str, ...] = ()
    """Names of measurements, whose numbers become columns beside the verdict."""
    keep: float = 0.0
    """Share of the networks whose weights are kept, 0 to 1; which, their names decide."""
    records: bool = False
    """Are losses and accuracies of every record kept, and not of the last alone?"""
    timeline: bool = False
    """Is every record of every run measured, and the run's phases found?"""

    def __post_init__(self) -> None:
        if not 0 <= self.keep <= 1:
            raise InterpError(f"expected keep, a share of the networks, from 0 to 1, got {self.keep}")
        if (count := sum(block.count for block in self.networks)) > MAX_POINTS:
            raise InterpError(f"expected at most {MAX_POINTS} networks, got {count}")
        if not self.networks:
            raise InterpError("expected at least one [[networks]] block")

    @cached_property
    def points(self) -> dict[str, Point]:
        """The networks of the sweep by name, in order; what two blocks have in common is one network, of the first."""
        found: dict[str, Point] = {}
        for block in self.networks:
            for point in block.points():
                found.setdefault(point.name, point)
        return found


def read_spec(path: str | Path) -> Spec:
    """The sweep that a file describes. Raises InterpError, naming the file, where it describes none."""
    try:
        return spec_of(tomllib.loads(Path(path).read_text()))
    except OSError as error:
        raise InterpError(f"cannot read {path}: {error.strerror}") from error
    except (InterpError, ValueError, RecursionError) as error:
        raise InterpError(f"{path}: {error}") from error


def spec_of(values: Mapping[str, Any]) -> Spec:
    """The sweep in plain values, as a TOML file has them. Raises InterpError where they describe none that can be."""
    blocks = values.get("networks", [])
    if not isinstance(blocks, list) or not all(isinstance(each, dict) for each in blocks):
        raise InterpError("expected [[networks]] blocks")
    whole = {"findings": [], **values, "networks": [_block(each) for each in blocks]}
    if not _is_list_of(whole["findings"], str):
        raise InterpError("expected findings to be a list of names of measurements")
    check_type(whole.get("keep", 0.0), float, "keep")
    for name in ("records", "timeline"):
        check_type(whole.get(name, False), bool, name)
    if unknown := sorted(whole.keys() - {each.name for each in fields(Spec)}):
        raise InterpError(f"expected networks, findings, keep, records and timeline, got {', '.join(unknown)}")
    whole["findings"] = tuple(whole["findings"])
    whole["keep"] = float(whole.get("keep", 0.0))
    spec = Spec(**{**whole, "networks": tuple(whole["networks"])})
    _ = spec.points  # what is impossible is refused here, before anything is trained
    return spec


def _block(values: Mapping[str, Any]) -> Block:
    plain = {"recipe": "quick", "label": "", **values, "seeds": _seeds(values.get("seeds", [0]))}
    for name in ("each", "in_turn"):
        plain.setdefault(name, [{}])
        if not _is_list_of(plain[name], dict) or not plain[name]:
            raise InterpError(f"expected {name} to be a list of mappings")
    for name in ("set", "grid", "draw"):
        if not isinstance(plain.get(name, {}), dict):
            raise InterpError(f"expected {name} to be a mapping")
    for name, choices in _leaves(plain.get("grid", {}), ()):
        if not isinstance(choices, list) or not choices:
            raise InterpError(f"expected a list of values for {name} in a grid, got {choices!r:.40}")
    varied = [name for part in ("grid", "draw") for name, _ in _leaves(plain.get(part, {}), DRAWS)]
    for part in ("each", "in_turn"):
        varied += {name for alternative in plain[part] for name, _ in _leaves(alternative, ())}
    if twice := sorted({name for name in varied if varied.count(name) > 1}):
        raise InterpError(f"expected each option in one of grid, each, draw and in_turn, got {', '.join(twice)} in two")
    for name in ("recipe", "label"):
        check_type(plain[name], str, name)
    check_type(plain.get("best", False), bool, "best")
    known = [each.name for each in fields(Block)]
    if unknown := sorted(plain.keys() - set(known)):
        raise InterpError(f"expected of [[networks]] {', '.join(known)}, got {', '.join(unknown)}")
    return Block(**{**plain, "each": tuple(plain["each"]), "in_turn": tuple(plain["in_turn"])})


def _seeds(said: Any) -> tuple[int, ...]:
    """Seeds from "0:8", from one number or from a list of numbers."""
    seeds: Any = [said] if type(said) is int else said
    if isinstance(said, str):
        first, colon, end = said.partition(":")
        seeds = range(int(first), int(end)) if colon and _is_short(first) and _is_short(end) else []
    if not isinstance(seeds, list | range) or not seeds or not all(type(each) is int for each in seeds[:MAX_POINTS]):
        raise InterpError(f'expected seeds like "0:8" or [1, 4, 7], got {said!r:.40}')
    if len(seeds) > MAX_POINTS or len(set(seeds)) < len(seeds):
        raise InterpError(f"expected at most {MAX_POINTS} seeds, each once")
    return tuple(seeds)


def _is_short(digits: str) -> bool:
    return digits.isdecimal() and len(digits) < 19


def _is_list_of(value: Any, kind: type) -> bool:
    return isinstance(value, list) and all(isinstance(each, kind) for each in value)


def _leaves(values: Mapping[str, Any], ends: Sequence[str], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Dotted names and values of nested mappings; one with a key among ``ends`` is a value."""
    for name, value in values.items():
        if value == {}:
            raise InterpError(f"expected a value for {prefix}{name}, got an empty mapping")
        if isinstance(value, dict) and not any(key in ends for key in value):
            yield from _leaves(value, ends, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value


def _draw(chance: random.Random, name: str, how: Any) -> Any:
    kind, values = next(iter(how.items())) if isinstance(how, dict) and len(how) == 1 else ("", None)
    if kind == "choice" and isinstance(values, list) and values:
        return chance.choice(values)
    if isinstance(values, list) and len(values) == 2 and all(type(x) in (int, float) and abs(x) < 1e300 for x in values):
        low, high = values
        if kind == "uniform" and low < high:
            return low + (high - low) * chance.random()
        if kind == "log_uniform" and 0 < low < high:
            return math.exp(math.log(low) + math.log(high / low) * chance.random())
    ways = "{uniform = [0, 1]}, {log_uniform = [0.1, 10]} or {choice = [...]}"
    raise InterpError(f"expected {name} to be drawn as {ways}, got {how!r:.60}")


def _config(recipe: str, seed: int, said: Mapping[str, Any]) -> RunConfig:
    """The run of a recipe and a seed in which the options have these values. Raises InterpError where there is none."""
    values: dict[str, Any] = RECIPES[recipe].to_dict()
    if isinstance(said.get("task"), str) and "p" not in said and (symbols := symbols_of(said["task"])):
        values["p"] = symbols
    run = {name: said[name] for name in OF_RUN if name in said}
    for name, value in said.items():
        if name not in OF_RUN:
            _put(values, name, value)
    options = {"seed": seed, "recipe_name": recipe, "snapshots_per_decade": 0, **run, "recipe": Recipe.from_dict(values)}
    config: RunConfig = from_plain(RunConfig, options, "run")
    return config


def _put(values: dict[str, Any], name: str, value: Any) -> None:
    *outer, last = name.split(".")
    for each in outer:
        values = values.get(each, {})
        if not isinstance(values, dict):
            values = {}
    if last not in values:
        raise InterpError(f"no recipe has an option {name!r:.60}")
    values[last] = value

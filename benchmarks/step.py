"""How fast is a training step, beside the usual ways to compute it?

Per configuration, in turns, on one thread, each way in a process of its own, so that none sees how another uses memory:

- fast: this project's step (forward, backward, AdamW), which ``interp-train`` runs
- products: the dense matrix products of that same step alone, recorded while it runs and replayed into ready memory
- plain: the same step pair by pair through ``interp.networks.forward``
- TransformerLens: the same step through TransformerLens's own native model
- notebook: what the loops that people share do at every step: TransformerLens, train loss, test loss, update

Prints milliseconds of processor time, median (min–max), and the ratios of the medians to fast. Seconds depend on the machine
and on what else it does; the ratios are what to compare.
"""

import multiprocessing
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from multiprocessing.connection import Connection
from typing import Any

import torch
import tyro
from rich.console import Console
from rich.table import Table
from torch.nn import functional
from torch.utils._python_dispatch import TorchDispatchMode

from interp.networks.initialisation import initialise
from interp.networks.lens import to_transformer_lens, tokens
from interp.recipe import RECIPES, Recipe
from interp.training.batch import Batch, PlainBatch
from interp.training.fast_batch import FastBatch
from interp.training.loop import initial_network, training_split, training_step
from interp.training.optimisers import Optimiser

_NANDA, _ZHONG = RECIPES["nanda-2023"], RECIPES["zhong-2023"]
CONFIGURATIONS: dict[str, Recipe] = {
    "nanda-2023": _NANDA,
    "nanda-2023, GeLU": replace(_NANDA, network=replace(_NANDA.network, activation="gelu")),
    "nanda-2023, all biases": replace(_NANDA, network=replace(_NANDA.network, attention_biases=True, unembed_bias=True)),
    "nanda-2023, α = .5": replace(_NANDA, network=replace(_NANDA.network, attention_rate=0.5)),
    "nanda-2023, no '='": replace(_NANDA, network=replace(_NANDA.network, equals_token=False, answers_equals=False)),
    "nanda-2023, p = 59": replace(_NANDA, p=59),
    "zhong-2023 (p = 59)": _ZHONG,
    "zhong-2023, α = .5": replace(_ZHONG, network=replace(_ZHONG.network, attention_rate=0.5)),
}
Step = Callable[[], Any]
FAST, PRODUCTS, PLAIN, LENS, NOTEBOOK = "fast", "products", "plain", "TransformerLens", "notebook"


@dataclass(frozen=True, kw_only=True)
class Options:
    """What the command can be told."""

    rounds: int = 15
    """How often each step is measured."""
    only: tuple[str, ...] = tuple(CONFIGURATIONS)
    """Some of the configurations, by their names in the table."""
    threads: int = 1
    """Threads of the processor."""


def main() -> None:
    options = tyro.cli(Options, description=__doc__)
    table = Table("configuration", *WAYS, title=f"ms per step, {options.threads} thread(s)")
    console = Console(width=200)
    for name in options.only:
        print(name, file=sys.stderr)
        times = measure(CONFIGURATIONS[name], rounds=options.rounds, threads=options.threads)
        table.add_row(name, *_cells(times))
    console.print(table)


def measure(recipe: Recipe, *, rounds: int, threads: int) -> dict[str, list[float]]:
    """Milliseconds per step of each way, taken in turns so that what else the machine does hits them alike."""
    context = multiprocessing.get_context("spawn")
    there: dict[str, "Connection[Any, Any]"] = {}
    for way in WAYS:
        there[way], theirs = context.Pipe()
        context.Process(target=_serve, args=(theirs, way, recipe, threads), daemon=True).start()
    times: dict[str, list[float]] = {way: [] for way in WAYS}
    for round_ in range(rounds + 2):
        for way, connection in there.items():
            connection.send(True)
            milliseconds = connection.recv()
            if round_ >= 2:  # the first ones fetch memory
                times[way].append(milliseconds)
    for connection in there.values():
        connection.send(False)
    return times


def _serve(connection: "Connection[Any, Any]", way: str, recipe: Recipe, threads: int) -> None:
    """In a process of its own: one step whenever it is asked for."""
    torch.set_num_threads(threads)
    step = WAYS[way](recipe)
    while connection.recv():
        start = time.process_time()
        step()
        connection.send(1000 * (time.process_time() - start))


def _cells(times: dict[str, list[float]]) -> list[str]:
    fast = statistics.median(times[FAST])

    def cell(name: str) -> str:
        median = statistics.median(times[name])
        spread = f"{median:.1f} ({min(times[name]):.1f}–{max(times[name]):.1f})"
        match name:
            case "fast":
                return spread
            case "products":
                return f"{spread}  fast is {fast / median:.2f}×"
        return f"{spread}  {median / fast:.1f}×"

    return [cell(name) for name in times]


def _step(recipe: Recipe, kind: type[Batch]) -> Step:
    pairs = training_split(recipe, 0).train_pairs
    data = kind(recipe.config, pairs, recipe.task_value.answers(pairs))
    parameters = {name: x.clone().requires_grad_() for name, x in initial_network(recipe, 0).parameters.items()}
    optimiser = Optimiser(recipe, parameters)
    return lambda: training_step(parameters, optimiser, 100, data)


class _Products(TorchDispatchMode):
    """Notes the operands of every dense matrix product that runs."""

    def __init__(self) -> None:
        super().__init__()
        self.operands: list[tuple[torch.Tensor, torch.Tensor]] = []

    def __torch_dispatch__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        name = function.overloadpacket.__name__
        if name in ("mm", "bmm", "addmm", "addmm_", "baddbmm"):
            x, y = args[-2:]
            if x.layout == torch.strided:
                self.operands.append((x.detach().clone(), y.detach().clone()))
        return function(*args, **(kwargs or {}))


def _products(recipe: Recipe) -> Step:
    with _Products() as products:
        _step(recipe, FastBatch)()
    ready = [(x, y, torch.matmul(x, y)) for x, y in products.operands]

    def replay() -> None:
        for x, y, out in ready:
            torch.matmul(x, y, out=out)

    return replay


def _transformer_lens_step(recipe: Recipe, *, also_test: bool) -> Step:
    """Straightforward: token rows through the model, float64 cross-entropy at the last position, AdamW."""
    config, pairs = recipe.network.with_symbols(recipe.p), training_split(recipe, 0)
    model = to_transformer_lens(initialise(config, seed=0)).train()
    parameters = [parameter.requires_grad_() for parameter in model.parameters()]
    adamw = torch.optim.AdamW(
        parameters, lr=recipe.learning_rate, weight_decay=recipe.weight_decay, betas=(recipe.beta_1, recipe.beta_2)
    )
    rows = tokens(config)
    answers = recipe.task_value.table().flatten()

    def loss(indices: torch.Tensor) -> torch.Tensor:
        return functional.cross_entropy(model(rows[indices])[:, -1].double(), answers[indices])

    def step() -> None:
        adamw.zero_grad()
        loss(pairs.train_pairs).backward()
        if also_test:
            with torch.no_grad():
                loss(pairs.test_pairs)
        adamw.step()

    return step


WAYS: dict[str, Callable[[Recipe], Step]] = {
    FAST: partial(_step, kind=FastBatch),
    PRODUCTS: _products,
    PLAIN: partial(_step, kind=PlainBatch),
    LENS: partial(_transformer_lens_step, also_test=False),
    NOTEBOOK: partial(_transformer_lens_step, also_test=True),
}

if __name__ == "__main__":
    main()

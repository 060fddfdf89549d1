"""Circuit: a network with its activations on all pairs of its task, computed once and re-runnable with edits.

Every analysis takes a circuit. A circuit works in the numbers in which its task is addition (``Relabelling``): what is a and
what is b, the pairs, the embeddings and the answers are in the order of these numbers, so that an analysis of a + b serves
every task that is addition in other numbers.
"""

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, TypeVar

import torch
from jaxtyping import Float, Int
from torch import Tensor

from interp import fourier
from interp.errors import InterpError
from interp.groups.group import Group
from interp.memory import missing, rows_at_once, whole
from interp.networks.hooks import Edit, EditOfHook, edit_of
from interp.networks.model import Model, Tables, Unavailable, check_analysable
from interp.tasks.addition import Addition
from interp.tasks.task import UNDEFINED, Relabelling, Task

T = TypeVar("T")

A_GROUP = "the product of a group in other symbols"
"""The kind of task that a measurement of a group needs."""

KEPT = 1 << 27
"""Largest number of values of one kind (logits, neurons) on all pairs that is kept from one measurement to the next, half a
gigabyte in single precision; more than that is computed anew, a few rows at a time, as often as it is asked for."""


@dataclass(frozen=True, eq=False)
class Circuit:
    """A network on all pairs. Activations are computed at first use, in the network's own precision, and kept."""

    network: Model
    train_pairs: Int[Tensor, " train"] | None = None
    """Indices a·p + b, in the task's own symbols, of the pairs that the network was trained on; None where not known."""
    told: Int[Tensor, " train"] | None = None
    """Labels that training gave to ``train_pairs``, in the task's own symbols; None where all are right, or not known."""
    edits: Mapping[str, Edit] = field(default_factory=dict)
    """Edits of activations: name → function from the activation to its replacement; see ``interp.networks.forward``."""
    replaced_tables: Tables | None = None
    """Embeddings of a and b to read instead of the network's own, in the order of ``numbers``; None to read its own."""
    notes: tuple[str, ...] = ()
    """Notes on how the network's file was read, where that was not obvious."""
    task: Task = None  # type: ignore[assignment]
    """Task that the network has to compute; addition where none is given."""
    step: int | None = None
    """Training step that the network was taken at: how many updates of its weights were done; None where not known."""
    _memory: dict[Any, Any] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        check_analysable(self.network)
        if self.task is None:
            object.__setattr__(self, "task", Addition(self.network.p))
        if self.task.p != self.network.p:
            raise InterpError(f"expected a network with {self.task.p} symbols for {self.task.sentence}, got {self.network.p}")
        if self.told is not None and (self.train_pairs is None or len(self.told) != len(self.train_pairs)):
            raise InterpError("expected a label for every training pair that is known, and for no other pair")

    def __repr__(self) -> str:
        return f"Circuit({self.task.sentence}, {self.network.describe()}{', edited' if self.edits else ''})"

    @cached_property
    def numbers(self) -> Relabelling:
        """The numbers of a, b and c in which the task is a group's operation, as addition is; else each symbol's own index."""
        itself = torch.arange(self.network.p)
        return self.task.relabelling() or Relabelling(a=itself, b=itself, c=itself)

    @property
    def is_of_group(self) -> bool:
        """Is the task the operation of a group, in ``numbers``?"""
        return self.task.relabelling() is not None

    @property
    def is_addition(self) -> bool:
        """Is the task addition in ``numbers``?"""
        return self.is_of_group and self.numbers.is_addition

    @property
    def group(self) -> Group:
        """The group whose elements the numbers are. Raises Unavailable where the task is no group's operation."""
        if not self.is_of_group:
            raise Unavailable(self.lacking(A_GROUP))
        return self.numbers.group

    @cached_property
    def places(self) -> tuple[Int[Tensor, " a"], Int[Tensor, " b"], Int[Tensor, " c"]]:
        """The number that stands for each of the task's symbols of a, of b and of c; UNDEFINED for a symbol without one."""

        def inverse(symbols: Tensor) -> Tensor:
            place = torch.full((self.network.p,), UNDEFINED)
            place[symbols] = torch.arange(self.p)
            return place

        return inverse(self.numbers.a), inverse(self.numbers.b), inverse(self.numbers.c)

    @cached_property
    def is_plain(self) -> bool:
        """Is every symbol a number, and every number its own symbol?"""
        return self.p == self.network.p and self.numbers.changes_nothing

    @property
    def p(self) -> int:
        """How many numbers a, b and c may each be: the modulus of an addition, the order of a group."""
        return self.numbers.modulus

    def lacking(self, kind: str) -> str:
        """What is said of a task that is not of the kind that a measurement needs, and why, as far as that is known."""
        why = self.task.why_no_group()
        return f"needs a task that is {kind}, which {self.task.sentence} is not{f': {why}' if why else ''}"

    @cached_property
    def tables(self) -> Tables:
        """The embeddings of the numbers as a and as b, [p, d_model] each, before positions are added."""
        if self.replaced_tables is not None:
            return self.replaced_tables
        E_a, E_b = self.network.tables()
        return (E_a, E_b) if self.is_plain else (E_a[self.numbers.a], E_b[self.numbers.b])

    @property
    def embedding(self) -> Float[Tensor, "p d_embedding"]:
        """W_E of the numbers ('=' left out); where a and b are embedded differently, their two tables side by side."""
        E_a, E_b = self.tables
        return E_a if E_a is E_b or E_a.data_ptr() == E_b.data_ptr() else torch.cat([E_a, E_b], dim=1)

    @property
    def neuron_logit_map(self) -> Float[Tensor, "neuron p"]:
        """W_L = W_out W_U: what each neuron of the last layer adds to the logit of each answer."""
        return self.relabelled(self.network.neuron_logit_map())

    @cached_property
    def logits(self) -> Float[Tensor, "a b c"]:
        """The logit of every answer c for every pair, '=' left out."""
        if self.replaced_tables is None and not self.edits:
            given = self.network.given_logits()
            if given is not None:
                return given if self.is_plain else self.relabelled(given[self.numbers.a][:, self.numbers.b])
        self.check_room(self.p**3, "the logits of all pairs")
        is_itself = self.replaced_tables is None and not self.edits  # of a changed network mostly logits alone are asked for
        at_once = self.network.usual_names() if self.keeps_neurons and is_itself else []
        found = whole(self.p, ({**kept, "logits": logits} for logits, kept in self._runs(at_once)))
        logits = found.pop("logits")
        self._activations.update(found)
        return logits

    @cached_property
    def centred_logits(self) -> Float[Tensor, "a b c"]:
        """Logits minus their mean over c, float64: adding a constant to all logits of a pair changes no answer."""
        self.check_room(4 * self.p**3, "the logits of all pairs in double precision")
        return fourier.centred(self.logits)

    @cached_property
    def own_logits(self) -> Float[Tensor, "a b c"]:
        """The logits of all pairs in the order of the task's own symbols, pairs that have no answer among them."""
        if self.is_plain:
            return self.logits
        if self.p == self.network.p:
            a, b, c = self.places
            return self.logits[a][:, b][..., c]
        if self.edits or self.replaced_tables is not None:
            raise Unavailable("needs a network that is not edited: an edit sees only the pairs that are an addition")
        return Circuit(self.network).logits  # as addition of its own symbols, nothing is relabelled

    @property
    def train_numbers(self) -> Int[Tensor, " train"] | None:
        """The training pairs as indices a·p + b in ``numbers``; pairs without numbers are left out. None where not known."""
        if self.train_pairs is None or self.is_plain:
            return self.train_pairs
        place_a, place_b, _ = self.places
        a, b = place_a[self.train_pairs // self.network.p], place_b[self.train_pairs % self.network.p]
        return (a * self.p + b)[(a != UNDEFINED) & (b != UNDEFINED)].sort().values

    @cached_property
    def answers(self) -> Int[Tensor, "a b"]:
        """The right answers in ``numbers``: (a + b) mod p in an addition; UNDEFINED where a task has none."""
        own = self.task.table()[self.numbers.a][:, self.numbers.b]
        return torch.where(own == UNDEFINED, UNDEFINED, self.places[2][own])

    @property
    def neurons(self) -> Float[Tensor, "a b neuron"]:
        """Activations of the last layer's neurons (after the nonlinearity) at the answering position."""
        return self.activation(self.network.neurons_name()).select(-2, -1)

    @property
    def pattern(self) -> Float[Tensor, "a b head key"]:
        """The last layer's attention from the answering position to every position: α·softmax + (1-α)·ones."""
        return self.activation(self.network.pattern_name()).select(-2, -1)

    def activation(self, name: str) -> Tensor:
        """The activation of this TransformerLens name on all pairs, batch axes [a, b] first (hook_pos_embed has none).

        Raises InterpError on a name that this network does not have.
        """
        if name in self.network.usual_names():
            return self._usual(name)
        kept = self._activations
        if name not in kept:
            value = self.run_rows([name], torch.arange(self.p))[1][name]
            # What does not depend on a, or on b, was computed once and is shown to all; W_pos depends on neither.
            kept[name] = value if name == "hook_pos_embed" else value.expand(self.p, self.p, *value.shape[2:])
        return kept[name]

    def run(
        self, E_a: Tensor, E_b: Tensor, *, record: Collection[str] = (), edits: Mapping[str, Edit] | None = None
    ) -> tuple[Float[Tensor, "*batch p"], dict[str, Tensor]]:
        """Run on any embeddings of a and b (batch axes broadcast): the answers' logits, and the recorded activations."""
        logits, activations = self.network.run(E_a, E_b, record=record, edits=edits)
        return self.relabelled(logits), activations

    def with_embedding(self, embedding: Float[Tensor, "p d_embedding"]) -> "Circuit":
        """This circuit, reading other vectors for the numbers (shaped as its ``embedding``); '=' keeps its own vector."""
        old = self.embedding
        if embedding.shape != old.shape:
            raise InterpError(f"expected an embedding of shape {list(old.shape)}, got {list(embedding.shape)}")
        new = embedding.to(old.dtype)
        width = self.tables[0].shape[1]
        return self.with_tables((new, new) if old.shape[1] == width else (new[:, :width], new[:, width:]))

    def with_tables(self, tables: Tables) -> "Circuit":
        """This circuit, reading other vectors for the numbers as a and as b (shaped as its ``tables``)."""
        for new, old in zip(tables, self.tables, strict=True):
            if new.shape != old.shape:
                raise InterpError(f"expected embeddings of shape {list(old.shape)}, got {list(new.shape)}")
        return replace(self, replaced_tables=tables, _memory={})

    def with_activation(self, name: str, replacement: Tensor | Edit | EditOfHook) -> "Circuit":
        """This circuit with one activation replaced: by a tensor of its shape, or by a function of it.

        A function of two arguments is given the hook, too, whose ``name`` it can ask for: TransformerLens's (activation, hook).
        """
        edit = (lambda _: replacement) if isinstance(replacement, Tensor) else edit_of(replacement, name)
        return replace(self, edits={**self.edits, name: edit}, _memory={})

    def anew(self) -> "Circuit":
        """This circuit with nothing computed yet, so that it takes no memory."""
        return replace(self, _memory={})

    def remember(self, key: Any, compute: Callable[[], T]) -> T:
        """The value of ``compute()``, computed at the first call with this key."""
        if key not in self._memory:
            self._memory[key] = compute()
        value: T = self._memory[key]
        return value

    def relabelled(self, over_answers: Tensor) -> Tensor:
        """A tensor whose last axis is the symbols of the answer, in the order of the answers' numbers."""
        return over_answers if self.is_plain else over_answers[..., self.numbers.c]

    def rows(self) -> tuple[Int[Tensor, " rows"], ...]:
        """All values of a, a few at a time: fresh memory for all pairs at once costs more than the arithmetic."""
        at_once = self.p if self.edits else rows_at_once(self.p * max(self.p, self.network.width()))  # an edit sees all whole
        return torch.arange(self.p).split(at_once)

    def check_room(self, numbers: int, what: str) -> None:
        """Raises Unavailable where so many numbers in single precision are more than there is memory for."""
        if lack := missing(4 * numbers):
            raise Unavailable(f"needs {what} at once, which would take {lack}")

    @cached_property
    def _activations(self) -> dict[str, Tensor]:
        return {}

    def _usual(self, name: str) -> Tensor:
        """One of the ``usual_names``, which nearly every analysis needs; all of them that are small are recorded in one run."""
        if name not in self._activations:
            if not self.keeps_neurons and name == self.network.neurons_name():
                self.check_room(self.p**2 * self.network.width(), f"{name} of all pairs")
            names = self.network.usual_names() if self.keeps_neurons else [name]
            self._activations.update(whole(self.p, (kept for _, kept in self._runs(names))))
        return self._activations[name]

    @property
    def keeps_logits(self) -> bool:
        """Are the logits of all pairs few enough to be kept?"""
        return self.p**3 <= KEPT

    @property
    def keeps_neurons(self) -> bool:
        """Are the neurons of all pairs few enough to be kept without being asked for?"""
        return self.p**2 * self.network.width() <= KEPT

    def _runs(self, record: Collection[str]) -> Iterator[tuple[Tensor, dict[str, Tensor]]]:
        return (self.run_rows(record, rows) for rows in self.rows())

    @torch.no_grad()
    def run_rows(self, record: Collection[str], a: Int[Tensor, " rows"]) -> tuple[Tensor, dict[str, Tensor]]:
        """Run the pairs of some values of a with every b: their logits, [row, b, c], and the recorded activations."""
        if self.replaced_tables is not None:
            E_a, E_b = self.replaced_tables
            return self.run(E_a[a][:, None], E_b[None], record=record, edits=self.edits)
        symbols = self.numbers.a[a][:, None], self.numbers.b[None]
        logits, activations = self.network.run_symbols(*symbols, record=record, edits=self.edits)
        return self.relabelled(logits), activations

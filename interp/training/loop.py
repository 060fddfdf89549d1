"""The training loop, which yields snapshots. No files, no printing."""

import math
from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from functools import partial

import torch
from jaxtyping import Float, Int
from torch import Tensor

from interp.errors import InterpError
from interp.networks.attention_free import AttentionFreeConfig
from interp.networks.config import Parameters
from interp.networks.initialisation import initialise, initialise_attention_free
from interp.networks.kinds import Config, Trained, network_of
from interp.networks.token_tables import has_token_tables
from interp.recipe import Recipe
from interp.tasks.labels import told
from interp.tasks.split import Split, split
from interp.training.batch import Batch, PlainBatch
from interp.training.denormals import flush_denormals
from interp.training.fast_batch import FastBatch
from interp.training.losses import LOSSES, Loss
from interp.training.minibatches import Minibatches
from interp.training.optimisers import Optimiser, is_trained
from interp.training.state import TrainingState


class TrainingDivergedError(InterpError):
    """A loss or a weight became NaN or infinite."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Snapshot:
    """A network in training, and how well it does: the recipe's loss, float64, over all outputs; accuracies from 0 to 1.

    The training pairs' labels are what the network is told; those of the held-out pairs are the truth.
    """

    network: Trained
    """Copy of the network, which later steps do not touch."""
    state: TrainingState
    """Copy of the state from which training can be resumed, bit for bit."""
    train_loss: float
    test_loss: float
    train_accuracy: float
    test_accuracy: float
    corrupted: dict[str, float] = field(default_factory=dict)
    """Shares of the training pairs with a wrong label that are answered as they were told, ``told_accuracy``, and truly,
    ``truth_accuracy``; of the other training pairs, ``clean_accuracy``, that are answered truly. Empty if no label is wrong."""
    is_last: bool
    """Does training end with this snapshot: steps done, loss or accuracy reached, or asked to stop?"""

    @property
    def step(self) -> int:
        """Number of full-batch updates done."""
        return self.state.step

    @property
    def losses(self) -> dict[str, float]:
        """Losses and accuracies by name, as a log keeps them."""
        return {
            "train_loss": self.train_loss,
            "test_loss": self.test_loss,
            "train_accuracy": self.train_accuracy,
            "test_accuracy": self.test_accuracy,
            **self.corrupted,
        }


def batch(
    config: Config, pairs: Int[Tensor, " pair"], labels: Int[Tensor, " pair"], loss: Loss = LOSSES["cross-entropy"]
) -> Batch:
    """Pairs, given by their indices a·p + b, and their labels, with the fastest exact loss for the network's architecture."""
    return (FastBatch if has_token_tables(config) else PlainBatch)(config, pairs, labels, loss)


def labelled(recipe: Recipe, pairs: Int[Tensor, " pair"]) -> Batch:
    """Pairs, given by their indices a·p + b, with the right answers of the recipe's task for labels."""
    return batch(recipe.config, pairs, recipe.task_value.answers(pairs), LOSSES[recipe.loss])


def initial_network(recipe: Recipe, seed: int, dtype: torch.dtype = torch.float32) -> Trained:
    """The network that training by a recipe starts from."""
    config = recipe.config
    if isinstance(config, AttentionFreeConfig):
        return initialise_attention_free(config, seed=seed, std=recipe.embedding_std, dtype=dtype)
    W_in_fan = config.d_mlp if recipe.W_in_fan_is_d_mlp else None
    return initialise(
        config, seed=seed, W_in_fan=W_in_fan, positions=recipe.positions, embedding_std=recipe.embedding_std, dtype=dtype
    )


def training_step(parameters: Parameters, optimiser: Optimiser, step: int, data: Batch) -> Float[Tensor, ""]:
    """One update in place on a batch; returns the loss before it. ``step`` counts the updates done before.

    Nothing in it waits for the device.
    """
    optimiser.zero_grad()
    loss = data.loss(parameters)
    loss.backward()
    optimiser.step(step)
    return loss.detach()


def train(
    recipe: Recipe,
    *,
    seed: int,
    record_every: int = 100,
    dtype: torch.dtype = torch.float32,
    device: str = "cpu",
    resume: TrainingState | None = None,
    should_stop: Callable[[], bool] = lambda: False,
    on_step: Callable[[int], None] = lambda step: None,
    watch: Callable[[int, Parameters], None] = lambda step, parameters: None,
) -> Generator[Snapshot, None, None]:
    """How does a network of this recipe and seed develop?

    Yields a Snapshot at step 0, every ``record_every`` steps, and at the end: after ``recipe.steps``, at a record
    with which ``recipe.ends``, or when ``should_stop()``, asked before every step, says so.
    ``on_step`` hears the number of updates done. ``watch`` is shown every step's weights before they are recorded or
    updated: the live ones, to be copied where they are kept and never changed. With ``resume``, the state of an earlier
    snapshot of this recipe and seed, training goes on after that snapshot: bit for bit as without the break on the
    same machine with the same number of threads.

    From then on numbers below 1.2e-38 count as 0 in this thread (``flush_denormals``).
    Raises TrainingDivergedError at a record whose losses or weights are not finite; records before it stay good.
    """
    flush_denormals()
    config, chosen, labels = recipe.config, training_split(recipe, seed), told_labels(recipe, seed)
    train_data, test_data = (labelled(recipe, pairs.to(device)) for pairs in (chosen.train_pairs, chosen.test_pairs))
    truth = train_data.labels
    if labels is not None:
        train_data.labels = labels.to(device)
    start = initial_network(recipe, seed, dtype).parameters if resume is None else resume.parameters
    parameters = {name: tensor.to(device, copy=True) for name, tensor in start.items()}
    for name, tensor in parameters.items():
        tensor.requires_grad_(is_trained(recipe, name))
    make = partial(batch, loss=LOSSES[recipe.loss])
    batches = Minibatches(train_data, make, batch_size=recipe.batch_size, seed=seed)
    optimiser = Optimiser(recipe, parameters)
    if resume is not None:
        optimiser.restore(resume.memory, resume.step)

    def snapshot(step: int, stopping: bool) -> Snapshot:
        weights = {name: tensor.detach().to("cpu", copy=True) for name, tensor in parameters.items()}
        state = TrainingState(step=step, parameters=weights, memory=optimiser.memory())
        train_loss, train_accuracy = train_data.evaluate(parameters)
        test_loss, test_accuracy = test_data.evaluate(parameters)
        finite = all(bool(tensor.isfinite().all()) for tensor in state.parameters.values())
        if not (finite and math.isfinite(train_loss) and math.isfinite(test_loss)):
            raise TrainingDivergedError(
                f"training diverged: loss or weights are no longer finite at step {step}: lower the learning rate "
                f"({recipe.learning_rate:g}) or the weight decay ({recipe.weight_decay:g})"
            )
        return Snapshot(
            network=network_of(config, state.parameters),
            state=state,
            train_loss=train_loss,
            test_loss=test_loss,
            train_accuracy=train_accuracy,
            test_accuracy=test_accuracy,
            corrupted={} if labels is None else corrupted_accuracies(train_data.answers(parameters), train_data.labels, truth),
            is_last=stopping
            or recipe.ends(step=step, test_loss=test_loss, train_accuracy=train_accuracy, test_accuracy=test_accuracy),
        )

    first = 0 if resume is None else resume.step
    for step in range(first, recipe.steps + 1):
        stopping = should_stop()
        recorded = resume is not None and step == first
        if not recorded:  # else it was watched before the break
            watch(step, parameters)
        if stopping or (not recorded and (step % record_every == 0 or step == recipe.steps)):
            latest = snapshot(step, stopping)
            yield latest
            if latest.is_last:
                return
        training_step(parameters, optimiser, step, batches.at(step))
        on_step(step + 1)


def training_split(recipe: Recipe, seed: int) -> Split:
    """Which pairs does a recipe train on with a seed, and which does it hold out?"""
    return split(recipe.task_value, method=recipe.split_method, fraction=recipe.train_fraction, seed=seed)


def told_labels(recipe: Recipe, seed: int) -> Int[Tensor, " train"] | None:
    """What a network is told about its training pairs, in their order; None where it is told the truth."""
    pairs = training_split(recipe, seed).train_pairs
    return told(recipe.task_value, pairs, corrupt=recipe.corrupt, wrong=recipe.wrong_task, seed=seed)


def corrupted_accuracies(
    answers: Int[Tensor, " train"], labels: Int[Tensor, " train"], truth: Int[Tensor, " train"]
) -> dict[str, float]:
    """How do the answers to the training pairs compare with what was told and with what is true?

    Shares from 0 to 1, apart for pairs whose label is wrong and for the others; a share of no pairs is left out.
    """
    wrong = labels != truth
    shares = {
        "told_accuracy": (answers == labels)[wrong],
        "truth_accuracy": (answers == truth)[wrong],
        "clean_accuracy": (answers == truth)[~wrong],
    }
    return {name: right.double().mean().item() for name, right in shares.items() if len(right)}

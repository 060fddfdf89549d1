"""The training loop: full-batch AdamW that yields snapshots. No files, no printing."""

import math
from collections.abc import Callable, Generator
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from interp.errors import InterpError
from interp.networks.config import NetworkConfig, Parameters
from interp.networks.initialisation import initialise
from interp.networks.transformer import Network
from interp.recipe import Recipe
from interp.tasks.split import Split, split
from interp.training.batch import Batch, PlainBatch
from interp.training.fast_batch import FastBatch
from interp.training.minibatches import Minibatches
from interp.training.state import TrainingState


class TrainingDivergedError(InterpError):
    """A loss or a weight became NaN or infinite."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Snapshot:
    """A network in training, and how well it does: losses in nats, float64, over all outputs; accuracies from 0 to 1."""

    network: Network
    """Copy of the network, which later steps do not touch."""
    state: TrainingState
    """Copy of the state from which training can be resumed, bit for bit."""
    train_loss: float
    test_loss: float
    train_accuracy: float
    test_accuracy: float
    is_last: bool
    """Does training end with this snapshot: steps done, test loss reached, or asked to stop?"""

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
        }


def batch(config: NetworkConfig, pairs: Int[Tensor, " pair"], labels: Int[Tensor, " pair"]) -> Batch:
    """Pairs, given by their indices a·p + b, and their labels, with the fastest exact loss for the network's architecture."""
    return FastBatch(config, pairs, labels) if config.is_plain and config.n_layers == 1 else PlainBatch(config, pairs, labels)


def labelled(recipe: Recipe, pairs: Int[Tensor, " pair"]) -> Batch:
    """Pairs, given by their indices a·p + b, with the right answers of the recipe's task for labels."""
    return batch(recipe.config, pairs, recipe.task_value.answers(pairs))


def optimiser(recipe: Recipe, parameters: Parameters) -> torch.optim.AdamW:
    """AdamW over all parameters that are trained, biases and embeddings included, as the papers do."""
    return torch.optim.AdamW(
        trained(recipe, parameters),
        lr=recipe.learning_rate,
        weight_decay=recipe.weight_decay,
        betas=(recipe.beta_1, recipe.beta_2),
        fused=True,  # the same update in one pass over the weights
    )


def trained(recipe: Recipe, parameters: Parameters) -> list[Tensor]:
    """The parameters that are trained: all, less positions that are given."""
    return [x for name, x in parameters.items() if recipe.positions == "learned" or name != "pos_embed.W_pos"]


def training_step(
    recipe: Recipe, parameters: Parameters, adamw: torch.optim.Optimizer, step: int, data: Batch
) -> Float[Tensor, ""]:
    """One update in place on a batch; returns the loss before it. ``step`` counts the updates done before.

    Nothing in it waits for the device.
    """
    warmup = min(step / recipe.warmup_steps, 1.0) if recipe.warmup_steps else 1.0
    for group in adamw.param_groups:
        group["lr"] = recipe.learning_rate * warmup
    adamw.zero_grad()
    loss = data.loss(parameters)
    loss.backward()
    adamw.step()
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
    whose test loss is below ``recipe.stop_test_loss``, or when ``should_stop()``, asked before every step, says so.
    ``on_step`` hears the number of updates done. ``watch`` is shown every step's weights before they are recorded or
    updated: the live ones, to be copied where they are kept and never changed. With ``resume``, the state of an earlier
    snapshot of this recipe and seed, training goes on after that snapshot: bit for bit as without the break on the
    same machine with the same number of threads.

    Raises TrainingDivergedError at a record whose losses or weights are not finite; records before it stay good.
    """
    config, chosen = recipe.config, training_split(recipe, seed)
    train_data, test_data = (labelled(recipe, pairs.to(device)) for pairs in (chosen.train_pairs, chosen.test_pairs))
    if resume is None:
        W_in_fan = config.d_mlp if recipe.W_in_fan_is_d_mlp else None
        start = initialise(
            config, seed=seed, W_in_fan=W_in_fan, positions=recipe.positions, embedding_std=recipe.embedding_std, dtype=dtype
        ).parameters
    else:
        start = resume.parameters
    parameters = {name: tensor.to(device, copy=True) for name, tensor in start.items()}
    for tensor in trained(recipe, parameters):
        tensor.requires_grad_()
    adamw, batches = optimiser(recipe, parameters), Minibatches(train_data, batch, batch_size=recipe.batch_size, seed=seed)
    if resume is not None:
        _restore(adamw, parameters, resume)

    def snapshot(step: int, stopping: bool) -> Snapshot:
        state = _state(adamw, parameters, step)
        train_loss, train_accuracy = train_data.evaluate(parameters)
        test_loss, test_accuracy = test_data.evaluate(parameters)
        finite = all(bool(tensor.isfinite().all()) for tensor in state.parameters.values())
        if not (finite and math.isfinite(train_loss) and math.isfinite(test_loss)):
            raise TrainingDivergedError(
                f"training diverged: loss or weights are no longer finite at step {step}: lower the learning rate "
                f"({recipe.learning_rate:g}) or the weight decay ({recipe.weight_decay:g})"
            )
        return Snapshot(
            network=Network(config, state.parameters),
            state=state,
            train_loss=train_loss,
            test_loss=test_loss,
            train_accuracy=train_accuracy,
            test_accuracy=test_accuracy,
            is_last=stopping or step >= recipe.steps or test_loss < recipe.stop_test_loss,
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
        training_step(recipe, parameters, adamw, step, batches.at(step))
        on_step(step + 1)


def training_split(recipe: Recipe, seed: int) -> Split:
    """Which pairs does a recipe train on with a seed, and which does it hold out?"""
    return split(recipe.task_value, method=recipe.split_method, fraction=recipe.train_fraction, seed=seed)


def _state(adamw: torch.optim.AdamW, parameters: Parameters, step: int) -> TrainingState:
    """Copies, in the memory of the computer, of all that training is resumed from."""

    def moment(name: str) -> Parameters:
        # A fresh AdamW has no moments yet: they start from 0.
        return {
            key: adamw.state[x][name].to("cpu", copy=True) if x in adamw.state else torch.zeros_like(x, device="cpu")
            for key, x in parameters.items()
        }

    return TrainingState(
        step=step,
        parameters={name: tensor.detach().to("cpu", copy=True) for name, tensor in parameters.items()},
        exp_avg=moment("exp_avg"),
        exp_avg_sq=moment("exp_avg_sq"),
    )


def _restore(adamw: torch.optim.AdamW, parameters: Parameters, state: TrainingState) -> None:
    for name, tensor in parameters.items():
        adamw.state[tensor] = {
            "step": torch.tensor(float(state.step), device=tensor.device),
            "exp_avg": state.exp_avg[name].to(tensor.device, copy=True),
            "exp_avg_sq": state.exp_avg_sq[name].to(tensor.device, copy=True),
        }

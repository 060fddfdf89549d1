"""The training loop: full-batch AdamW that yields snapshots. No files, no printing."""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from jaxtyping import Int
from torch import Tensor
from torch.nn import functional

from interp.config import NetworkConfig, Parameters
from interp.errors import InterpError
from interp.forward import embed, forward
from interp.initialisation import initialise
from interp.network import Network
from interp.recipe import Recipe
from interp.task import Split, answers, split


class TrainingDivergedError(InterpError):
    """A loss or a weight became NaN or infinite."""


@dataclass(frozen=True, eq=False)
class Snapshot:
    """A network on its way, and how well it does. Losses are in nats, float64, over all outputs it was trained on."""

    step: int
    """Full-batch updates done."""
    network: Network
    """A copy: later steps do not touch it."""
    train_loss: float
    test_loss: float
    train_accuracy: float
    test_accuracy: float
    is_last: bool
    """Training ends here: steps done, test loss reached, or asked to stop."""

    @property
    def losses(self) -> dict[str, float]:
        """The numbers a log keeps."""
        return {
            "train_loss": self.train_loss,
            "test_loss": self.test_loss,
            "train_accuracy": self.train_accuracy,
            "test_accuracy": self.test_accuracy,
        }


@dataclass(frozen=True, eq=False)
class Batch:
    """Pairs with their answers."""

    a: Int[Tensor, " pair"]
    b: Int[Tensor, " pair"]
    answer: Int[Tensor, " pair"]


def batch(p: int, indices: Int[Tensor, " pair"]) -> Batch:
    """The pairs a·p + b = index."""
    return Batch(a=indices // p, b=indices % p, answer=answers(p).flatten()[indices])


def loss_and_logits(config: NetworkConfig, parameters: Parameters, data: Batch) -> tuple[Tensor, Tensor]:
    """Mean cross-entropy in float64 (in float32 its first digit is wrong once the network is sure), and the logits."""
    logits, _ = forward(config, parameters, embed(config, parameters, data.a, data.b))
    return functional.cross_entropy(logits.double(), data.answer), logits


@torch.no_grad()
def evaluate(network: Network, data: Batch) -> tuple[float, float]:
    """Loss in nats and accuracy on these pairs."""
    loss, logits = loss_and_logits(network.config, network.parameters, data)
    return loss.item(), (logits.argmax(-1) == data.answer).double().mean().item()


def optimiser(recipe: Recipe, parameters: Parameters) -> torch.optim.AdamW:
    """AdamW over all parameters, biases and embeddings included, as both papers do."""
    return torch.optim.AdamW(
        list(parameters.values()),
        lr=recipe.learning_rate,
        weight_decay=recipe.weight_decay,
        betas=(recipe.beta_1, recipe.beta_2),
    )


def training_step(recipe: Recipe, parameters: Parameters, adamw: torch.optim.AdamW, step: int, data: Batch) -> Tensor:
    """One full-batch update in place; returns the loss before it. ``step`` counts the updates done before."""
    warmup = min(step / recipe.warmup_steps, 1.0) if recipe.warmup_steps else 1.0
    for group in adamw.param_groups:
        group["lr"] = recipe.learning_rate * warmup
    adamw.zero_grad()
    loss, _ = loss_and_logits(recipe.network, parameters, data)
    loss.backward()
    adamw.step()
    return loss.detach()


def train(
    recipe: Recipe,
    *,
    seed: int,
    record_every: int = 100,
    dtype: torch.dtype = torch.float32,
    should_stop: Callable[[], bool] = lambda: False,
    on_step: Callable[[int], None] = lambda step: None,
) -> Iterator[Snapshot]:
    """How does a network of this recipe and seed develop?

    Yields a Snapshot at step 0, every ``record_every`` steps, and at the end: after ``recipe.steps``, at a record
    whose test loss is below ``recipe.stop_test_loss``, or when ``should_stop()``, asked before every step, says so.
    ``on_step`` hears the number of updates done.

    Raises TrainingDivergedError on a loss or weight that is not finite; the snapshots yielded before stay good.
    """
    pairs = training_split(recipe, seed)
    train_data, test_data = batch(recipe.network.p, pairs.train), batch(recipe.network.p, pairs.test)
    W_in_fan = recipe.network.d_mlp if recipe.W_in_fan_is_d_mlp else None
    start = initialise(recipe.network, seed=seed, W_in_fan=W_in_fan, dtype=dtype)
    parameters = {name: tensor.requires_grad_() for name, tensor in start.parameters.items()}
    adamw = optimiser(recipe, parameters)

    def diverged(step: int) -> TrainingDivergedError:
        return TrainingDivergedError(
            f"training diverged: loss or weights are no longer finite at step {step}: lower the learning rate "
            f"({recipe.learning_rate:g}) or the weight decay ({recipe.weight_decay:g})"
        )

    def snapshot(step: int, stopping: bool) -> Snapshot:
        if not all(bool(tensor.isfinite().all()) for tensor in parameters.values()):
            raise diverged(step)
        network = Network(recipe.network, {name: tensor.detach().clone() for name, tensor in parameters.items()})
        train_loss, train_accuracy = evaluate(network, train_data)
        test_loss, test_accuracy = evaluate(network, test_data)
        if not (math.isfinite(train_loss) and math.isfinite(test_loss)):
            raise diverged(step)
        return Snapshot(
            step=step,
            network=network,
            train_loss=train_loss,
            test_loss=test_loss,
            train_accuracy=train_accuracy,
            test_accuracy=test_accuracy,
            is_last=stopping or step >= recipe.steps or test_loss < recipe.stop_test_loss,
        )

    for step in range(recipe.steps + 1):
        stopping = should_stop()
        if stopping or step % record_every == 0 or step == recipe.steps:
            latest = snapshot(step, stopping)
            yield latest
            if latest.is_last:
                return
        loss = training_step(recipe, parameters, adamw, step, train_data)
        if not math.isfinite(loss.item()):
            raise diverged(step)
        on_step(step + 1)


def training_split(recipe: Recipe, seed: int) -> Split:
    """Which pairs does this recipe train on with this seed?"""
    return split(recipe.network.p, method=recipe.split_method, fraction=recipe.train_fraction, seed=seed)

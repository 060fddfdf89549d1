"""Named training recipes, every number with its source.

- ``nanda-2023``: every number from Nanda et al. 2023, arXiv 2301.05217, and its released code.
- ``zhong-2023``: every number from Zhong, Liu, Tegmark, Andreas 2023, arXiv 2306.17844, and its released code.
- ``chughtai-2023``: the transformers of Chughtai et al. 2023, arXiv 2302.03025, and its released configurations: S5; .4 of the
  pairs for S6, .3 for cyclic and dihedral groups. These say nothing of a warm-up; none is taken.
- ``furuta-2024``: Furuta et al. 2024, arXiv 2402.16726, and its released code: tokens a, operator, b, no positions. There the
  vocabulary and the answers have four tokens more, which no pair has.
- ``power-2022``: Power et al. 2022, arXiv 2201.02177, and its released code: two layers, layer normalisation after attention
  and MLP, sinusoidal positions, minibatches of 512 or half of the training pairs. There matrices are drawn from a uniform
  distribution, and the vocabulary is that of all operations; the loss counts the answer alone, as here.
- ``doshi-2023``: the network of Doshi, Das, He, Gromov 2023, arXiv 2310.13061, W (U e_a + V e_b)² with 500 neurons, and its
  settings; labels are right unless --corrupt says otherwise. The paper varies weight decay from 0 to 20.
- ``quick``: this project's own, nanda-2023 with a learning rate that goes from 2e-2 down to 0 in 1,500 steps, and weight decay
  2: of seven optimisers and schedules the soonest at a mod-113 network that is accurate, stays so, and is clean: docs/speed.md.
- ``steady``: this project's own too, nanda-2023 with learning rate 1e-2 instead of 1e-3, until the test loss is below 1e-5: for
  tasks that take longer than addition. It was called quick until 2026-11.
"""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal, get_args

from interp.configuration import MadeAtFirstUse, from_plain
from interp.errors import InterpError
from interp.networks.attention_free import AttentionFreeConfig
from interp.networks.config import MAX_P, Architecture, NetworkConfig
from interp.networks.initialisation import Positions
from interp.networks.kinds import Config, parameter_shapes
from interp.tasks import task_named
from interp.tasks.split import SplitMethod, train_count
from interp.tasks.task import Task

MAX_WEIGHTS = 1 << 27
"""Largest number of weights: half a gigabyte in float32, three times that with AdamW's moments.

The published networks have 230,000.
"""


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """Everything but the seed that determines a training run."""

    task: str = "addition"
    """Name of the task that the network learns, one of those in ``interp.tasks``."""
    p: int = 113
    """Modulus p of the task, and number of its symbols."""
    steps: int
    """Largest number of steps: updates of the weights."""
    stop_test_loss: float = 0.0
    """Test loss below which a record ends training; 0 never ends it early."""
    stop_accuracy: float = 0.0
    """Accuracy on all pairs, trained on or not, at which a record ends training; 0 never ends it early."""
    train_fraction: float
    """Share of the task's pairs that is trained on, strictly between 0 and 1."""
    learning_rate: float
    """Learning rate after warm-up."""
    weight_decay: float
    """Weight decay: part of the step with adamw and muon, of the gradient with adam and sgd."""
    network: Architecture
    """Architecture of the network that is trained, whatever its task."""
    attention_free: bool = False
    """Is the network no transformer, but W·activation(U e_a + V e_b) with d_mlp neurons? Then the architecture says no more
    than d_mlp, activation and separate_vocabularies."""
    corrupt: float = 0.0
    """Share ξ of the training pairs, from 0 to 1, whose labels are wrong: drawn uniformly from the answers."""
    wrong_labels: str = ""
    """Task whose answers the corrupted pairs are told instead of drawn ones: its name, such as a+b+1, or a table.npy."""
    split_method: SplitMethod
    """Method by which the seed picks the training pairs."""
    loss: Literal["cross-entropy", "mse"] = "cross-entropy"
    """What is made small: the cross-entropy, or mse, the mean squared error against 1 for the label and 0 for other answers."""
    optimiser: Literal["adamw", "adam", "sgd", "muon"] = "adamw"
    """What makes it small. Muon moves the matrices, and leaves vectors and the heads' matrices to AdamW."""
    beta_1: float = 0.9
    """Decay per step, in [0, 1), of AdamW's first moment, the running mean of the gradients."""
    beta_2: float = 0.98
    """Decay per step, in [0, 1), of AdamW's second moment, the running mean of the squared gradients."""
    momentum: float = 0.9
    """Momentum per step, in [0, 1), of sgd and of muon."""
    gradient_filter: float = 0.0
    """Factor λ by which the running mean of the gradients is added to each (Grokfast: Lee et al. 2024, arXiv 2405.20233)."""
    gradient_filter_decay: float = 0.98
    """Decay per step, in [0, 1), of that running mean."""
    schedule: Literal["constant", "linear", "cosine"] = "constant"
    """How the learning rate goes down after warm-up: not, or to 0 between two steps, linearly or along a cosine."""
    schedule_from: int = 0
    """Step at which the learning rate begins to go down."""
    schedule_to: int = 0
    """Step at which the learning rate is 0; 0 for the last step."""
    warmup_steps: int = 10
    """Number of warm-up steps: the learning rate is scaled by min(step / warmup_steps, 1), so the first does not move."""
    batch_size: int = 0
    """Largest number of pairs in a minibatch, which is never more than half of the training pairs; 0 for all of them."""
    positions: Positions = "learned"
    """Where W_pos comes from: learned; sinusoidal or none, which are left as they are."""
    embedding_std: float = 0.0
    """Standard deviation of the initial W_E, and of all weights where there is no attention; 0 for 1/√d_model, 1/√d_mlp."""
    W_in_fan_is_d_mlp: bool = False
    """Is the initial W_in drawn with scale 1/√d_mlp (Zhong et al. 2023) instead of 1/√d_model?"""

    def __post_init__(self) -> None:
        if not 0 < self.train_fraction < 1:
            raise InterpError(
                f"expected a training fraction strictly between 0 and 1, got {self.train_fraction:g}: "
                "at 0 nothing is left to train on, at 1 nothing is left to test"
            )
        if self.split_method not in get_args(SplitMethod):
            raise InterpError(f"expected split method {' or '.join(get_args(SplitMethod))}, got {self.split_method!r}")
        # One name a task: that of a file's table holds the table.
        object.__setattr__(self, "task", task_named(self.task, self.p).name)
        if self.wrong_labels:
            object.__setattr__(self, "wrong_labels", task_named(self.wrong_labels, self.p).name)
            if not self.corrupt:
                raise InterpError("wrong_labels without corrupted pairs: --corrupt 1 gives them to all training pairs")
        if not 0 <= self.corrupt <= 1:
            raise InterpError(f"expected a share of corrupted pairs from 0 to 1, got {self.corrupt}")
        network = self.network
        if type(network) is not Architecture:
            raise InterpError("expected an Architecture, which leaves the number of symbols to the task")
        if network.n_heads * network.d_head != network.d_model:
            raise InterpError(
                f"expected heads that divide d_model, as all published recipes have them: {network.n_heads} heads of "
                f"width {network.d_head} make {network.n_heads * network.d_head}, d_model is {network.d_model}"
            )
        if self.p > MAX_P:
            raise InterpError(f"expected a modulus of at most {MAX_P}, got {self.p}")
        weights = sum(math.prod(shape) for shape in parameter_shapes(self.config).values())
        if weights > MAX_WEIGHTS:
            raise InterpError(f"expected at most {MAX_WEIGHTS} weights, got {weights}: choose smaller widths or fewer layers")
        if self.positions not in get_args(Positions):
            raise InterpError(f"expected positions {' or '.join(get_args(Positions))}, got {self.positions!r:.40}")
        if self.attention_free and network != architecture_of(self.config):
            raise InterpError("expected of a network without attention only d_mlp, activation and separate_vocabularies")
        for name in ("learning_rate", "weight_decay", "stop_test_loss", "embedding_std", "gradient_filter"):
            value = getattr(self, name)
            if not (math.isfinite(value) and value >= 0):
                raise InterpError(f"expected {name} of 0 or more, got {value}")
        for name in ("beta_1", "beta_2", "momentum", "gradient_filter_decay"):
            if not 0 <= getattr(self, name) < 1:
                raise InterpError(f"expected {name} in [0, 1), got {getattr(self, name)}")
        if not 0 <= self.stop_accuracy <= 1:
            raise InterpError(f"expected stop_accuracy, a share of the pairs, from 0 to 1, got {self.stop_accuracy}")
        for name in ("steps", "warmup_steps", "batch_size", "schedule_from", "schedule_to"):
            if getattr(self, name) < 0:
                raise InterpError(f"expected {name} of 0 or more, got {getattr(self, name)}")

    @property
    def task_value(self) -> Task:
        """The task that ``task`` and ``p`` name."""
        return task_named(self.task, self.p)

    @property
    def wrong_task(self) -> Task | None:
        """The task whose answers corrupted pairs are told; None where these are drawn."""
        return task_named(self.wrong_labels, self.p) if self.wrong_labels else None

    @property
    def config(self) -> Config:
        """The network's whole configuration: its architecture with the number of symbols of the task."""
        network = self.network
        if not self.attention_free:
            return network.with_symbols(self.p)
        return AttentionFreeConfig(
            p=self.p,
            kind="direct",
            d_embedding=network.d_mlp,
            d_hidden=network.d_mlp,
            biases=False,
            separate_vocabularies=network.separate_vocabularies,
            activation=network.activation,
        )

    def ends(self, *, step: int, test_loss: float, train_accuracy: float, test_accuracy: float) -> bool:
        """Does training end with a record that says this?"""
        if step >= self.steps or test_loss < self.stop_test_loss:
            return True
        if not self.stop_accuracy:
            return False
        task = self.task_value
        trained, pairs = train_count(task, self.train_fraction), len(task.pairs())
        right = round(train_accuracy * trained + test_accuracy * (pairs - trained))
        return right >= self.stop_accuracy * pairs - 1e-9  # where it is a number of pairs, that number is enough

    def to_dict(self) -> dict[str, Any]:
        """The recipe as plain values, for a checkpoint or JSON."""
        return asdict(self)

    @staticmethod
    def from_dict(values: dict[str, Any]) -> "Recipe":
        """The recipe in plain values, as ``to_dict`` gives them; raises InterpError on unknown or missing entries."""
        network = from_plain(Architecture, values.get("network", {}), "network")
        return from_plain(Recipe, {**values, "network": network}, "recipe")


def architecture_of(config: Config) -> Architecture:
    """The architecture in a recipe of which this is the network's configuration. Raises InterpError where no recipe has it."""
    if isinstance(config, NetworkConfig):
        return config.architecture
    if config.kind != "direct" or config.biases or config.unembed_bias or config.further_hidden:
        raise InterpError("expected no recipe beside such an attention-free network: none trains one")
    return Architecture(d_mlp=config.d_hidden, activation=config.activation, separate_vocabularies=config.separate_vocabularies)


_NANDA_2023 = Recipe(
    p=113,
    network=Architecture(equals_token=True, answers_equals=True, causal=True),
    split_method="python-shuffle",
    train_fraction=0.3,
    learning_rate=1e-3,
    weight_decay=1.0,
    steps=40_000,
)


RECIPES: Mapping[str, Recipe] = MadeAtFirstUse(
    {
        "nanda-2023": lambda: _NANDA_2023,
        "zhong-2023": lambda: Recipe(
            p=59,
            network=Architecture(equals_token=False, answers_equals=False, causal=False),
            split_method="torch-randperm",
            train_fraction=0.8,
            learning_rate=1e-3,
            weight_decay=2.0,
            W_in_fan_is_d_mlp=True,
            steps=20_000,
        ),
        "chughtai-2023": lambda: Recipe(
            task="S5",
            p=120,
            network=Architecture(answers_equals=False, mlp_biases=False),
            split_method="torch-randperm",
            train_fraction=0.6,
            learning_rate=1e-3,
            weight_decay=1.0,
            warmup_steps=0,
            steps=50_000,
        ),
        "furuta-2024": lambda: Recipe(
            p=97,
            network=Architecture(equals_token=False, operator_token=True, answers_equals=False, mlp_biases=False),
            split_method="python-shuffle",
            train_fraction=0.3,
            learning_rate=1e-3,
            weight_decay=1.0,
            warmup_steps=0,
            positions="none",
            embedding_std=0.099,
            steps=100_000,
        ),
        "power-2022": lambda: Recipe(
            task="division",
            p=97,
            network=Architecture(
                n_layers=2,
                operator_token=True,
                answers_equals=True,
                mlp_biases=False,
                normalization="layer",
                normalization_place="after",
            ),
            split_method="python-shuffle",
            train_fraction=0.5,
            learning_rate=1e-3,
            weight_decay=1.0,
            batch_size=512,
            positions="sinusoidal",
            embedding_std=1.0,
            steps=100_000,
        ),
        "doshi-2023": lambda: Recipe(
            p=97,
            network=Architecture(separate_vocabularies=True, d_mlp=500, activation="square"),
            attention_free=True,
            loss="mse",
            split_method="torch-randperm",
            train_fraction=0.5,
            learning_rate=1e-2,
            weight_decay=5.0,
            warmup_steps=0,
            embedding_std=0.05,
            steps=2_000,
        ),
        "quick": lambda: replace(_NANDA_2023, learning_rate=2e-2, weight_decay=2.0, schedule="linear", steps=1_500),
        "steady": lambda: replace(_NANDA_2023, learning_rate=1e-2, steps=5_000, stop_test_loss=1e-5),
    }
)
"""The training recipes by name."""

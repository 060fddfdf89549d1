"""The smallest run there is: what tests of training train, and the options that make it of recipe ``quick``."""

from dataclasses import replace
from typing import TypeVar

import torch

from interp.networks.config import Architecture
from interp.networks.kinds import Config
from interp.recipe import RECIPES
from interp.tasks.addition import Addition
from interp.training.batch import Batch

SMALL = replace(
    RECIPES["steady"],
    p=7,
    network=Architecture(d_model=16, n_heads=2, d_head=8, d_mlp=32),
    steps=20,
    train_fraction=0.5,
    stop_test_loss=0.0,
)
OPTIONS = ["--p", "7", "--network.d-model", "16", "--network.n-heads", "2", "--network.d-head", "8",
           "--network.d-mlp", "32", "--train-fraction", "0.5"]  # fmt: skip
"""Of the network and its pairs; not of the steps, nor of where to stop."""

MEMORISES = replace(
    RECIPES["steady"],
    p=11,
    network=Architecture(d_model=16, n_heads=2, d_head=8, d_mlp=64, answers_equals=False),
    train_fraction=0.3,
    weight_decay=0.0,
    steps=150,
    stop_test_loss=0.0,
)
"""A recipe that only learns its pairs by heart."""

B = TypeVar("B", bound=Batch)


def added(kind: type[B], config: Config, pairs: torch.Tensor) -> B:
    """These pairs with their sums mod p for labels."""
    return kind(config, pairs, Addition(config.p).answers(pairs))

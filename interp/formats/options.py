"""Command-line options for what a file of another project does not say."""

import argparse
from typing import get_args

from interp.attention_free import Kind
from interp.formats.facts import Facts


def add_reading_options(parser: argparse.ArgumentParser) -> None:
    """One option per fact, in a group of their own."""
    reading = parser.add_argument_group(
        "how to read a file of another project",
        "For what its weights do not say; a JSON file beside it (config_ID.json, cfg.json)\n"
        "is read too. What nobody says is tried: the one reading under which the network\n"
        "computes a + b mod p is taken and named; where several do, these options decide.",
    )
    reading.add_argument("--modulus", type=int, metavar="P", help="p")
    reading.add_argument("--attention-rate", type=float, metavar="A", help="attention is A·softmax + (1-A)·ones")
    reading.add_argument("--activation", choices=("relu", "gelu"), help="of the neurons")
    reading.add_argument("--causal", action=argparse.BooleanOptionalAction, help="masked attention (beyond one layer)")
    reading.add_argument("--heads", type=int, metavar="N", help="attention heads, for native bridges")
    reading.add_argument("--kind", choices=get_args(Kind), help="which attention-free network")


def facts_of(options: argparse.Namespace) -> Facts:
    """The facts that the options state."""
    return Facts(
        modulus=options.modulus,
        attention_rate=options.attention_rate,
        activation=options.activation,
        causal=options.causal,
        n_heads=options.heads,
        kind=options.kind,
    )

"""A proposal: an architecture that the tensors of a stranger's state dict may have, with what is open about it.

A proposal is a list of open questions, each with the answers that fit, the most usual first, and a way from one answer to each
question to a network.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from interp.networks.attention_free import AttentionFree
from interp.networks.transformer import Network

Answers = Mapping[str, Any]
"""An answer to every open question, by the question's name."""


class Misfit(Exception):  # noqa: N818 (no error: these answers do not go together with these shapes)
    """These answers do not fit the shapes of the tensors."""


@dataclass(frozen=True, eq=False)
class Proposal:
    """An architecture with what is open about it."""

    name: str
    """The architecture in a few words."""
    questions: dict[str, tuple[Any, ...]]
    """Open question → answers that may fit, the most usual first; at least one each."""
    network: Callable[[Answers], Network | AttentionFree]
    """The network under answers to all questions. Raises Misfit where they do not go together."""
    left: Callable[[Answers], tuple[str, ...]] = lambda _: ()
    """Names of the tensors that take no part in the network under these answers."""

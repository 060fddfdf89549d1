"""Command-line options for what a file of another project does not say."""

from dataclasses import dataclass
from typing import Annotated, Literal

import tyro

from interp.files.formats.facts import Facts
from interp.networks.attention_free import Kind


@dataclass(frozen=True, kw_only=True)
class Reading:
    """How to read a file of another project, where its weights do not say; a JSON file beside it (config_ID.json, cfg.json) is
    read too. What nobody says is tried: the one reading under which the network computes its task is taken and named; where
    several do, these options decide."""

    task: Annotated[str | None, tyro.conf.arg(metavar="NAME")] = None
    """What it has to compute: addition where nobody says, or another name that interp-train --help lists."""
    modulus: Annotated[int | None, tyro.conf.arg(metavar="P")] = None
    """The p of the task."""
    attention_rate: Annotated[float | None, tyro.conf.arg(metavar="A")] = None
    """Attention is A·softmax + (1-A)·ones."""
    activation: Literal["relu", "gelu"] | None = None
    """Nonlinearity of the neurons."""
    causal: bool = False
    """Masked attention (matters beyond one layer)."""
    no_causal: bool = False
    """Attention without a mask."""
    heads: Annotated[int | None, tyro.conf.arg(metavar="N")] = None
    """Number of attention heads, for native bridges."""
    kind: Kind | None = None
    """Which attention-free network."""

    @property
    def facts(self) -> Facts:
        """The facts that the options state."""
        return Facts(
            task=self.task,
            modulus=self.modulus,
            attention_rate=self.attention_rate,
            activation=self.activation,
            causal=True if self.causal else False if self.no_causal else None,
            n_heads=self.heads,
            kind=self.kind,
        )

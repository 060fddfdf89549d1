"""Command-line options for what a file of another project does not say."""

from dataclasses import dataclass
from typing import Literal

from interp.files.formats.facts import Facts
from interp.networks.attention_free import Kind


@dataclass(frozen=True, kw_only=True)
class Reading:
    """How to read a file of another project, where its weights do not say; a JSON file beside it (config_ID.json, cfg.json) is
    read too. What nobody says is tried: the one reading under which the network computes its task is taken and named; where
    several do, these options decide."""

    task: str | None = None
    """What it has to compute: addition where nobody says, or another name that interp-train --help lists."""
    modulus: int | None = None
    """The p of the task."""
    attention_rate: float | None = None
    """Attention is A·softmax + (1-A)·ones."""
    activation: Literal["relu", "gelu"] | None = None
    """Nonlinearity of the neurons."""
    causal: bool = False
    """Masked attention (matters beyond one layer)."""
    no_causal: bool = False
    """Attention without a mask."""
    heads: int | None = None
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

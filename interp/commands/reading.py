"""Command-line options for what a file of another project does not say."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import tyro

from interp.files.formats.facts import Facts
from interp.files.formats.strangers.roles import name_map
from interp.files.formats.train_pairs import given_pairs
from interp.networks.activations import Activation
from interp.networks.attention_free import Kind


@dataclass(frozen=True, kw_only=True)
class Reading:
    """How to read a file of another project, where its weights do not say; a JSON or YAML file beside it (config_ID.json,
    config.yaml, .hydra/config.yaml) is read too. What nobody says is tried: the one reading under which the network
    computes its task is taken and named; where several do, these options decide."""

    task: Annotated[str | None, tyro.conf.arg(metavar="NAME")] = None
    """What it has to compute: addition where nobody says, or another name that interp-train --help lists."""
    modulus: Annotated[int | None, tyro.conf.arg(metavar="P")] = None
    """The p of the task."""
    attention_rate: Annotated[float | None, tyro.conf.arg(metavar="A")] = None
    """Attention is A·softmax + (1-A)·ones."""
    activation: Activation | None = None
    """Nonlinearity of the neurons, of the gate where they are gated."""
    normalization: Literal["none", "layer", "rms"] | None = None
    """LayerNorm, RMSNorm or neither."""
    causal: bool = False
    """Masked attention (matters beyond one layer)."""
    no_causal: bool = False
    """Attention without a mask."""
    heads: Annotated[int | None, tyro.conf.arg(metavar="N")] = None
    """Number of attention heads."""
    kind: Kind | None = None
    """Which attention-free network."""
    names: Annotated[Path | None, tyro.conf.arg(metavar="MAP.toml")] = None
    """What is what, where names do not say: lines "name in the file" = "role", as embed, unembed, 0.attention.q, 0.mlp.in."""

    train_pairs: Annotated[Path | None, tyro.conf.arg(metavar="FILE")] = None
    """The pairs that it was trained on, so that 'memorised' can be said: .npy, .pt or text, with columns a and b, or one of
    indices a·p + b."""

    @property
    def facts(self) -> Facts:
        """The facts that the options state."""
        return Facts(
            task=self.task,
            modulus=self.modulus,
            attention_rate=self.attention_rate,
            activation=self.activation,
            normalization=self.normalization,
            causal=True if self.causal else False if self.no_causal else None,
            n_heads=self.heads,
            kind=self.kind,
            names=None if self.names is None else name_map(self.names),
            train_pairs=None if self.train_pairs is None else given_pairs(self.train_pairs),
        )

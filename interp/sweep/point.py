"""A network of a sweep: its configuration, and the name that this gives it."""

import hashlib
import json
from dataclasses import MISSING, dataclass, fields, is_dataclass
from functools import cached_property
from typing import Any

from interp.training.run_config import RunConfig

OF_THE_DISK = ("snapshots", "snapshots_per_decade")
"""Fields of a run that say what is kept of it: they change no weight, and are no column."""


@dataclass(frozen=True)
class Point:
    """One network of a sweep."""

    config: RunConfig
    label: str = ""
    """A word of the sweep's author for it."""
    best: bool = False
    """Is it the record with the least test loss that is measured and kept, and not the last?"""

    @cached_property
    def name(self) -> str:
        """Digest of the configuration, 16 hexadecimal digits: equal for equal networks, whichever sweep they are in.

        Options that are at their default are left out of it, so that an option that a later version adds changes no name.
        """
        said = {name: value for name, value in _said(self.config).items() if name not in ("recipe_name", *OF_THE_DISK)}
        return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()[:16]

    def is_kept(self, share: float) -> bool:
        """Is it in the sample of networks, a share of all, whose weights are kept?"""
        return int(self.name, 16) < share * (1 << 64)

    def configuration(self) -> dict[str, Any]:
        """The configuration as columns of a row: every option by its own name, those of the network beside those of the run."""
        flat: dict[str, Any] = {}
        for config in (self.config, self.config.recipe, self.config.recipe.network):
            values = ((each, getattr(config, each.name)) for each in fields(config))
            flat |= {each.name: _plain(each.type, value) for each, value in values if not is_dataclass(value)}
        return {name: value for name, value in flat.items() if name not in OF_THE_DISK}


def _said(config: Any) -> dict[str, Any]:
    """The fields of a configuration that are not at their default."""
    found: dict[str, Any] = {}
    for each in fields(config):
        value = getattr(config, each.name)
        default = each.default_factory() if each.default_factory is not MISSING else each.default
        if value != default:
            found[each.name] = _said(value) if is_dataclass(value) else _plain(each.type, value)
    return found


def _plain(kind: Any, value: Any) -> Any:
    """A value of a configuration as JSON and a data set have it: 1 is 1.0 where the option is no whole number."""
    return float(value) if kind is float else list(value) if isinstance(value, tuple) else value

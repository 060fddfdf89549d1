"""Facts in the configuration that lies beside a checkpoint: a JSON or YAML file."""

import json
from pathlib import Path
from typing import Any

import yaml

from interp.errors import InterpError, one_line
from interp.files.formats.facts import Facts, facts_of_all

MAX_JSON = 1 << 20
"""Largest size in bytes of a JSON file that is read; a larger one is no configuration."""
MAX_YAML = 1 << 16
"""Largest size in bytes of a YAML file that is read: its parser takes a second for a hundred times as much as usual."""


def facts_beside(path: Path) -> tuple[Facts, str]:
    """What a configuration beside a checkpoint says, and which file was read; "" where there is none.

    For ``model_ID.pt`` that is ``config_ID.json`` (or ``.yaml``, ``.yml``), or else ``cfg`` or ``config`` with one of these
    endings in the same folder, or Hydra's ``.hydra/config.yaml``. Raises InterpError where such a file cannot be read, or says
    what no supported network has: a wrong reading is worse than none.
    """
    stems = ("config_" + path.stem.removeprefix("model_"), "cfg", "config", ".hydra/config")
    for stem in stems:
        for ending in (".json", ".yaml", ".yml"):
            beside = path.parent / f"{stem}{ending}"
            values = _read(beside)
            if isinstance(values, dict):
                where = f"{one_line(beside.name, 60)} beside it"
                return facts_of_all(values, where), where
    return Facts(), ""


def _read(beside: Path) -> Any:
    """The values in a configuration; None where there is no such file, or one too large to be a configuration."""
    kind = "JSON" if beside.suffix == ".json" else "YAML"
    try:
        if not beside.is_file() or beside.stat().st_size > (MAX_JSON if kind == "JSON" else MAX_YAML):
            return None
        text = beside.read_text()
        return json.loads(text) if kind == "JSON" else yaml.load(text, _Loader)
    # Besides its own errors the YAML library raises whatever a strange value makes Python raise.
    except Exception as error:
        raise InterpError(f"{beside.name} beside it cannot be read as {kind}: mend it or move it away") from error


class _Loader(yaml.SafeLoader):  # type: ignore[misc]  # the library has no types
    """YAML's plain values, without merge keys (<<), with which few lines can ask for more memory than there is."""

    def flatten_mapping(self, node: yaml.MappingNode) -> None:
        """Leave a mapping as it stands, so that a merge key in it is refused as a value of unknown kind."""

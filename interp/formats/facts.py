"""What must be known to run a network and its state dict does not say: from options, the container, a JSON file beside it."""

import json
import math
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, Literal

from interp.attention_free import Kind
from interp.errors import InterpError

MAX_JSON = 1 << 20


@dataclass(frozen=True, kw_only=True)
class Facts:
    """Each field None where it is not known."""

    modulus: int | None = None
    """p."""
    attention_rate: float | None = None
    """α of α·softmax + (1-α)·ones."""
    causal: bool | None = None
    """Does a position see only itself and earlier ones? Matters with more than one layer only."""
    activation: Literal["relu", "gelu"] | None = None
    """Of the neurons."""
    separate_vocabularies: bool | None = None
    """Has b tokens of its own?"""
    n_heads: int | None = None
    """Attention heads, where a layout merges them into one matrix."""
    kind: Kind | None = None
    """Which attention-free network."""

    def __post_init__(self) -> None:
        if self.modulus is not None and self.modulus < 2:
            raise InterpError(f"expected a modulus of at least 2, got {self.modulus}")
        if self.attention_rate is not None and not 0 <= self.attention_rate <= 1:
            raise InterpError(f"expected an attention rate between 0 and 1, got {self.attention_rate}")
        if self.n_heads is not None and self.n_heads < 1:
            raise InterpError(f"expected at least one head, got {self.n_heads}")

    def over(self, weaker: "Facts") -> "Facts":
        """These facts, completed by weaker ones."""
        known = {field.name: getattr(self, field.name) for field in fields(self)}
        return replace(weaker, **{name: value for name, value in known.items() if value is not None})


def facts_within(content: Any) -> Facts:
    """What a training container's plain configuration says."""
    if isinstance(content, dict):
        for key in ("config_dict", "config", "cfg"):
            if isinstance(content.get(key), dict):
                return _facts(content[key], f"the {key} in the file")
    return Facts()


def facts_beside(path: Path) -> Facts:
    """What ``config_ID.json`` beside ``model_ID.pt`` says, or else ``cfg.json`` or ``config.json`` in the same folder.

    Raises InterpError where such a file is not JSON, or contradicts itself: a wrong reading is worse than none.
    """
    own = path.with_name("config_" + path.stem.removeprefix("model_") + ".json")
    for beside in (own, path.with_name("cfg.json"), path.with_name("config.json")):
        try:
            if not beside.is_file() or beside.stat().st_size > MAX_JSON:
                continue
            values = json.loads(beside.read_text())
        except (OSError, ValueError, RecursionError) as error:
            raise InterpError(f"{beside.name} beside it cannot be read as JSON: mend it or move it away") from error
        if isinstance(values, dict):
            return _facts(values, f"{beside.name} beside it")
    return Facts()


def _facts(values: dict[str, Any], where: str) -> Facts:
    """From the keys that clock-and-pizza, rep-theory and TransformerLens use."""

    def number(key: str, kind: type, low: float, high: float) -> Any:
        value = values.get(key)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            raise InterpError(f"{where} gives {key} as {value!r:.40}, not a number")
        if not low <= value <= high or (kind is int and value != int(value)):
            raise InterpError(f"{where} gives {key} as {value!r:.40}, which is out of range")
        return kind(value)

    modulus = next((p for key in ("C", "group_parameter", "p") if (p := number(key, int, 2.0, 1e6)) is not None), None)
    activation = values.get("act_fn")
    rate = number("attn_coeff", float, 0.0, 1.0)
    # clock-and-pizza stores a mask and a direction, and uses neither.
    direction = values.get("attention_dir") if rate is None else "bidirectional"
    normalization = values.get("normalization_type")
    if normalization not in (None, "", "None"):
        raise InterpError(f"{where} says normalization {normalization!r:.20}: networks with LayerNorm are not supported")
    return Facts(
        modulus=modulus,
        attention_rate=rate,
        causal={"causal": True, "bidirectional": False}.get(direction) if isinstance(direction, str) else None,
        activation=_activation(activation, where),
        n_heads=number("n_heads", int, 1.0, 1024.0),
        separate_vocabularies=bool(values["diff_vocab"]) if isinstance(values.get("diff_vocab"), bool | int) else None,
        kind={"A": "alpha", "B": "beta", "C": "gamma", "D": "delta"}.get(str(values.get("model_type"))),  # type: ignore[arg-type]
    )


def _activation(name: Any, where: str) -> Literal["relu", "gelu"] | None:
    if name is None:
        return None
    match str(name).lower():
        case "relu":
            return "relu"
        case "gelu":
            return "gelu"
        case _:
            raise InterpError(f"{where} says activation {name!r:.20}: relu and gelu are supported")

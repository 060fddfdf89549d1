"""Facts that running a network needs and its state dict does not say: from options, its container, a JSON file beside it."""

import json
import re
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal, get_args

from interp.errors import InterpError, one_line
from interp.networks.attention_free import Kind
from interp.tasks import task_named, tasks

MAX_JSON = 1 << 20


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What is known about a network besides its weights; a field is None where nothing is known."""

    task: str | None = None
    """Name of the task that the network has to compute, one of those in ``interp.tasks``."""
    modulus: int | None = None
    """Modulus p of the task."""
    attention_rate: float | None = None
    """Attention rate, from 0 to 1: the α of an attention that is α·softmax + (1-α)·ones."""
    causal: bool | None = None
    """Does a position attend only to itself and earlier ones? This matters with more than one layer only."""
    activation: Literal["relu", "gelu"] | None = None
    """Nonlinearity of the neurons."""
    separate_vocabularies: bool | None = None
    """Has b tokens of its own?"""
    n_heads: int | None = None
    """Number of attention heads, where a layout merges them into one matrix."""
    kind: Kind | None = None
    """Kind of a network without attention: alpha, beta, gamma or delta."""

    def __post_init__(self) -> None:
        if self.task is not None:
            task_named(self.task, 2)
        for name, kind, low, high in (("modulus", int, 2, 1e6), ("n_heads", int, 1, 1024), ("attention_rate", float, 0, 1)):
            value = getattr(self, name)
            if value is not None and (type(value) not in (kind, int) or not low <= value <= high):
                said = name.replace("_", " ")
                raise InterpError(f"expected {said} between {low} and {high:g}, got {one_line(repr(value), 40)}")
        for name, choices in (("activation", ("relu", "gelu")), ("kind", get_args(Kind))):
            value = getattr(self, name)
            if value is not None and value not in choices:
                raise InterpError(f"expected {name} {' or '.join(choices)}, got {one_line(repr(value), 40)}")

    def known(self) -> dict[str, Any]:
        """The facts that are known, by name."""
        return {name: value for name, value in asdict(self).items() if value is not None}

    def says(self) -> str:
        """The facts that are known, in words."""
        return ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in self.known().items())

    def where_equal(self, other: "Facts") -> "Facts":
        """The known facts on which the other facts agree."""
        return Facts(**{name: value for name, value in self.known().items() if value == getattr(other, name)})

    def over(self, weaker: "Facts") -> "Facts":
        """These facts, completed by weaker ones where they are not known."""
        return replace(weaker, **self.known())


def facts_within(content: Any) -> Facts:
    """Facts that a training container states, itself or in configurations up to three levels deep; the shallower outranks."""
    return _facts_of_all(content, "the file")


def _facts_of_all(values: Any, where: str) -> Facts:
    """The facts of a mapping and of the configurations in it, level by level."""
    facts, level, seen = Facts(), [(values, where)], set[int]()
    for _ in range(4):
        mappings = [(each, place) for each, place in level if isinstance(each, dict) and id(each) not in seen]
        seen.update(id(each) for each, _ in mappings)
        for each, place in mappings:
            # Only what is a number or a word can be a fact; a state dict holds tensors.
            plain = {key: value for key, value in each.items() if isinstance(value, str | int | float)}
            facts = facts.over(_facts(plain, place))
        level = [
            (value, f"{one_line(key, 40)} in {place}")
            for each, place in mappings
            for key, value in each.items()
            if isinstance(key, str) and _CONFIGURES.search(key)
        ]
    return facts


_CONFIGURES = re.compile(r"config|cfg|param|^(hp|args|task|options|settings)$", re.IGNORECASE)
"""Keys under which configurations are found: config, model_cfg, hyper_parameters, hparams, args, …"""


def facts_beside(path: Path) -> tuple[Facts, str]:
    """What ``config_ID.json`` beside ``model_ID.pt`` says, or else ``cfg.json`` or ``config.json`` in the same folder.

    The second value says which file was read; "" where there is none. Raises InterpError where such a file is not JSON, or
    says what no supported network has: a wrong reading is worse than none.
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
            where = f"{one_line(beside.name, 60)} beside it"
            return _facts_of_all(values, where), where
    return Facts(), ""


def _facts(values: dict[str, Any], where: str) -> Facts:
    """Facts under the keys of clock-and-pizza, rep-theory and TransformerLens. Raises InterpError on unsupported values."""

    def number(key: str, kind: type, low: float, high: float) -> Any:
        value = values.get(key)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int | float) or value != value:
            raise InterpError(f"{where} gives {key} as {value!r:.40}, not a number")
        if not low <= value <= high or (kind is int and value != int(value)):
            raise InterpError(f"{where} gives {key} as {value!r:.40}, which is out of range")
        return kind(value)

    modulus = next((p for key in _MODULUS if (p := number(key, int, 2.0, 1e6)) is not None), None)
    activation = next((name for key in _ACTIVATION if isinstance(name := values.get(key), str)), None)
    rate = number("attn_coeff", float, 0.0, 1.0)
    # clock-and-pizza stores a mask and a direction, and uses neither.
    direction = values.get("attention_dir") if rate is None else "bidirectional"
    normalization = values.get("normalization_type")
    if normalization not in (None, "", "None"):
        raise InterpError(
            f"{where} says normalization {normalization!r:.20}: networks with LayerNorm are not supported, also where its "
            "weights were folded in (the division by the standard deviation stays)"
        )
    for key, ordinary in _ORDINARY.items():
        if key in values and values[key] not in ordinary:
            raise InterpError(f"{where} says {key} {one_line(repr(values[key]), 40)}: such networks are not supported")
    return Facts(
        task=values["task"] if values.get("task") in tasks() else None,  # others call many things a task
        modulus=modulus,
        attention_rate=rate,
        causal={"causal": True, "bidirectional": False}.get(direction) if isinstance(direction, str) else None,
        activation=_activation(activation, where),
        n_heads=number("n_heads", int, 1.0, 1024.0),
        separate_vocabularies=bool(values["diff_vocab"]) if isinstance(values.get("diff_vocab"), bool | int) else None,
        kind={"A": "alpha", "B": "beta", "C": "gamma", "D": "delta"}.get(str(values.get("model_type"))),  # type: ignore[arg-type]
    )


_MODULUS = ("C", "group_parameter", "p")
"""Keys under which the modulus is found; the first outranks."""
_ACTIVATION = ("act_fn", "activation", "activation_function", "hidden_act", "nonlinearity", "act")
"""Keys under which the activation is found; the first outranks."""

_ORDINARY: dict[str, tuple[Any, ...]] = {
    "attn_only": (False, None),
    "gated_mlp": (False, None),
    "parallel_attn_mlp": (False, None),
    "positional_embedding_type": ("standard", None),
    "scale_attn_by_inverse_layer_idx": (False, None),
    "use_attn_scale": (True, None),
    "use_local_attn": (False, None),
}
"""TransformerLens options that change the forward pass, each with the values that do not change it."""


def _activation(name: str | None, where: str) -> Literal["relu", "gelu"] | None:
    if name is None:
        return None
    match name.lower():
        case "relu":
            return "relu"
        case "gelu":
            return "gelu"
        case _:
            raise InterpError(f"{where} says activation {name!r:.20}: relu and gelu are supported")

"""Facts that running a network needs and its state dict does not say, and how a configuration says them."""

import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, fields, replace
from typing import Any, Literal, get_args

from interp.errors import InterpError, one_line
from interp.files.formats.train_pairs import GivenPairs
from interp.networks.activations import Activation
from interp.networks.attention_free import Kind
from interp.tasks import symbols_of, task_named
from interp.tasks.split import split


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
    activation: Activation | None = None
    """Nonlinearity of the neurons, of the gate where they are gated."""
    normalization: Literal["none", "layer", "rms"] | None = None
    """Normalisation of the residual stream."""
    normalization_epsilon: float | None = None
    """Number added to what a normalisation divides by the root of."""
    rotary_base: float | None = None
    """Base of rotary positions."""
    separate_vocabularies: bool | None = None
    """Has b tokens of its own?"""
    n_heads: int | None = None
    """Number of attention heads, where a file merges them into one matrix."""
    kind: Kind | None = None
    """Kind of a network without attention: alpha, beta, gamma or delta."""
    names: dict[str, str] | None = None
    """Names of tensors in the file, with the roles that they play (``formats.roles.ROLES``); "" for one that plays none."""
    train_pairs: GivenPairs | None = None
    """Pairs that the network was trained on."""
    answers: Mapping[str, Any] | None = None
    """Answers to all that the tensors leave open, decided on another checkpoint of the same run; empty for a known layout."""

    def __post_init__(self) -> None:
        if self.task is not None:
            symbols = symbols_of(self.task)
            if symbols is not None and self.modulus not in (None, symbols):
                raise InterpError(f"{self.task} has {symbols} elements, expected {self.modulus} as the modulus says")
            object.__setattr__(self, "modulus", symbols or self.modulus)
            if symbols is not None:
                object.__setattr__(self, "task", task_named(self.task).name)  # that of a file's table holds the table
        for name, kind, low, high in (("modulus", int, 2, 1e6), ("n_heads", int, 1, 1024), ("attention_rate", float, 0, 1)):
            value = getattr(self, name)
            if value is not None and (type(value) not in (kind, int) or not low <= value <= high):
                said = name.replace("_", " ")
                raise InterpError(f"expected {said} between {low} and {high:g}, got {one_line(repr(value), 40)}")
        for name, choices in (
            ("activation", get_args(Activation)),
            ("kind", get_args(Kind)),
            ("normalization", ("none", "layer", "rms")),
        ):
            value = getattr(self, name)
            if value is not None and value not in choices:
                raise InterpError(f"expected {name} {' or '.join(choices)}, got {one_line(repr(value), 40)}")

    def known(self) -> dict[str, Any]:
        """The facts that are known, by name."""
        every = {each.name: getattr(self, each.name) for each in fields(self)}
        return {name: value for name, value in every.items() if value is not None}

    def says(self) -> str:
        """The facts that are known, in words; of training pairs only that they are."""
        said = {name: "" if name == "train_pairs" else f" {value}" for name, value in self.known().items()}
        return ", ".join(f"{name.replace('_', ' ')}{value}" for name, value in said.items())

    def where_equal(self, other: "Facts") -> "Facts":
        """The known facts on which the other facts agree."""
        return Facts(**{name: value for name, value in self.known().items() if value == getattr(other, name)})

    def over(self, weaker: "Facts") -> "Facts":
        """These facts, completed by weaker ones where they are not known."""
        return replace(weaker, **self.known())


def stated_scores(content: Any) -> dict[str, float]:
    """The losses and accuracies of trained and of held-out pairs that a container states, by names as train_loss, val_acc."""
    found: dict[str, float] = {}
    for values in (content, content.get("metrics"), content.get("result")) if isinstance(content, dict) else ():
        for name, value in values.items() if isinstance(values, dict) else ():
            usable = isinstance(value, float | int) and not isinstance(value, bool) and value == value
            if isinstance(name, str) and usable and _SCORE.fullmatch(name.lower()):
                percent = "acc" in name and value > 1
                found.setdefault(name.lower(), value / 100 if percent else float(value))
    return found


_SCORE = re.compile(r"(final_)?(train|test|val|valid|eval)(ing|idation)?_(loss|acc|accuracy)")


def facts_within(content: Any) -> Facts:
    """Facts that a training container states, itself or in configurations at any depth in it; the shallower outranks."""
    return facts_of_all(content, "the file")


def facts_of_all(values: Any, where: str) -> Facts:
    """The facts of a mapping and of the configurations in it, level by level."""
    facts, level, seen = Facts(), [(values, where)], set[int]()
    while level:
        # A YAML file can name one mapping often, so that all paths through it would take for ever.
        once = {id(each): (each, place) for each, place in reversed(level) if isinstance(each, dict)}
        mappings = [once[each] for each in reversed(once) if each not in seen]
        seen.update(once)
        for each, place in mappings:
            # Only what is a number or a word can be a fact; a state dict holds tensors. "${model.p}" stands for another value.
            plain = {key: value for key, value in each.items() if isinstance(value, str | int | float)}
            plain = {key: value for key, value in plain.items() if not (isinstance(value, str) and "${" in value)}
            facts = facts.over(_facts(plain, place))
        level = [
            (value, f"{one_line(key, 40)} in {place}")
            for each, place in mappings
            for key, value in each.items()
            if isinstance(key, str) and _CONFIGURES.search(key)
        ]
    return facts


_CONFIGURES = re.compile(
    r"config|cfg|param|^(hp|args|task|options|settings|model|network|architecture|arch|data|dataset|training|experiment)$",
    re.IGNORECASE,
)
"""Keys under which configurations are found: config, model_cfg, hyper_parameters, args, …; or parts of one: model, data, …"""


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

    def first(keys: tuple[str, ...], kind: type, low: float, high: float) -> Any:
        return next((value for key in keys if (value := number(key, kind, low, high)) is not None), None)

    activation = next((name for key in _ACTIVATION if isinstance(name := values.get(key), str)), None)
    rate = number("attn_coeff", float, 0.0, 1.0)
    # clock-and-pizza stores a mask and a direction, and uses neither.
    direction = values.get("attention_dir") if rate is None else "bidirectional"
    for key, ordinary in _ORDINARY.items():
        if key in values and values[key] not in ordinary:
            raise InterpError(f"{where} says {key} {one_line(repr(values[key]), 40)}: such networks are not supported")
    task = _task(values, where)
    return Facts(
        task=task,
        train_pairs=_split(values, task),
        modulus=first(_MODULUS, int, 2.0, 1e6) if task is None or symbols_of(task) is None else None,
        attention_rate=rate,
        causal={"causal": True, "bidirectional": False}.get(direction) if isinstance(direction, str) else None,
        activation=_activation(activation, where),
        normalization=_normalization(values),
        normalization_epsilon=first(_EPSILON, float, 0.0, 0.1),
        rotary_base=first(_ROTARY, float, 1.0, 1e9),
        n_heads=first(_HEADS, int, 1.0, 1024.0),
        separate_vocabularies=bool(values["diff_vocab"]) if isinstance(values.get("diff_vocab"), bool | int) else None,
        kind={"A": "alpha", "B": "beta", "C": "gamma", "D": "delta"}.get(str(values.get("model_type"))),  # type: ignore[arg-type]
    )


_MODULUS = ("C", "group_parameter", "p", "P", "prime", "modulus", "mod")
"""Keys under which the modulus is found; the first outranks."""
_HEADS = ("n_heads", "num_heads", "n_head", "nhead", "num_attention_heads", "heads")
"""Keys under which the number of attention heads is found; the first outranks."""
_EPSILON = ("norm_eps", "layer_norm_eps", "rms_norm_eps", "layer_norm_epsilon", "eps_norm", "ln_eps")
"""Keys under which the epsilon of normalisations is found. Not eps alone: optimisers have one."""
_ROTARY = ("rope_base", "rope_theta", "rotary_base")
"""Keys under which the base of rotary positions is found."""
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


_ACTIVATIONS: dict[str, Activation] = {
    "relu": "relu", "reglu": "relu",
    "gelu": "gelu", "geglu": "gelu",
    "gelu_new": "gelu_tanh", "gelu_tanh": "gelu_tanh", "gelu_pytorch_tanh": "gelu_tanh", "gelu_fast": "gelu_tanh",
    "silu": "silu", "swish": "silu", "swiglu": "silu",
    "square": "square", "quadratic": "square", "quad": "square", "x^2": "square", "pow2": "square",
}  # fmt: skip
"""What activations are called, gated ones by the activation of the gate."""


def _activation(name: str | None, where: str) -> Activation | None:
    if name is None:
        return None
    if name.lower() not in _ACTIVATIONS:
        raise InterpError(f"{where} says activation {name!r:.20}: {', '.join(get_args(Activation))} are supported")
    return _ACTIVATIONS[name.lower()]


_GROUPS = {"CyclicGroup": "C", "DihedralGroup": "D", "SymmetricGroup": "S", "AlternatingGroup": "A"}
"""Families of groups as the configurations of Chughtai et al. 2023 call them, and as this project does."""


def _task(values: dict[str, Any], where: str) -> str | None:
    """The task that a configuration names, if it is one of this project's: others call many things a task."""
    family, number = values.get("group"), values.get("group_parameter")
    if isinstance(family, str) and family in _GROUPS:
        if type(number) is not int:
            raise InterpError(f"{where} says group {family} without a whole number for group_parameter")
        name = f"{_GROUPS[family]}{number}"
        symbols_of(name)  # refuses a group that is too large
        return name
    with suppress(InterpError):
        if isinstance(stated := values.get("task"), str) and not stated.endswith(".npy"):  # a file of a file's choice
            symbols_of(stated)
            return stated
    return None


def _split(values: dict[str, Any], task: str | None) -> GivenPairs | None:
    """The training pairs that the configuration of a group's network decides, by the code of Chughtai et al. 2023.

    They are the first of a random permutation of all pairs, made by the configuration's seed.
    """
    fraction, seed = values.get("frac_train"), values.get("seed")
    if "group" not in values or task is None or type(fraction) is not float or type(seed) is not int:
        return None
    group = task_named(task)
    if not 0 < fraction < 1 or not 0 <= seed < 2**63:
        return None
    pairs = split(group, method="torch-randperm", fraction=fraction, seed=seed).train_pairs
    return GivenPairs("frac_train and seed, split by PyTorch's randperm as in the code of Chughtai et al. 2023", pairs)


def _normalization(values: dict[str, Any]) -> Literal["none", "layer", "rms"] | None:
    """What TransformerLens's normalization_type and usual keys say; LNPre and RMSPre are normalisations without weights."""
    if "normalization_type" in values and values["normalization_type"] in ("", "None"):
        return "none"
    for key in ("normalization_type", "norm_type", "normalization", "norm"):
        said = values.get(key)
        if isinstance(said, str):
            if "rms" in said.lower():
                return "rms"
            if said.lower() in ("ln", "lnpre", "layer", "layernorm", "layer_norm"):
                return "layer"
    return None

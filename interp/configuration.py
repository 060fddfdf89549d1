"""Configurations as plain values: dataclasses built from what a file says, every value checked."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields
from typing import Any, TypeVar, get_args, get_origin

from interp.errors import InterpError

T = TypeVar("T")


def from_plain(cls: type[Any], values: Any, what: str) -> Any:
    """Build a configuration dataclass from a mapping that came from a file."""
    known = {field.name for field in fields(cls)}
    if not isinstance(values, dict) or not all(isinstance(key, str) for key in values):
        raise InterpError(f"expected the {what} to be a mapping from names to values")
    if unknown := sorted(values.keys() - known):
        raise InterpError(f"the {what} has entries this version does not know: {', '.join(unknown)}")
    fitted = {}
    for field in fields(cls):
        if field.name in values:
            value = values[field.name]
            check_type(value, field.type, f"{field.name} of the {what}")
            fitted[field.name] = tuple(value) if isinstance(value, list) else float(value) if field.type is float else value
    try:
        return cls(**fitted)
    except TypeError as error:
        raise InterpError(f"the {what} is incomplete: {error}") from error


def check_type(value: Any, expected: Any, what: str) -> None:
    """Raises InterpError where a value is not of the type that a field of a configuration is annotated with."""
    if get_origin(expected) is tuple:  # tuple[int, ...], a list in JSON
        if not isinstance(value, tuple | list) or not all(type(each) is int for each in value):
            raise InterpError(f"expected {what} to be whole numbers, got {value!r:.40}")
    elif choices := get_args(expected):  # Literal["relu", "gelu"]
        if not isinstance(value, str) or value not in choices:
            raise InterpError(f"expected {what} to be {' or '.join(choices)}, got {value!r:.40}")
    elif type(value) is not expected and not (expected is float and type(value) is int):
        raise InterpError(f"expected {what} to be {expected.__name__}, got {value!r:.40}")
    elif type(value) is int and not -(1 << 63) <= value < 1 << 63:
        raise InterpError(f"expected {what} to be a number of 64 bits, got one of {value.bit_length()}")


class MadeAtFirstUse(Mapping[str, T]):
    """Values by name, each made when it is first asked for: some take time to make, and few are needed at once."""

    def __init__(self, makers: Mapping[str, Callable[[], T]]) -> None:
        self._makers, self._made = makers, dict[str, T]()

    def __getitem__(self, name: str) -> T:
        if name not in self._made:
            self._made[name] = self._makers[name]()
        return self._made[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._makers)

    def __len__(self) -> int:
        return len(self._makers)

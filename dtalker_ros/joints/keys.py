"""A mapping of YAML, read key by key: what is wrong is one `SettingError` with place, key and what is expected."""

import difflib
import math
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from dtalker_model.errors import SettingError

_NEEDED: Any = object()
LARGEST = 1e9
"""No number of a head is larger, either way: products of what is would not be finite."""


class Keys:
    """Reads `mapping`, which stands at `place` (such as ``head.yaml: joint jaw``). Call `end` after the last key.

    A key without a `default` is needed. Every method raises `SettingError`.
    """

    def __init__(self, mapping: Any, place: str) -> None:
        if not isinstance(mapping, Mapping):
            raise SettingError(f"{place}: expected keys and values, received {_said(mapping)}")
        self._mapping, self.place = mapping, place
        self._known: dict[str, None] = {}

    def names(self) -> list[str]:
        """All keys as they stand; they count as known now. For mappings whose keys are names."""
        for name in self._mapping:
            if not isinstance(name, str):
                raise SettingError(f"{self.place}: {_said(name)} is no name: put it in quotes")
            self._known[name] = None
        return list(self._mapping)

    def value(self, name: str, default: Any = _NEEDED) -> Any:
        """What stands at `name`, whatever it is."""
        self._known[name] = None
        if name in self._mapping:
            return self._mapping[name]
        if default is _NEEDED:
            close = difflib.get_close_matches(name, [str(key) for key in self._mapping if key not in self._known], n=1)
            raise SettingError(f"{self.place}: {name} is missing{f' (is {close[0]} meant for it?)' if close else ''}")
        return default

    def number(
        self, name: str, default: Any = _NEEDED, low: float = -math.inf, high: float = math.inf, unit: str = ""
    ) -> float:
        """A finite number in `low`..`high`."""
        value = self.value(name, default)
        if name not in self._mapping:
            return value
        return checked_number(value, f"{self.place}: {name}", low, high, unit)

    def above_zero(self, name: str, default: Any = _NEEDED, unit: str = "") -> float:
        """A finite number above 0."""
        value = self.number(name, default, low=0.0, unit=unit)
        if value == 0.0:
            self.refuse(name, f"a number above 0{f' {unit}' if unit else ''}")
        return value

    def whole(self, name: str, default: Any = _NEEDED, low: int = 0, high: int = 2**31 - 1, unit: str = "") -> int:
        """A whole number in `low`..`high`."""
        value = self.value(name, default)
        if name in self._mapping and (type(value) is not int or not low <= value <= high):
            self.refuse(name, f"a whole number from {low} to {high}{f' {unit}' if unit else ''}")
        return value

    def flag(self, name: str, default: Any = _NEEDED) -> bool:
        """``true`` or ``false``."""
        value = self.value(name, default)
        if not isinstance(value, bool):
            self.refuse(name, "true or false")
        return bool(value)

    def text(self, name: str, default: Any = _NEEDED, choices: Collection[str] = ()) -> str:
        """A text; one of `choices` where there are any."""
        value = self.value(name, default)
        if choices and value not in choices:
            raise SettingError(f"{self.place}: {name}: received {one_of(value, choices)}")
        if not isinstance(value, str):
            self.refuse(name, "a text")
        return str(value)

    def items(self, name: str, default: Any = _NEEDED) -> list[Any]:
        """A list."""
        value = self.value(name, default)
        if not isinstance(value, (list, tuple)):
            self.refuse(name, "a list")
        return list(value)

    def keys(self, name: str, default: Any = _NEEDED, place: str = "") -> "Keys":
        """A mapping of its own."""
        return Keys(self.value(name, default), place or f"{self.place}: {name}")

    def refuse(self, name: str, expected: str) -> None:
        """Raise for the value of `name`: `expected` says what should stand there."""
        raise SettingError(f"{self.place}: {name}: expected {expected}, received {_said(self._mapping.get(name))}")

    def end(self) -> None:
        """All keys have been asked for: any other is a slip."""
        for name in self._mapping:
            if name not in self._known:
                raise SettingError(f"{self.place}: unknown key {one_of(name, self._known)}")


def checked_number(value: Any, place: str, low: float = -math.inf, high: float = math.inf, unit: str = "") -> float:
    """`value` as a float in `low`..`high`, at most `LARGEST`; raises `SettingError` that begins with `place`."""
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if is_number and abs(value) > LARGEST:
        raise SettingError(f"{place}: expected a number up to {LARGEST:g} either way, received a larger one")
    if not is_number or not low <= value <= high:
        span = "" if low == -math.inf else f" from {low:g}" if high == math.inf else f" from {low:g} to {high:g}"
        raise SettingError(f"{place}: expected a number{span}{f' {unit}' if unit else ''}, received {_said(value)}")
    return float(value)


def one_of(name: Any, known: Iterable[str]) -> str:
    """``'jawOpn' (did you mean jawOpen?); known: ...``, the most that helps."""
    known = list(known)
    close = difflib.get_close_matches(str(name), known, n=1)
    return f"{_said(name)} (did you mean {close[0]}?)" if close else f"{_said(name)}; known: {', '.join(known)}"


def _said(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."

"""The YAML of a head as text, one key a line, comments between. `dtalker_ros.joints.head_file` reads it."""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_MEANT_OTHERWISE = {"y", "n", "yes", "no", "on", "off", "true", "false", "null"}
"""What YAML 1.1 takes for no text."""


def head_text(
    comment: Sequence[str], joints: Mapping[str, tuple[str, Mapping[str, Any]]], rest: Mapping[str, Any] | None = None
) -> str:
    """The file: `comment` lines, the keys of `rest`, and for each joint a comment (or none: empty) and its keys.

    Values are numbers, texts, booleans, and lists and mappings of them.
    """
    lines = [f"# {line}".rstrip() for line in comment]
    lines += [f"{scalar(key)}: {flow(value)}" for key, value in (rest or {}).items()]
    lines.append("joints:")
    for name, (said, keys) in joints.items():
        lines.append(f"  {scalar(name)}:")
        lines += [f"    # {said}"] if said else []
        lines += [f"    {scalar(key)}: {flow(value)}" for key, value in keys.items()]
    return "\n".join(lines) + "\n"


def weighted(weights: Mapping[str, float]) -> dict[str, Any]:
    """The keys `weights` and `invert`: where all weights are below 0, they are written above it, and inverted."""
    down = all(weight < 0 for weight in weights.values())
    signed = {name: abs(weight) if down else weight for name, weight in weights.items()}
    ordered = dict(sorted(signed.items(), key=lambda item: -abs(item[1])))
    return {"weights": ordered, **({"invert": True} if down else {})}


def flow(value: Any) -> str:
    """`value` in YAML's flow style."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{scalar(key)}: {flow(item)}" for key, item in value.items()) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(map(flow, value)) + "]"
    return scalar(value)


def scalar(value: Any) -> str:
    """A number, text or boolean; numbers have five significant digits and always a point or an exponent."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return _number(value)
    text = str(value)
    return text if _PLAIN.fullmatch(text) and text.lower() not in _MEANT_OTHERWISE else json.dumps(text)


def _number(value: float) -> str:
    text = f"{value:.5g}"
    mantissa, exponent, power = text.partition("e")
    return f"{mantissa if '.' in mantissa else f'{mantissa}.0'}{exponent}{power}"

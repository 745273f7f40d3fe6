"""The current settings as ROS parameters of the talker node, to copy: what differs from the defaults."""

from collections.abc import Iterator
from typing import Any

from dtalker_model.settings import Settings, setting_specs

NODE = "/dtalker"


def ros_parameters(settings: Settings) -> Iterator[tuple[str, Any]]:
    """Names and values of the parameters that differ from their defaults; identity and emotion are always there."""
    for spec in setting_specs():
        value = getattr(settings, spec.name)
        if spec.kind is dict:
            yield from ((spec.parameter(key), entry) for key, entry in sorted(value.items()))
        elif value != spec.default or spec.name in ("identity", "emotion"):
            yield spec.parameter(), value


def ros_yaml(settings: Settings) -> str:
    """A parameter file."""
    lines = ["/**:", "  ros__parameters:"]
    return "\n".join([*lines, *(f"    {name}: {_value(value)}" for name, value in ros_parameters(settings))]) + "\n"


def ros_commands(settings: Settings) -> str:
    """One command for each parameter."""
    return "".join(f"ros2 param set {NODE} {name} {_value(value)}\n" for name, value in ros_parameters(settings))


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, str) else f"{value!r}"

"""From a text such as ``dynamixel:/dev/ttyUSB0?baud=1000000`` to a driver."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from dtalker_model.errors import SettingError
from dtalker_ros.drivers.dynamixel import DynamixelDriver
from dtalker_ros.drivers.maestro import MaestroDriver
from dtalker_ros.drivers.pca9685 import Pca9685Driver
from dtalker_ros.joints.driver import Driver

_OPTIONS = re.compile(r"^(?P<target>.*?)(\?(?P<options>\w+=[^&]*(&\w+=[^&]*)*))?$")
_I2C = re.compile(r"^(?P<number>\d{1,9}):(?P<address>0x[0-9a-fA-F]{1,4}|[1-9]\d{0,3})$")


def _baud(text: str) -> int:
    if not 1200 <= int(text) <= 4_500_000:
        raise ValueError(f"expected 1200 to 4500000, received {text!r}")
    return int(text)


def _device(text: str) -> int:
    if not 0 <= int(text) <= 127:
        raise ValueError(f"expected the number of a Maestro, 0 to 127, received {text!r}")
    return int(text)


def _yes(text: str) -> bool:
    if text not in ("yes", "no"):
        raise ValueError(f"expected yes or no, received {text!r}")
    return text == "yes"


def _pca9685(target: str, label: str) -> Driver:
    match = _I2C.match(target)
    address = int(match["address"], 0) if match else 0
    if match is None or not 0x08 <= address <= 0x77:
        raise SettingError(f"driver {label}: expected the number of an I2C bus and an address, such as pca9685:1:0x40")
    return Pca9685Driver(int(match["number"]), address, label=label)


@dataclass(frozen=True)
class Kind:
    """One kind of driver."""

    make: Callable[..., Driver]
    doc: str
    """What follows the kind, for the help."""
    options: Mapping[str, Callable[[str], Any]] = field(default_factory=dict)
    """Option name, which is the argument of `make`, and its reader, which raises `ValueError`."""


KINDS: Mapping[str, Kind] = {
    "dynamixel": Kind(DynamixelDriver, "dynamixel:PORT[?baud=57600] (X series)", {"baud": _baud}),
    "pca9685": Kind(_pca9685, "pca9685:BUS:ADDRESS (hobby servos over I2C)"),
    "maestro": Kind(
        MaestroDriver,
        "maestro:PORT[?multiple=yes] (Pololu)",
        {"baud": _baud, "device": _device, "multiple": _yes},
    ),
}


def driver_help() -> str:
    """One sentence about the texts that `parse_driver` takes."""
    return ", ".join(kind.doc for kind in KINDS.values())


def parse_driver(text: str) -> Driver:
    """The driver that `text` asks for, not yet open; raises `SettingError`."""
    match = _OPTIONS.match(text)
    scheme, _, target = (match["target"] if match else text).partition(":")
    kind = KINDS.get(scheme.lower())
    if match is None or kind is None or "\0" in text:
        raise SettingError(f"driver {text!r}: unknown kind; known: {driver_help()}")
    if not target:
        raise SettingError(f"driver {text}: says no target: {kind.doc}")
    arguments: dict[str, Any] = {}
    for name, _, value in (pair.partition("=") for pair in (match["options"] or "").split("&") if pair):
        if name not in kind.options:
            raise SettingError(f"driver {text}: unknown option {name!r}; known: {', '.join(kind.options) or 'none'}")
        try:
            arguments[name] = kind.options[name](value)
        except ValueError as error:
            raise SettingError(f"driver {text}: {name}: {error}") from None
    return kind.make(target, label=text, **arguments)

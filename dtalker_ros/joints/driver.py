"""What a driver of servos is, and what it is told: for heads without ros2_control.

A driver is made from a text such as ``dynamixel:/dev/ttyUSB0?baud=1000000`` by `parse_driver` of
`dtalker_ros.drivers.registry`, as sinks are by `dtalker_model.sinks.parse_sink`; making it touches no hardware.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from dtalker_model.errors import DtalkerError


class DriverError(DtalkerError, OSError):
    """A bus or a board that cannot be reached: not there, unplugged, no permission, no answer."""


@dataclass(frozen=True)
class Servo:
    """One joint, as a driver sees it."""

    name: str
    """Name of the joint."""
    minimum: float
    """Lowest position that will ever be written, in `unit`."""
    maximum: float
    """Highest position that will ever be written, in `unit`."""
    neutral: float
    """Position at rest, in `unit`."""
    unit: str = "rad"
    """Unit of all positions of this joint: ``rad`` or ``m``."""
    options: Mapping[str, Any] = field(default_factory=dict)
    """The joint's key `servo` of the head's YAML as it stands there: the driver's own keys (bus number or channel, and
    how its counts or pulses follow from positions). The driver checks them in `open`, by `keys.Keys` with our errors.
    """
    place: str = ""
    """Where `options` stand, for errors: ``head.yaml: joint jaw: servo``."""


class Driver(Protocol):
    """Moves the servos of one head.

    The rules, which the node's `DriverThread` keeps:

    * All methods are called from one and the same thread, which is not the thread of the ROS callbacks.
    * `open`, then `read`, `torque` and `write` in any order, then `close`; after `close` it may be opened again.
    * A method may block for as long as its bus takes. While it does, newer positions replace older ones: only the
      newest waits. No method may block for ever: give the port a timeout of at most 0.2 s.
    * Servos are addressed by their place in the sequence that `open` got, by nothing else.
    * `DriverError` (or OSError) from any method means that the bus is gone: it is logged once, `close` follows, and
      `open` is tried again every second. The error says what is wrong and what to do, without the driver's label.
    * `SettingError` from `open` means that `Servo.options` or the label are wrong: the node refuses to start.
    """

    @property
    def label(self) -> str:
        """The text that the driver was asked for with."""

    def open(self, servos: Sequence[Servo]) -> None:
        """Check every servo's `options` first (`SettingError` with place, key and what is expected), then open the bus.

        No servo moves and none gets torque. Raises `DriverError` where the bus or a servo on it does not answer, and
        leaves nothing open then.
        """

    def read(self) -> NDArray[np.float64] | None:
        """Where the servos stand, (J,) float64 in each joint's unit; None where they cannot tell.

        Called once after every `open`, before any torque, so that motion begins where the head is.
        """

    def torque(self, on: Sequence[bool]) -> None:
        """Switch each of the J servos on or off.

        Called before the first `write` that is to move a servo, and when one changes. Where a servo can only be left
        without pulses, that is off; where nothing can be switched, this does nothing.
        """

    def write(self, positions: NDArray[np.float64]) -> None:
        """Send the J positions, float64 in each joint's unit, all of them, at up to 100 Hz.

        They are finite and lie within `minimum`..`maximum` of their servos. Those of servos without torque are not to
        switch it on again.
        """

    def close(self) -> None:
        """Give the bus back; also after any failure, and twice in a row. Raises nothing, and leaves torque as it is."""

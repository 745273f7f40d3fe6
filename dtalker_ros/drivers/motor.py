"""A joint's motor: where it hangs on its bus, and which angle it has for a position of the joint.

Both come from the key ``servo`` of the joint in the head's YAML.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from dtalker_model.errors import SettingError
from dtalker_ros.joints.driver import Servo
from dtalker_ros.joints.keys import Keys

LARGEST_RATIO = 1e6
"""A lead screw of 1 mm has 6283 rad per m; beyond this it is a slip."""
TOLERANCE_DEG = 0.5
"""A range may be this much wider than the motor's travel: figures in a YAML are rounded."""


@dataclass(frozen=True)
class Motor:
    """One motor.

    Attributes:
        number: the id of a Dynamixel, the channel of a PCA9685 or Maestro.
        zero_deg: the motor's own angle at position 0 of the joint, counted as its maker counts.
        ratio: radians of the motor for one rad (or m) of the joint; negative turns the other way.
        travel_deg: the motor's angles go from 0 to here.
    """

    number: int
    zero_deg: float
    ratio: float
    travel_deg: float

    def angle_deg(self, position: float) -> float:
        """The motor's angle for a joint at `position` (rad or m)."""
        return self.zero_deg + math.degrees(self.ratio * position)

    def position(self, angle_deg: float) -> float:
        """Position of the joint (rad or m) for a motor's angle."""
        return math.radians(angle_deg - self.zero_deg) / self.ratio

    def share(self, position: float) -> float:
        """Where in the motor's travel a position lies, 0..1: rounding never leads beyond the ends."""
        return min(max(self.angle_deg(position) / self.travel_deg, 0.0), 1.0)


def read_ratio(keys: Keys, servo: Servo) -> float:
    """The key ``ratio``: 1 by default where the joint turns. Raises `SettingError`."""
    turns = servo.unit == "rad"
    ratio = (
        keys.number("ratio", 1.0, unit="") if turns else keys.number("ratio", unit=f"rad of the motor per {servo.unit}")
    )
    if not 1 / LARGEST_RATIO <= abs(ratio) <= LARGEST_RATIO:
        keys.refuse("ratio", f"a number from {1 / LARGEST_RATIO:g} to {LARGEST_RATIO:g} either way")
    return ratio


def check_range(servo: Servo, motor: Motor) -> None:
    """Raise `SettingError` where the joint's range leads the motor beyond its travel."""
    for position in (servo.minimum, servo.maximum):
        angle_deg = motor.angle_deg(position)
        if not -TOLERANCE_DEG <= angle_deg <= motor.travel_deg + TOLERANCE_DEG:
            raise SettingError(
                f"{servo.place}: position {position:g} {servo.unit} would turn the motor to {angle_deg:.1f} degrees, "
                f"and it goes from 0 to {motor.travel_deg:g}: change zero_deg, ratio or the joint's range"
            )


def check_numbers(servos: Sequence[Servo], motors: Sequence[Motor]) -> None:
    """Raise `SettingError` where two joints have the same motor."""
    owners: dict[int, str] = {}
    for servo, motor in zip(servos, motors):
        if motor.number in owners:
            raise SettingError(f"{servo.place}: {motor.number} is that of joint {owners[motor.number]} already")
        owners[motor.number] = servo.name

"""Hobby servos: an angle is the length of a pulse. What PCA9685 and Maestro share."""

from collections.abc import Sequence
from dataclasses import dataclass

from dtalker_ros.drivers.motor import Motor, check_numbers, check_range, read_ratio
from dtalker_ros.joints.driver import Servo
from dtalker_ros.joints.keys import Keys, checked_number

PULSE_US = (1000.0, 2000.0)
"""From end to end by default: what every servo bears."""
SHORTEST_US, LONGEST_US = 300.0, 3000.0
TRAVEL_DEG, LONGEST_TRAVEL_DEG = 180.0, 3600.0


@dataclass(frozen=True)
class HobbyServo(Motor):
    """A motor on channel `number`; `pulse_us`: the pulses at 0 and at `travel_deg`, in microseconds."""

    pulse_us: tuple[float, float]

    def pulse(self, position: float) -> float:
        """Microseconds for a position of the joint."""
        low, high = self.pulse_us
        return low + self.share(position) * (high - low)


def hobby_servos(servos: Sequence[Servo], channels: int) -> list[HobbyServo]:
    """The motors of `servos` on a board with so many `channels`; raises `SettingError`."""
    motors = [_hobby_servo(servo, channels) for servo in servos]
    check_numbers(servos, motors)
    return motors


def _hobby_servo(servo: Servo, channels: int) -> HobbyServo:
    keys = Keys(servo.options, servo.place)
    channel = keys.whole("channel", high=channels - 1)
    travel_deg = keys.number("travel_deg", TRAVEL_DEG, 1.0, LONGEST_TRAVEL_DEG, "degrees")
    zero_deg = keys.number("zero_deg", travel_deg / 2, unit="degrees")
    motor = HobbyServo(channel, zero_deg, read_ratio(keys, servo), travel_deg, _pulse_us(keys))
    keys.end()
    check_range(servo, motor)
    return motor


def _pulse_us(keys: Keys) -> tuple[float, float]:
    place = f"{keys.place}: pulse_us"
    ends = [checked_number(end, place, SHORTEST_US, LONGEST_US, "us") for end in keys.items("pulse_us", PULSE_US)]
    if len(ends) != 2 or not ends[0] < ends[1]:
        keys.refuse("pulse_us", "[shortest, longest] pulse, us, such as [1000, 2000]")
    return ends[0], ends[1]

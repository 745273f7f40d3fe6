"""Hobby servos on a PCA9685 (Adafruit's 16 channel boards and their copies), by `adafruit-circuitpython-servokit`."""

import contextlib
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dtalker_ros.drivers.hobby import HobbyServo, hobby_servos
from dtalker_ros.drivers.libraries import needed, reaching
from dtalker_ros.joints.driver import DriverError, Servo

PACKAGE = "adafruit-circuitpython-servokit"
CHANNELS = 16
PULSES_HZ = 50


class Pca9685Driver:
    """``pca9685:1:0x40``: I2C bus 1 (``/dev/i2c-1``), address 0x40."""

    def __init__(
        self, number: int, address: int, label: str = "pca9685", open_i2c: Callable[[int], Any] | None = None
    ) -> None:
        """`open_i2c` opens an I2C bus of CircuitPython's kind by its number; without it, that of Linux."""
        self.label = label
        self._number, self._address, self._open_i2c = number, address, open_i2c or linux_i2c
        self._motors: list[HobbyServo] = []
        self._on: list[bool] = []
        self._i2c: Any = None
        self._pulsing: Any = None
        """A channel that has pulses, unless the board was without power, after which it has none and says nothing."""
        self._channels: list[Any] = []

    def open(self, servos: Sequence[Servo]) -> None:
        self._motors = hobby_servos(servos, CHANNELS)
        self._on = [False] * len(servos)
        with reaching(self.close):
            servo_kit = needed("adafruit_servokit", PACKAGE).ServoKit
            self._i2c = self._open_i2c(self._number)
            kit = self._found(servo_kit)
            self._channels = [kit.servo[motor.number] for motor in self._motors]
            for motor, channel in zip(self._motors, self._channels):
                channel.set_pulse_width_range(*motor.pulse_us)

    def read(self) -> NDArray[np.float64] | None:
        return None

    def torque(self, on: Sequence[bool]) -> None:
        """Off is no pulse; pulses begin with the next `write`."""
        self._on, self._pulsing = list(on), None
        for channel, held in zip(self._channels, self._on):
            if not held:
                channel.fraction = None

    def write(self, positions: NDArray[np.float64]) -> None:
        if self._pulsing is not None and self._pulsing.fraction is None:
            raise DriverError("the board has lost its settings: its power was off")
        self._pulsing = None
        for motor, channel, on, position in zip(self._motors, self._channels, self._on, positions.tolist()):
            if on:
                channel.fraction = motor.share(position)
                self._pulsing = channel

    def close(self) -> None:
        with contextlib.suppress(Exception):  # of a bus that is gone; nothing can be done about it
            if self._i2c is not None:
                self._i2c.deinit()
        self._i2c, self._pulsing, self._channels = None, None, []

    def _found(self, servo_kit: Any) -> Any:
        try:
            return servo_kit(channels=CHANNELS, i2c=self._i2c, address=self._address, frequency=PULSES_HZ)
        except ValueError as error:  # what the library says of an address where nothing answers
            raise DriverError(f"{error}: look at its wires, and at what `i2cdetect -y {self._number}` finds") from None


def linux_i2c(number: int) -> Any:
    """I2C bus `number` of Linux, which `busio.I2C` itself opens only by the pins of boards that it knows."""
    busio = needed("busio", PACKAGE)
    generic = needed("adafruit_blinka.microcontroller.generic_linux.i2c", PACKAGE)

    class NumberedI2c(busio.I2C):  # type: ignore[name-defined]
        def __init__(self) -> None:
            try:
                self._i2c = generic.I2C(number)
            except (OSError, RuntimeError) as error:
                raise DriverError(f"cannot open /dev/i2c-{number}: {error}") from None

        def deinit(self) -> None:
            self._i2c._i2c_bus.close()

    return NumberedI2c()

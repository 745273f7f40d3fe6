"""ROBOTIS Dynamixel servos of the X series (and MX with Protocol 2.0), by the maker's `dynamixel-sdk`."""

import contextlib
import time
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dtalker_ros.drivers.libraries import needed, reaching, wait_until_sent
from dtalker_ros.drivers.motor import Motor, check_numbers, check_range, read_ratio
from dtalker_ros.joints.driver import DriverError, Servo
from dtalker_ros.joints.keys import Keys

HIGHEST_ID = 252
MIDDLE_DEG, TURN_DEG, TICKS_PER_TURN = 180.0, 360.0, 4096
OPERATING_MODE, TORQUE_ENABLE, HARDWARE_ERROR, GOAL_POSITION, PRESENT_POSITION = 11, 64, 70, 116, 132
"""Addresses in the control table of the X series."""
POSITION, EXTENDED, CURRENT_BASED = 3, 4, 5
"""Operating modes in which a goal position moves the servo."""
ERRORS = {0: "input voltage", 2: "overheating", 3: "encoder", 4: "electrical shock", 5: "overload"}
"""Bits of the hardware error status, on which a servo shuts down."""
LOOK_S = 1.0
"""So often one of the servos, in turn, is asked whether it still holds: a Sync Write has no answer."""
MOST_TICKS = 256 * TICKS_PER_TURN - 1
"""Either way, in the extended mode."""
LIKE_A_HEADER = -131073
"""Goal whose bytes hold FF FF FD. The SDK (4.1.0) forgets to stuff them, which the protocol asks for; the tick
beside it is 0.09 degrees away.
"""
TRIES = 3
"""A packet may be lost on the way, or its answer come late."""
PACKET_BYTES = 14
"""Of a Sync Write, beside its servos' own."""
WRITE_TIMEOUT_S = 0.2


class DynamixelDriver:
    """``dynamixel:/dev/ttyUSB0?baud=57600``. One packet moves all servos (Sync Write)."""

    def __init__(self, target: str, label: str = "dynamixel", baud: int = 57600) -> None:
        self.label = label
        self._device, self._baud = target, baud
        self._motors: list[Motor] = []
        self._modes: list[int] = []
        self._on: list[bool] = []
        self._looked_at, self._looked_s = 0, 0.0
        self._sdk: Any = None
        self._port: Any = None
        self._protocol: Any = None

    def open(self, servos: Sequence[Servo]) -> None:
        self._motors = [_motor(servo) for servo in servos]
        check_numbers(servos, self._motors)
        with reaching(self.close):
            self._open_port()
            self._modes = [self._mode(motor.number) for motor in self._motors]
            for motor in self._motors:
                self._check_errors(motor.number)
            for servo, motor, mode in zip(servos, self._motors, self._modes):
                if mode != EXTENDED:
                    check_range(servo, motor)
        self._on, self._looked_s = [False] * len(servos), time.monotonic()

    def read(self) -> NDArray[np.float64] | None:
        with reaching():
            ticks = [self._ask(motor.number, PRESENT_POSITION, 4) for motor in self._motors]
        signed = [value - (1 << 32) if value >> 31 else value for value in ticks]
        return np.array([m.position(t * TURN_DEG / TICKS_PER_TURN) for m, t in zip(self._motors, signed)], float)

    def torque(self, on: Sequence[bool]) -> None:
        self._on = list(on)
        self._sync_write(TORQUE_ENABLE, 1, map(int, on))

    def write(self, positions: NDArray[np.float64]) -> None:
        self._sync_write(GOAL_POSITION, 4, map(self._ticks, self._motors, self._modes, positions.tolist()))
        if time.monotonic() - self._looked_s >= LOOK_S:
            self._looked_s = time.monotonic()
            self._looked_at = (self._looked_at + 1) % len(self._motors)
            with reaching():
                self._check(self._motors[self._looked_at].number, self._on[self._looked_at])

    def close(self) -> None:
        with contextlib.suppress(Exception):  # of a port that is gone; nothing can be done about it
            if self._port is not None and self._port.ser is not None:
                self._port.closePort()
        self._port = None

    def _open_port(self) -> None:
        self._sdk = needed("dynamixel_sdk", "dynamixel-sdk")
        self._protocol = self._sdk.PacketHandler(2.0)
        self._port = self._sdk.PortHandler(self._device)
        if not self._port.setBaudRate(self._baud):
            raise DriverError(f"baud {self._baud} is none that the SDK knows, such as 57600, 1000000 and 2000000")
        self._port.ser.exclusive = True  # two programs that move one servo break it
        self._port.ser.write_timeout = WRITE_TIMEOUT_S

    def _mode(self, number: int) -> int:
        mode = self._ask(number, OPERATING_MODE, 1)
        if mode not in (POSITION, EXTENDED, CURRENT_BASED):
            raise DriverError(f"servo {number} is in operating mode {mode}: set it to {POSITION}, position control")
        return mode

    def _check(self, number: int, on: bool) -> None:
        """Raise `DriverError` where a servo has let go."""
        holds = self._ask(number, TORQUE_ENABLE, 1)
        self._check_errors(number)
        if on and not holds:
            raise DriverError(f"servo {number} has let go: its power was off")

    def _check_errors(self, number: int) -> None:
        status = self._ask(number, HARDWARE_ERROR, 1)
        errors = [error for bit, error in ERRORS.items() if status >> bit & 1]
        if errors:
            what = f"servo {number} has shut down ({', '.join(errors)})"
            raise DriverError(f"{what}: mend the cause, then switch its power off and on")

    def _ask(self, number: int, address: int, size: int) -> int:
        """A value of the control table of a servo that answers."""
        read = self._protocol.read1ByteTxRx if size == 1 else self._protocol.read4ByteTxRx
        for _ in range(TRIES):
            value, result, _ = read(self._port, number, address)
            if result == self._sdk.COMM_SUCCESS:
                return int(value)
        reason = self._protocol.getTxRxResult(result)
        raise DriverError(f"servo {number} does not answer ({reason}): look at its power, its id and the baud rate")

    def _ticks(self, motor: Motor, mode: int, position: float) -> int:
        ticks = round(motor.angle_deg(position) * TICKS_PER_TURN / TURN_DEG)
        low, high = (-MOST_TICKS, MOST_TICKS) if mode == EXTENDED else (0, TICKS_PER_TURN - 1)
        ticks = min(max(ticks, low), high)
        return ticks + 1 if ticks == LIKE_A_HEADER else ticks

    def _sync_write(self, address: int, size: int, values: Iterable[int]) -> None:
        group = self._sdk.GroupSyncWrite(self._port, self._protocol, address, size)
        for motor, value in zip(self._motors, values):
            group.addParam(motor.number, list(value.to_bytes(size, "little", signed=size > 1)))
        with reaching():
            result = group.txPacket()
        if result != self._sdk.COMM_SUCCESS:
            raise DriverError(f"the bus takes no packet ({self._protocol.getTxRxResult(result)})")
        wait_until_sent(PACKET_BYTES + (1 + size) * len(self._motors), self._baud)


def _motor(servo: Servo) -> Motor:
    keys = Keys(servo.options, servo.place)
    number = keys.whole("id", high=HIGHEST_ID)
    motor = Motor(number, keys.number("zero_deg", MIDDLE_DEG, unit="degrees"), read_ratio(keys, servo), TURN_DEG)
    keys.end()
    return motor

"""Hobby servos on a Pololu Maestro, over `pyserial`.

Pololu publishes no Python library, so that the frames are made here: Set Target and Set Multiple Targets of the User's
Guide, chapter 5.e (pololu.com/docs/0J40/5.e). Targets are in quarter microseconds; 0 stops the pulses.
"""

import contextlib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dtalker_ros.drivers.hobby import HobbyServo, hobby_servos
from dtalker_ros.drivers.libraries import needed, reaching, wait_until_sent
from dtalker_ros.joints.driver import Servo

CHANNELS = 24
SET_TARGET, SET_MULTIPLE_TARGETS, POLOLU = 0x84, 0x9F, 0xAA
TIMEOUT_S = 0.2


class MaestroDriver:
    """``maestro:/dev/ttyACM0``; `device`: its number where several Maestros share a line (the Pololu protocol);
    `multiple`: one command for channels in a row, which only the Mini Maestros (12, 18, 24 channels) know.
    """

    def __init__(
        self,
        target: str,
        label: str = "maestro",
        baud: int = 115200,
        device: int | None = None,
        multiple: bool = False,
    ) -> None:
        self.label = label
        self._path, self._baud, self._device, self._multiple = target, baud, device, multiple
        self._motors: list[HobbyServo] = []
        self._on: list[bool] = []
        self._port: Any = None

    def open(self, servos: Sequence[Servo]) -> None:
        self._motors = hobby_servos(servos, CHANNELS)
        self._on = [False] * len(servos)
        serial = needed("serial", "pyserial")
        self._port = serial.Serial(self._path, self._baud, timeout=TIMEOUT_S, write_timeout=TIMEOUT_S, exclusive=True)

    def read(self) -> NDArray[np.float64] | None:
        return None

    def torque(self, on: Sequence[bool]) -> None:
        """Off is no pulse; pulses begin with the next `write`."""
        self._on = list(on)
        self._send({motor.number: 0 for motor, on in zip(self._motors, self._on) if not on})

    def write(self, positions: NDArray[np.float64]) -> None:
        moved = zip(self._motors, self._on, positions.tolist())
        self._send({motor.number: round(4 * motor.pulse(position)) for motor, on, position in moved if on})

    def close(self) -> None:
        with contextlib.suppress(Exception):  # of a port that is gone; nothing can be done about it
            if self._port is not None:
                self._port.close()
        self._port = None

    def _send(self, targets: Mapping[int, int]) -> None:
        with reaching():
            sent = self._port.write(b"".join(self._command(*row) for row in _rows(targets, self._multiple)))
        wait_until_sent(sent, self._baud)

    def _command(self, first: int, targets: Sequence[int]) -> bytes:
        data = bytes(byte for target in targets for byte in (target & 0x7F, target >> 7))
        code, count = (SET_MULTIPLE_TARGETS, bytes([len(targets)])) if self._multiple else (SET_TARGET, b"")
        start = bytes([code]) if self._device is None else bytes([POLOLU, self._device, code & 0x7F])
        return start + count + bytes([first]) + data


def _rows(targets: Mapping[int, int], multiple: bool) -> list[tuple[int, list[int]]]:
    """First channel and targets of each command: channels that follow each other together where `multiple`."""
    rows: list[tuple[int, list[int]]] = []
    for channel in sorted(targets):
        if multiple and rows and channel == rows[-1][0] + len(rows[-1][1]):
            rows[-1][1].append(targets[channel])
        else:
            rows.append((channel, [targets[channel]]))
    return rows

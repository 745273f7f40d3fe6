"""The thread in which a driver lives: a slow bus holds up nothing, and one that is unplugged comes back."""

import threading
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from dtalker_model.errors import SettingError
from dtalker_ros.joints.driver import Driver, Servo
from dtalker_ros.joints.head import Head
from dtalker_ros.joints.mapper import Command

AGAIN_S = 1.0
"""From one try to open a bus to the next."""
OPEN_S = 5.0
"""Longest wait for the first try."""
END_S = 2.0
"""Longest wait for the last words to the servos."""


def servos_of(head: Head) -> list[Servo]:
    """The J joints of `head` as a driver sees them."""
    return [
        Servo(j.name, j.minimum, j.maximum, j.neutral, j.unit, j.servo, f"{head.place}: joint {j.name}: servo")
        for j in head.joints
    ]


class DriverThread:
    """Keeps the rules of `Driver`. Its methods are for one thread; only `say` and `tell` are called from its own."""

    def __init__(
        self, driver: Driver, servos: Sequence[Servo], say: Callable[[str], object], tell: Callable[[str], object]
    ) -> None:
        """Open the driver. `say` gets what is wrong, once for each outage, and `tell` that it is over.

        Raises `SettingError` where the driver refuses the servos. A bus that is not there is no error: it may come.
        """
        self._driver, self._servos, self._say, self._tell = driver, servos, say, tell
        self._changed = threading.Condition()
        self._pending: Command | None = None
        self._found: NDArray[np.float64] | None = None
        self._torque: tuple[bool, ...] | None = None
        self._stopping = False
        self._refusals: list[SettingError] = []
        self._tried = threading.Event()
        self.fault = ""
        """What is wrong with the bus now."""
        self._thread = threading.Thread(target=self._run, name="dtalker_driver", daemon=True)
        self._thread.start()
        self._tried.wait(OPEN_S)
        for refusal in self._refusals:
            self._thread.join()
            raise refusal

    def found(self) -> NDArray[np.float64] | None:
        """Where the servos stand, (J,), once after each time that the bus was opened and its servos could tell."""
        with self._changed:
            found, self._found = self._found, None
        return found

    def submit(self, command: Command) -> None:
        """Send `command` next, instead of any that waits; not before `found` has been asked where the servos stand."""
        with self._changed:
            if self._found is None:
                self._pending = command
                self._changed.notify()

    def close(self) -> None:
        """Send what waits, take the torque off all servos, and give the bus back."""
        with self._changed:
            self._stopping = True
            self._changed.notify()
        self._thread.join(END_S)
        if self._thread.is_alive():
            self._say(f"driver {self._driver.label}: did not answer at the end: its servos may still have torque")

    def _run(self) -> None:
        while not self._stopping:
            try:
                self._open()
                self._serve()
                self._driver.torque([False] * len(self._servos))
            except SettingError as error:
                self._refusals.append(error)
                return
            except Exception as error:  # the library's own errors are of any kind
                self._lost(error)
            finally:
                self._tried.set()
                self._driver.close()
            with self._changed:
                self._changed.wait_for(lambda: self._stopping, AGAIN_S)

    def _open(self) -> None:
        self._driver.open(self._servos)
        found = self._driver.read()
        with self._changed:
            self._found, self._pending, self._torque = found, None, None
        if self.fault:
            self._tell(f"driver {self._driver.label}: is back")
        self.fault = ""
        self._tried.set()

    def _serve(self) -> None:
        while (command := self._next()) is not None:
            if command.torque != self._torque:
                self._driver.torque(command.torque)
                self._torque = command.torque
            self._driver.write(command.positions)

    def _next(self) -> Command | None:
        """The newest command; None at the end."""
        with self._changed:
            self._changed.wait_for(lambda: self._stopping or self._pending is not None)
            command, self._pending = self._pending, None
        return command

    def _lost(self, error: Exception) -> None:
        if not self.fault:
            self._say(f"driver {self._driver.label}: {error or type(error).__name__}: trying again every second")
        self.fault = str(error) or type(error).__name__

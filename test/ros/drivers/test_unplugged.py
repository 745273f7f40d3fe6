"""Every driver in the joint mapper's thread: a pulled cable is said once, does no harm, and comes back."""

import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest
from cable_rig import Cable
from dynamixel_rig import GOAL_POSITION, TORQUE_ENABLE, XBus
from maestro_rig import Maestro
from pca9685_rig import I2cBus

from dtalker_ros.drivers import parse_driver
from dtalker_ros.drivers.pca9685 import Pca9685Driver
from dtalker_ros.joints import driver_thread
from dtalker_ros.joints.driver import Driver, Servo
from dtalker_ros.joints.driver_thread import DriverThread
from dtalker_ros.joints.mapper import Command

LIBRARIES = {"dynamixel": "dynamixel_sdk", "maestro": "serial", "pca9685": "adafruit_pca9685"}
TICK_S = 0.01
WAIT_S = 15.0


class Plug:
    """A driver on a cable, and where its motor is: its share of the way to +pi / 2, or None without torque."""

    def __init__(
        self, driver: Driver, plug: Callable[[], None], unplug: Callable[[], None], at: Callable[[], float | None]
    ) -> None:
        self.driver, self.plug, self.unplug, self.at = driver, plug, unplug, at
        self.tries = 0
        """How often it was opened."""
        opened = driver.open

        def count(servos: Sequence[Servo]) -> None:
            self.tries += 1
            opened(servos)

        driver.open = count  # type: ignore[method-assign]


@pytest.fixture(params=LIBRARIES)
def plug(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Plug]:
    kind = request.param
    pytest.importorskip(LIBRARIES[kind], reason=f"{LIBRARIES[kind]} is not installed")
    if kind == "pca9685":
        chip = I2cBus()

        def pull() -> None:
            chip.plugged = False

        def put_back() -> None:
            chip.power_up()
            chip.plugged, chip.closed = True, False

        def reopened(number: int) -> I2cBus:
            chip.closed = False
            return chip

        def pulse() -> float | None:
            pulse_us = chip.pulse_us(1)
            return None if pulse_us is None else (pulse_us - 1500) / 500

        yield Plug(Pca9685Driver(1, 0x40, open_i2c=reopened), put_back, pull, pulse)
        return
    if kind == "dynamixel":
        monkeypatch.setattr("dynamixel_sdk.port_handler.LATENCY_TIMER", 500)
        bus, board = XBus(1), Maestro()
        motor = bus.servos[1]
        take, at = bus.take, lambda: (motor.get(GOAL_POSITION) - 2048) / 1024 if motor.get(TORQUE_ENABLE) else None
    else:
        bus, board = XBus(), Maestro()
        take, at = board.take, lambda: (board.targets[1] - 6000) / 2000 if board.targets[1] else None
    with Cable(tmp_path / "port", take) as cable:
        yield Plug(parse_driver(f"{kind}:{cable.path}"), cable.plug, cable.unplug, at)


def test_a_pulled_cable_is_said_once_and_comes_back(plug: Plug, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(driver_thread, "AGAIN_S", 0.05)
    said: list[str] = []
    told: list[str] = []
    key = "id" if plug.driver.label.startswith("dynamixel") else "channel"
    servo = Servo("jaw", -np.pi / 2, np.pi / 2, 0.0, options={key: 1}, place="joint jaw: servo")
    thread = DriverThread(plug.driver, [servo], said.append, told.append)

    def until(holds: Callable[[], bool], share: float) -> None:
        """As the node does: a position every tick."""
        for _ in range(round(WAIT_S / TICK_S)):
            thread.found()
            thread.submit(Command(np.array([share * np.pi / 2]), np.zeros(1), np.zeros(1), (True,)))
            if holds():
                return
            threading.Event().wait(TICK_S)
        raise AssertionError(f"waited for {share}: {plug.at()}, {said}, {told}")

    def is_at(share: float) -> Callable[[], bool]:
        return lambda: (at := plug.at()) is not None and abs(at - share) < 0.02

    try:
        until(is_at(0.5), 0.5)
        plug.unplug()
        until(lambda: bool(said) and bool(thread.fault), 0.6)
        assert plug.driver.label in said[0] and "trying again every second" in said[0]
        tries = plug.tries
        until(lambda: plug.tries >= tries + 3, 0.6)
        assert len(said) == 1 and not told
        plug.plug()
        until(is_at(0.75), 0.75)
        assert said == said[:1] and told == [f"driver {plug.driver.label}: is back"] and not thread.fault
    finally:
        thread.close()
    assert plug.at() is None, "no torque in the end"

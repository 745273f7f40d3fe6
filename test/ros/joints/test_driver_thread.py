"""The driver's thread keeps the protocol's rules: order, one thread, the newest position, unplugging, the end."""

import threading
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
from joint_rig import head, jaw
from numpy.typing import NDArray

from dtalker_model.errors import SettingError
from dtalker_ros.joints import driver_thread
from dtalker_ros.joints.driver import DriverError, Servo
from dtalker_ros.joints.driver_thread import DriverThread, servos_of
from dtalker_ros.joints.mapper import Command

WAIT_S = 10.0
PAIR = head(jaw(servo={"id": 3}), jaw("lip"))


class Bus:
    """A driver that notes every call; `fail` names the method that raises now."""

    label = "bus:0"

    def __init__(self, found: Sequence[float] | None = None) -> None:
        self._found = found
        self.calls: list[tuple[str, Any]] = []
        self.threads: set[int] = set()
        self.fail: dict[str, Exception] = {}
        self.gate = threading.Event()
        self.gate.set()
        self.changed = threading.Condition()

    def _note(self, name: str, value: Any = None) -> None:
        self.threads.add(threading.get_ident())
        with self.changed:
            self.calls.append((name, value))
            self.changed.notify_all()
        if name == "write":
            self.gate.wait(WAIT_S)
        if name in self.fail:
            raise self.fail[name]

    def open(self, servos: Sequence[Servo]) -> None:
        self._note("open", [servo.name for servo in servos])

    def read(self) -> NDArray[np.float64] | None:
        self._note("read")
        return None if self._found is None else np.array(self._found)

    def torque(self, on: Sequence[bool]) -> None:
        self._note("torque", tuple(on))

    def write(self, positions: NDArray[np.float64]) -> None:
        self._note("write", positions.tolist())

    def close(self) -> None:
        self._note("close")

    def until(self, condition: Callable[[list[tuple[str, Any]]], bool]) -> None:
        """Wait until the calls so far fulfil `condition`."""
        with self.changed:
            assert self.changed.wait_for(lambda: condition(self.calls), WAIT_S), self.calls


def command(*positions: float, torque: tuple[bool, bool] = (True, True)) -> Command:
    """To be sent."""
    return Command(np.array(positions), np.zeros(2), np.zeros(2), torque)


def started(bus: Bus, said: list[str]) -> DriverThread:
    """The thread of a bus; what it says goes to `said`."""
    return DriverThread(bus, servos_of(PAIR), said.append, said.append)


def test_servos_are_the_joints() -> None:
    first, _ = servos_of(PAIR)
    assert first == Servo("jaw", -0.1, 0.5, 0.0, "rad", {"id": 3}, "head: joint jaw: servo")


def test_a_life_from_opening_to_the_end() -> None:
    bus, said = Bus(), list[str]()
    thread = started(bus, said)
    thread.submit(command(0.1, 0.2))
    bus.until(lambda calls: ("write", [0.1, 0.2]) in calls)
    thread.submit(command(0.2, 0.0, torque=(True, False)))
    bus.until(lambda calls: ("write", [0.2, 0.0]) in calls)
    thread.close()
    names = ["jaw", "lip"]
    assert bus.calls == [
        ("open", names),
        ("read", None),
        ("torque", (True, True)),
        ("write", [0.1, 0.2]),
        ("torque", (True, False)),
        ("write", [0.2, 0.0]),
        ("torque", (False, False)),
        ("close", None),
    ]
    assert said == [] and len(bus.threads) == 1 and threading.get_ident() not in bus.threads


def test_while_a_bus_is_slow_the_newest_position_waits() -> None:
    bus = Bus()
    thread = started(bus, [])
    bus.gate.clear()
    thread.submit(command(0.0, 0.0))
    bus.until(lambda calls: ("write", [0.0, 0.0]) in calls)
    for k in range(1, 10):
        thread.submit(command(k / 100, 0.0))
    bus.gate.set()
    bus.until(lambda calls: ("write", [0.09, 0.0]) in calls)
    thread.close()
    assert [value for name, value in bus.calls if name == "write"] == [[0.0, 0.0], [0.09, 0.0]]


def test_nothing_is_written_before_it_is_known_where_the_servos_stand() -> None:
    bus = Bus(found=[0.3, 0.1])
    thread = started(bus, [])
    thread.submit(command(0.0, 0.0))
    found = thread.found()
    assert found is not None and found.tolist() == [0.3, 0.1] and thread.found() is None
    thread.submit(command(0.3, 0.1))
    bus.until(lambda calls: ("write", [0.3, 0.1]) in calls)
    thread.close()
    assert [value for name, value in bus.calls if name == "write"] == [[0.3, 0.1]]


def test_what_was_told_before_is_never_written() -> None:
    bus = Bus(found=[0.3, 0.1])
    thread = started(bus, [])
    thread.submit(command(0.0, 0.0))
    thread.close()  # which sends what waits
    assert [name for name, _ in bus.calls] == ["open", "read", "torque", "close"]


def test_an_unplugged_bus_is_said_once_and_opened_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(driver_thread, "AGAIN_S", 0.01)
    bus, said = Bus(), list[str]()
    thread = started(bus, said)
    bus.fail = {"write": DriverError("the port is gone"), "open": DriverError("no port")}
    thread.submit(command(0.1, 0.1))
    bus.until(lambda calls: sum(name == "open" for name, _ in calls) > 4)
    assert thread.fault == "no port"
    bus.fail = {}
    count = len(bus.calls)
    bus.until(lambda calls: ("read", None) in calls[count:])
    thread.submit(command(0.2, 0.2, torque=(True, True)))
    bus.until(lambda calls: ("write", [0.2, 0.2]) in calls)
    thread.close()
    assert said == ["driver bus:0: the port is gone: trying again every second", "driver bus:0: is back"]
    assert thread.fault == ""
    again = bus.calls[max(k for k, (name, _) in enumerate(bus.calls) if name == "open") :]
    assert again[:4] == [("open", ["jaw", "lip"]), ("read", None), ("torque", (True, True)), ("write", [0.2, 0.2])]


def test_wrong_settings_are_refused_at_the_start() -> None:
    bus = Bus()
    bus.fail = {"open": SettingError("head.yaml: joint jaw: servo: id is missing")}
    with pytest.raises(SettingError, match="id is missing"):
        started(bus, [])
    assert bus.calls[-1] == ("close", None)


def test_a_bus_that_is_not_there_yet_is_no_error() -> None:
    bus, said = Bus(), list[str]()
    bus.fail = {"open": DriverError("no port")}
    thread = started(bus, said)
    thread.submit(command(0.0, 0.0))
    thread.close()
    assert said == ["driver bus:0: no port: trying again every second"]
    assert all(name in ("open", "close") for name, _ in bus.calls)

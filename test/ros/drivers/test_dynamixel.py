"""The Dynamixel driver against servos that check every byte of Protocol 2.0."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from cable_rig import Cable
from dynamixel_rig import (
    GOAL_POSITION,
    HARDWARE_ERROR,
    OPERATING_MODE,
    PRESENT_POSITION,
    TORQUE_ENABLE,
    XBus,
    packet,
    stuffed,
)

from dtalker_model.errors import SettingError
from dtalker_ros.drivers import parse_driver
from dtalker_ros.joints.driver import Driver, DriverError, Servo

pytest.importorskip("dynamixel_sdk", reason="dynamixel-sdk is not installed")

JAW = Servo("jaw", -0.5, 0.5, 0.0, options={"id": 1}, place="head.yaml: joint jaw: servo")
LID = Servo("lid", 0.0, 0.4, 0.0, options={"id": 7, "zero_deg": 90, "ratio": -2.0}, place="head.yaml: joint lid: servo")


PATIENT_MS = 1000
"""For the SDK, whose 16 ms are too few where the simulator waits for a core."""


@pytest.fixture(autouse=True)
def _patient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dynamixel_sdk.port_handler.LATENCY_TIMER", PATIENT_MS)


@pytest.fixture
def bus() -> XBus:
    return XBus(1, 7)


@pytest.fixture
def cable(tmp_path: Path, bus: XBus) -> Iterator[Cable]:
    with Cable(tmp_path / "ttyUSB0", bus.take) as cable:
        yield cable


@pytest.fixture
def driver(cable: Cable) -> Iterator[Driver]:
    driver = parse_driver(f"dynamixel:{cable.path}?baud=1000000")
    yield driver
    driver.close()


def write_often(driver: Driver) -> None:
    """So often that each of two servos is asked how it is."""
    for _ in range(2):
        driver.write(np.zeros(2))


def goals(bus: XBus) -> list[int]:
    return [bus.servos[number].get(GOAL_POSITION) for number in (1, 7)]


def test_the_simulator_agrees_with_the_makers_examples() -> None:
    assert packet(1, b"\x01") == bytes.fromhex("FF FF FD 00 01 03 00 01 19 4E")
    two_goals = bytes.fromhex("83 74 00 04 00 01 96 00 00 00 02 AA 00 00 00")
    assert packet(0xFE, two_goals) == bytes.fromhex("FF FF FD 00 FE 11 00") + two_goals + bytes.fromhex("82 87")
    assert stuffed(b"\x03\xff\xff\xfd\xff\xff\xfd") == b"\x03\xff\xff\xfd\xfd\xff\xff\xfd\xfd"
    with pytest.raises(AssertionError, match="CRC"):
        XBus(1).take(packet(1, b"\x01")[:-1] + b"\0")


def test_positions_become_goals(driver: Driver, cable: Cable, bus: XBus) -> None:
    driver.open([JAW, LID])
    driver.torque([True, True])
    driver.write(np.array([np.pi / 8, 0.2]))
    cable.until(lambda: goals(bus)[1] != 0)
    assert goals(bus) == [2048 + 256, round((90 - np.degrees(0.4)) * 4096 / 360)]
    assert all(servo.get(TORQUE_ENABLE) == 1 for servo in bus.servos.values())


def test_opening_moves_nothing_and_gives_no_torque(driver: Driver, cable: Cable, bus: XBus) -> None:
    bus.servos[1].set(PRESENT_POSITION, 1024)
    bus.servos[7].set(PRESENT_POSITION, -12)
    driver.open([JAW, LID])
    where = driver.read()
    assert where is not None
    np.testing.assert_allclose(where, [-np.pi / 2, np.radians(12 * 360 / 4096 + 90) / 2])
    assert {body[0] for _, body in bus.packets} == {0x02}


def test_torque_goes_to_each_servo_alone(driver: Driver, cable: Cable, bus: XBus) -> None:
    driver.open([JAW, LID])
    driver.torque([True, True])
    driver.torque([True, False])
    cable.until(lambda: bus.servos[1].get(TORQUE_ENABLE) == 1 and bus.servos[7].get(TORQUE_ENABLE) == 0)
    driver.close()
    assert bus.servos[1].get(TORQUE_ENABLE) == 1


def test_no_goal_has_bytes_like_a_header(driver: Driver, cable: Cable, bus: XBus) -> None:
    bus.servos[1].set(OPERATING_MODE, 4)
    bus.servos[1].set(PRESENT_POSITION, -131073)  # FF FF FD FF
    driver.open([Servo("neck", -300.0, 300.0, 0.0, options={"id": 1, "zero_deg": 0})])
    where = driver.read()
    assert where == pytest.approx([-131073 * 2 * np.pi / 4096])
    driver.write(where)
    cable.until(lambda: bus.servos[1].get(GOAL_POSITION) != 0)
    assert bus.servos[1].get(GOAL_POSITION) == -131072


def test_a_slow_bus_is_waited_for(cable: Cable, bus: XBus, monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []
    driver = parse_driver(f"dynamixel:{cable.path}?baud=57600")
    driver.open([JAW, LID])
    monkeypatch.setattr("dtalker_ros.drivers.libraries.time.sleep", slept.append)
    driver.write(np.zeros(2))
    monkeypatch.undo()
    driver.close()
    cable.until(lambda: goals(bus) == [2048, 1024])
    whole = packet(*bus.packets[-1])
    assert slept == [10 * len(whole) / 57600]


def test_a_servo_that_is_not_there_is_named(driver: Driver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dynamixel_sdk.port_handler.LATENCY_TIMER", 16)
    with pytest.raises(DriverError, match=r"servo 3 does not answer .*power, its id and the baud rate"):
        driver.open([Servo("lip", 0, 1, 0, options={"id": 3})])


def test_a_servo_in_another_mode_is_named(driver: Driver, bus: XBus) -> None:
    bus.servos[7].set(OPERATING_MODE, 1)
    with pytest.raises(DriverError, match="servo 7 is in operating mode 1: set it to 3"):
        driver.open([JAW, LID])


@pytest.mark.parametrize(
    ("number", "item", "value", "message"),
    [
        (7, TORQUE_ENABLE, 0, "servo 7 has let go: its power was off"),
        (1, HARDWARE_ERROR, 0b100100, r"servo 1 has shut down \(overheating, overload\): mend the cause"),
    ],
)
def test_servos_that_let_go_are_noticed(
    driver: Driver,
    bus: XBus,
    monkeypatch: pytest.MonkeyPatch,
    number: int,
    item: tuple[int, int],
    value: int,
    message: str,
) -> None:
    monkeypatch.setattr("dtalker_ros.drivers.dynamixel.LOOK_S", 0.0)
    driver.open([JAW, LID])
    driver.torque([True, True])
    write_often(driver)
    bus.servos[number].set(item, value)
    with pytest.raises(DriverError, match=message):
        write_often(driver)
    driver.close()
    if item == HARDWARE_ERROR:
        with pytest.raises(DriverError, match=message):
            driver.open([JAW, LID])


def test_a_servo_without_torque_may_rest(driver: Driver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dtalker_ros.drivers.dynamixel.LOOK_S", 0.0)
    driver.open([JAW, LID])
    driver.torque([True, False])
    write_often(driver)


def test_a_pulled_cable_is_an_error_and_the_driver_opens_again(driver: Driver, cable: Cable, bus: XBus) -> None:
    driver.open([JAW, LID])
    cable.unplug()
    for _ in range(2):
        with pytest.raises(OSError):  # noqa: PT011  # of pyserial, in its own words
            driver.write(np.zeros(2))
    driver.close()
    driver.close()
    with pytest.raises(OSError, match="ttyUSB0"):
        driver.open([JAW, LID])
    cable.plug()
    driver.open([JAW, LID])
    driver.write(np.zeros(2))
    cable.until(lambda: goals(bus) == [2048, 1024])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, "joint jaw: servo: id is missing"),
        ({"id": 253}, "id: expected a whole number from 0 to 252, received 253"),
        ({"id": 1, "ratio": 0}, "ratio: expected a number from 1e-06 to"),
        ({"id": 1, "ratio": 1e-320}, "ratio: expected a number from 1e-06 to"),
        ({"id": 1, "zero_deg": "north"}, "zero_deg: expected a number"),
        ({"id": 1, "zero": 5}, r"unknown key 'zero' \(did you mean zero_deg\?\)"),
        ({"id": 1, "ratio": 10}, "would turn the motor to -106.5 degrees, and it goes from 0 to 360"),
        ({"id": 7}, "7 is that of joint lid already"),
    ],
)
def test_wrong_options_are_refused(driver: Driver, options: dict[str, object], message: str) -> None:
    with pytest.raises(SettingError, match=message):
        driver.open([LID, Servo("jaw", -0.5, 0.5, 0.0, options=options, place=JAW.place)])


def test_a_joint_in_metres_says_its_ratio(driver: Driver) -> None:
    with pytest.raises(SettingError, match="ratio is missing"):
        driver.open([Servo("lip", 0.0, 0.01, 0.0, unit="m", options={"id": 1}, place="lip")])

"""The Maestro driver against a board that checks every byte."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from cable_rig import Cable
from maestro_rig import Maestro

from dtalker_model.errors import SettingError
from dtalker_ros.drivers import parse_driver
from dtalker_ros.joints.driver import DriverError, Servo

pytest.importorskip("serial", reason="pyserial is not installed")

QUARTER = np.pi / 2


def hobby(name: str, channel: int, **options: object) -> Servo:
    return Servo(name, -QUARTER, QUARTER, 0.0, options={"channel": channel, **options}, place=f"joint {name}: servo")


THREE = [hobby("jaw", 2), hobby("lid", 3, pulse_us=[500, 2500]), hobby("brow", 9, ratio=-0.5)]


@pytest.fixture
def board() -> Maestro:
    return Maestro()


@pytest.fixture
def cable(tmp_path: Path, board: Maestro) -> Iterator[Cable]:
    with Cable(tmp_path / "ttyACM0", board.take) as cable:
        yield cable


def test_the_simulator_agrees_with_the_makers_examples() -> None:
    board = Maestro()
    board.take(bytes([0x84, 2, 0x70, 0x2E]))
    board.take(bytes([0x9F, 2, 3, 0x00, 0x00, 0x70]))
    board.take(bytes([0x2E, 0xAA, 12, 0x04, 0, 0x70, 0x2E]))
    assert board.targets[:5] == [6000, 0, 6000, 0, 6000]
    with pytest.raises(AssertionError):
        board.take(bytes([0x84, 2, 0xF0, 0x2E]))


@pytest.mark.parametrize(
    ("options", "commands"),
    [
        ("", [bytes([0x84, 2]), bytes([0x84, 3]), bytes([0x84, 9])]),
        ("?multiple=yes", [bytes([0x9F, 2, 2]), bytes([0x9F, 1, 9])]),
        ("?device=12&multiple=yes", [bytes([0xAA, 12, 0x1F, 2, 2]), bytes([0xAA, 12, 0x1F, 1, 9])]),
        ("?device=12&baud=9600", [bytes([0xAA, 12, 4, 2]), bytes([0xAA, 12, 4, 3]), bytes([0xAA, 12, 4, 9])]),
    ],
)
def test_positions_become_pulses(cable: Cable, board: Maestro, options: str, commands: list[bytes]) -> None:
    driver = parse_driver(f"maestro:{cable.path}{options}")
    driver.open(THREE)
    assert driver.read() is None
    driver.torque([True, True, True])
    driver.write(np.array([QUARTER, -QUARTER / 2, QUARTER]))
    cable.until(lambda: board.targets[9] != 0)
    driver.close()
    assert [board.targets[k] for k in (2, 3, 9)] == [4 * 2000, 4 * 1000, 4 * 1250]
    assert all(command.startswith(start) for command, start in zip(board.commands, commands, strict=True))


def test_without_torque_there_are_no_pulses(cable: Cable, board: Maestro) -> None:
    driver = parse_driver(f"maestro:{cable.path}")
    driver.open(THREE)
    driver.write(np.zeros(3))
    driver.torque([True, False, True])
    driver.write(np.zeros(3))
    cable.until(lambda: board.targets[9] == 6000)
    driver.torque([False, False, True])
    driver.write(np.full(3, 0.1))
    cable.until(lambda: board.targets[9] != 6000)
    driver.close()
    assert board.targets[2:4] == [0, 0]


def test_a_pulled_cable_is_an_error_and_the_driver_opens_again(cable: Cable, board: Maestro) -> None:
    driver = parse_driver(f"maestro:{cable.path}")
    driver.open(THREE)
    driver.torque([True] * 3)
    cable.unplug()
    with pytest.raises(OSError):  # noqa: PT011  # of pyserial, in its own words
        driver.write(np.zeros(3))
    driver.close()
    driver.close()
    with pytest.raises(OSError, match="ttyACM0"):
        driver.open(THREE)
    cable.plug()
    driver.open(THREE)
    driver.torque([True] * 3)
    driver.write(np.zeros(3))
    cable.until(lambda: board.targets[9] == 6000)
    driver.close()


def test_two_programs_cannot_have_one_board(cable: Cable) -> None:
    first, second = (parse_driver(f"maestro:{cable.path}") for _ in range(2))
    first.open(THREE)
    with pytest.raises(OSError, match="exclusively"):
        second.open(THREE)
    first.close()


def test_a_missing_library_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "serial", None)
    with pytest.raises(DriverError, match="pip install pyserial"):
        parse_driver("maestro:/dev/ttyACM0").open(THREE)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"channel": 24}, "channel: expected a whole number from 0 to 23"),
        ({"channel": 0, "pulse_us": [1000]}, r"pulse_us: expected \[shortest, longest\]"),
        ({"channel": 0, "pulse_us": [2000, 1000]}, r"pulse_us: expected \[shortest, longest\]"),
        ({"channel": 0, "pulse_us": [100, 2000]}, "expected a number from 300 to 3000 us, received 100"),
        ({"channel": 0, "travel_deg": 90}, "would turn the motor to -45.0 degrees, and it goes from 0 to 90"),
        ({"channel": 2}, "2 is that of joint jaw already"),
    ],
)
def test_wrong_options_are_refused_before_anything_is_opened(options: dict[str, object], message: str) -> None:
    wrong = Servo("lip", -QUARTER, QUARTER, 0.0, options=options, place="joint lip: servo")
    with pytest.raises(SettingError, match=message):
        parse_driver("maestro:/dev/null/none").open([THREE[0], wrong])

"""Texts that ask for drivers."""

import pytest

from dtalker_model.errors import SettingError
from dtalker_ros.drivers import KINDS, driver_help, parse_driver


@pytest.mark.parametrize(
    "text",
    [
        "dynamixel:/dev/ttyUSB0",
        "dynamixel:/dev/ttyUSB0?baud=1000000",
        "pca9685:1:0x40",
        "PCA9685:0:65",
        "maestro:/dev/ttyACM0?device=0&multiple=no&baud=9600",
        "maestro:COM3",
    ],
)
def test_an_address_is_a_driver_that_touches_no_hardware(text: str) -> None:
    assert parse_driver(text).label == text


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "unknown kind; known: dynamixel:PORT"),
        ("/dev/ttyUSB0", "unknown kind"),
        ("lynx:/dev/ttyUSB0", "unknown kind"),
        ("maestro:", "says no target: maestro:PORT"),
        ("maestro:/dev/tty\0", "unknown kind"),
        ("dynamixel:/dev/ttyUSB0?speed=5", "unknown option 'speed'; known: baud"),
        ("dynamixel:/dev/ttyUSB0?baud=fast", "baud: invalid literal"),
        ("dynamixel:/dev/ttyUSB0?baud=10", "baud: expected 1200 to 4500000, received '10'"),
        ("maestro:/dev/ttyACM0?device=128", "expected the number of a Maestro, 0 to 127"),
        ("maestro:/dev/ttyACM0?multiple=1", "multiple: expected yes or no"),
        ("pca9685:1", "such as pca9685:1:0x40"),
        ("pca9685:1:0x80", "such as pca9685:1:0x40"),
        ("pca9685:1:070", "such as pca9685:1:0x40"),
        ("pca9685:1:" + 5000 * "9", "such as pca9685:1:0x40"),
        ("pca9685:1:0x40?baud=9600", "unknown option 'baud'; known: none"),
    ],
)
def test_what_is_no_address_is_refused(text: str, message: str) -> None:
    with pytest.raises(SettingError, match=message):
        parse_driver(text)


def test_the_help_names_every_kind() -> None:
    assert all(f"{kind}:" in driver_help() for kind in KINDS)

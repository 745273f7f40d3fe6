"""The PCA9685 driver against the chip's registers."""

import numpy as np
import pytest
from pca9685_rig import I2cBus

from dtalker_ros.drivers import parse_driver
from dtalker_ros.drivers.pca9685 import Pca9685Driver
from dtalker_ros.joints.driver import DriverError, Servo

pytest.importorskip("adafruit_pca9685", reason="adafruit-circuitpython-servokit is not installed")

QUARTER = np.pi / 2
STEP_US = 1e6 / 50 / 4096
"""What the chip can tell apart."""


def hobby(name: str, channel: int, **options: object) -> Servo:
    return Servo(name, -QUARTER, QUARTER, 0.0, options={"channel": channel, **options}, place=f"joint {name}: servo")


JAW, LID = hobby("jaw", 0), hobby("lid", 15, pulse_us=[500, 2500], ratio=-1.0)


@pytest.fixture
def bus() -> I2cBus:
    return I2cBus(0x41)


@pytest.fixture
def driver(bus: I2cBus) -> Pca9685Driver:
    return Pca9685Driver(1, 0x41, open_i2c=lambda number: bus if number == 1 else None)


@pytest.mark.parametrize("position", [-QUARTER, -0.3, 0.0, 0.77, QUARTER])
def test_positions_become_pulses(driver: Pca9685Driver, bus: I2cBus, position: float) -> None:
    driver.open([JAW, LID])
    assert driver.read() is None
    driver.torque([True, True])
    driver.write(np.array([position, position]))
    assert bus.rate_hz == pytest.approx(50, rel=0.01)
    pulses = bus.pulse_us(0), bus.pulse_us(15)
    share = position / np.pi
    assert pulses == pytest.approx((1500 + 1000 * share, 1500 - 2000 * share), abs=2 * STEP_US, rel=0.01)
    assert bus.pulse_us(7) is None


def test_without_torque_there_are_no_pulses(driver: Pca9685Driver, bus: I2cBus) -> None:
    driver.open([JAW, LID])
    driver.write(np.zeros(2))
    assert (bus.pulse_us(0), bus.pulse_us(15)) == (None, None)
    driver.torque([True, True])
    driver.write(np.zeros(2))
    driver.torque([False, True])
    driver.write(np.full(2, 0.1))
    assert bus.pulse_us(0) is None and bus.pulse_us(15) is not None
    driver.close()
    assert bus.pulse_us(15) is not None


def test_a_pulled_wire_is_an_error_and_the_driver_opens_again(driver: Pca9685Driver, bus: I2cBus) -> None:
    driver.open([JAW, LID])
    driver.torque([True, True])
    bus.plugged = False
    with pytest.raises(OSError, match="Remote I/O"):
        driver.write(np.zeros(2))
    driver.close()
    driver.close()
    bus.closed = False
    with pytest.raises(DriverError, match=r"No I2C device at address: 0x41: .*i2cdetect -y 1"):
        driver.open([JAW, LID])
    bus.power_up()
    bus.plugged, bus.closed = True, False
    driver.open([JAW, LID])
    assert bus.pulse_us(0) is None
    driver.torque([True, True])
    driver.write(np.zeros(2))
    assert bus.pulse_us(0) == pytest.approx(1500, rel=0.01)


def test_a_board_that_was_without_power_is_noticed(driver: Pca9685Driver, bus: I2cBus) -> None:
    driver.open([JAW, LID])
    driver.torque([False, True])
    for _ in range(3):
        driver.write(np.zeros(2))
    bus.power_up()
    with pytest.raises(DriverError, match="lost its settings: its power was off"):
        driver.write(np.zeros(2))
    driver.close()
    bus.closed = False
    driver.open([JAW, LID])
    driver.torque([False, True])
    driver.write(np.zeros(2))
    driver.torque([False, False])
    driver.write(np.zeros(2))
    driver.write(np.zeros(2))
    assert bus.pulse_us(15) is None


def test_a_bus_that_linux_has_not_is_said() -> None:
    with pytest.raises(DriverError, match="cannot open /dev/i2c-4711: I2C Bus #4711 not found"):
        parse_driver("pca9685:4711:0x40").open([JAW])


def test_the_chip_sees_what_is_against_its_data_sheet(bus: I2cBus) -> None:
    bus.try_lock()
    with pytest.raises(AssertionError, match="does not advance"):
        bus.writeto(0x41, bytes([6, 0, 0, 0, 4]))
    bus.writeto(0x41, bytes([0, 0x00]))
    with pytest.raises(AssertionError, match="sleeps"):
        bus.writeto(0x41, bytes([0xFE, 121]))

"""Motors of heads without ros2_control: one library a bus, and a driver that outlives a pulled cable. No ROS imports.

`parse_driver` makes a driver from an address such as ``dynamixel:/dev/ttyUSB0?baud=1000000``, ``pca9685:1:0x40`` or
``maestro:/dev/ttyACM0``.
"""

from dtalker_ros.drivers.registry import KINDS, driver_help, parse_driver

__all__ = ["KINDS", "driver_help", "parse_driver"]

"""The joint mapper's publishers, and how their messages are filled."""

from collections.abc import Sequence
from typing import Any

from rclpy.duration import Duration
from rclpy.node import Node
from rclpy.qos import QoSProfile, ReliabilityPolicy
from sensor_msgs.msg import JointState
from std_msgs.msg import Float64MultiArray
from trajectory_msgs.msg import JointTrajectory, JointTrajectoryPoint

from dtalker_model.errors import SettingError
from dtalker_ros.joints.driver import Driver
from dtalker_ros.joints.driver_thread import DriverThread, servos_of
from dtalker_ros.joints.head import Head
from dtalker_ros.joints.keys import one_of
from dtalker_ros.joints.mapper import Command

QOS = QoSProfile(depth=10, reliability=ReliabilityPolicy.RELIABLE)
KINDS = {
    "trajectory": (JointTrajectory, "joint_trajectory"),
    "commands": (Float64MultiArray, "commands"),
    "states": (JointState, "joint_states"),
}
"""Message type and topic of each kind of output."""


def asked_kinds(names: Sequence[str]) -> list[str]:
    """`names` of kinds, each once; empty names count for nothing. Raises `SettingError`."""
    wanted = [name for name in names if name]
    for name in wanted:
        if name not in KINDS:
            raise SettingError(f"outputs: received {one_of(name, KINDS)}")
    return list(dict.fromkeys(wanted))


class JointOutputs:
    """Publishes each command in the kinds that were asked for."""

    def __init__(self, node: Node, head: Head, kinds: Sequence[str], period_s: float) -> None:
        self._names = head.names
        self._tick = Duration(nanoseconds=round(period_s * 1e9)).to_msg()
        self._publishers = [(getattr(self, f"_{kind}"), node.create_publisher(*KINDS[kind], QOS)) for kind in kinds]

    def publish(self, stamp: Any, command: Command) -> None:
        """Publish `command`, which begins at `stamp` and is reached a tick later."""
        for fill, publisher in self._publishers:
            publisher.publish(fill(stamp, command))

    def _trajectory(self, stamp: Any, command: Command) -> JointTrajectory:
        # Stamp 0 says "from now on". A controller refuses a last point with a velocity, unless it is told otherwise.
        point = JointTrajectoryPoint(positions=command.positions.tolist(), time_from_start=self._tick)
        return JointTrajectory(joint_names=self._names, points=[point])

    def _commands(self, stamp: Any, command: Command) -> Float64MultiArray:
        return Float64MultiArray(data=command.positions.tolist())

    def _states(self, stamp: Any, command: Command) -> JointState:
        message = JointState(
            name=self._names, position=command.positions.tolist(), velocity=command.velocities.tolist()
        )
        message.header.stamp = stamp
        return message


def driver_thread(node: Node, driver: Driver, head: Head) -> DriverThread:
    """`driver` in its thread, for `head`, with what it says in the log of `node`. Raises `SettingError`."""
    log = node.get_logger()

    # Two functions: rclpy allows one severity to each place that logs.
    def say(text: str) -> None:
        log.error(text)

    def tell(text: str) -> None:
        log.info(text)

    return DriverThread(driver, servos_of(head), say, tell)

"""Moves the joints of a robot's head after a talker's face: to ros2_control, or to servos themselves.

docs/joints.md describes the head's YAML, and what is done so that servos live long.
"""

import sys
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue
from dtalker.msg import Blendshapes, Head
from rclpy.node import Node
from std_srvs.srv import Trigger

from dtalker_model.output.pose import POSE_NAMES
from dtalker_ros.drivers import parse_driver
from dtalker_ros.joints.driver import Driver
from dtalker_ros.joints.driver_thread import DriverThread
from dtalker_ros.joints.head_file import read_head
from dtalker_ros.joints.mapper import JointMapper
from dtalker_ros.nodes.joint_outputs import QOS, JointOutputs, asked_kinds, driver_thread
from dtalker_ros.nodes.process import run_node, spin
from dtalker_ros.outputs import stamp_ns
from dtalker_ros.parameters.node_parameters import NodeParameters
from dtalker_ros.parameters.parameters import ParameterSpec

PARAMETERS = (
    ParameterSpec("head", "", "YAML file of the head: its joints, limits and rules.", read_only=True),
    ParameterSpec(
        "outputs",
        ["trajectory"],
        "What is published: trajectory (trajectory_msgs/JointTrajectory on joint_trajectory), commands "
        "(std_msgs/Float64MultiArray on commands), states (sensor_msgs/JointState on joint_states).",
        read_only=True,
    ),
    ParameterSpec(
        "driver", "", "What moves servos itself, such as maestro:/dev/ttyACM0; empty: nothing.", read_only=True
    ),
    ParameterSpec(
        "delay_ms",
        0.0,
        "Joints show frames so long after their time, so that slow servos (lead_s) can be told ahead: play the sound "
        "as much later.",
        (0.0, 1000.0),
        "ms",
        read_only=True,
    ),
    ParameterSpec("rate_hz", 100.0, "Positions a second.", (50.0, 200.0), "Hz", read_only=True),
)
END_S = 5.0
"""Longest way to neutral at the end."""
DIAGNOSTICS_S = 1.0


class JointMapperNode(Node):
    """Node `joint_mapper`; raises `SettingError` at construction where its head or its driver is wrong."""

    def __init__(self, parse: Callable[[str], Driver] = parse_driver, **options: Any) -> None:
        """`parse` makes the driver; `options` are those of rclpy's `Node`."""
        super().__init__("joint_mapper", **options)
        self.parameters = NodeParameters(self, lambda values: None)
        self.parameters.declare(PARAMETERS)
        self.parameters.say_unknown()
        values = self.parameters.values()
        self._period_s = 1.0 / values["rate_hz"]
        head = read_head(Path(values["head"]))
        self.mapper = JointMapper(head, period_s=self._period_s, delay_s=values["delay_ms"] / 1000.0)
        self._outputs = JointOutputs(self, head, asked_kinds(values["outputs"]), self._period_s)
        self._driver: DriverThread | None = None
        if values["driver"]:
            self._driver = driver_thread(self, parse(values["driver"]), head)
        self._diagnostics = self.create_publisher(DiagnosticArray, "/diagnostics", QOS)
        self.create_subscription(Blendshapes, "blendshapes", self._on_face, QOS)
        self.create_subscription(Head, "head", self._on_head, QOS)
        self.create_service(Trigger, "~/estop", self._on_estop)
        self.create_service(Trigger, "~/resume", self._on_resume)
        self.create_timer(self._period_s, self.tick)
        self.create_timer(DIAGNOSTICS_S, self._on_diagnostics)
        self.get_logger().info(f"moving {len(head.joints)} joints: {', '.join(head.names)}")

    def tick(self) -> None:
        """Go on by one tick, and publish it."""
        now = self.get_clock().now()
        if self._driver is not None and (found := self._driver.found()) is not None:
            self.mapper.place(found)
        command = self.mapper.tick(now.nanoseconds)
        self._outputs.publish(now.to_msg(), command)
        if self._driver is not None:
            self._driver.submit(command)
        for text in self.mapper.sayings():
            self.get_logger().warning(text)

    def close(self) -> None:
        """Let the joints go to neutral, then take the torque off."""
        self.mapper.end()
        end_s = time.monotonic() + END_S
        self.tick()
        while not self.mapper.rests and time.monotonic() < end_s:
            time.sleep(self._period_s)
            self.tick()
        if not self.mapper.rests:
            self.get_logger().warning(f"the joints are not at neutral after {END_S:g} s: they are left where they are")
        if self._driver is not None:
            self._driver.close()

    # rclpy ties each line of code that logs to one severity.

    def _on_face(self, message: Any) -> None:
        self.mapper.push_face(stamp_ns(message), self._now_ns(), message.weights)

    def _on_head(self, message: Any) -> None:
        self.mapper.push_pose(stamp_ns(message), self._now_ns(), [getattr(message, name) for name in POSE_NAMES])

    def _on_estop(self, request: Any, response: Any) -> Any:
        self.mapper.stop()
        self.get_logger().warning("stopped: the joints go to neutral and stay there until ~/resume")
        response.success, response.message = True, "going to neutral; ~/resume goes on"
        return response

    def _on_resume(self, request: Any, response: Any) -> Any:
        response.success = True
        response.message = "going on" if self.mapper.stopped else "was not stopped"
        self.mapper.resume()
        return response

    def _on_diagnostics(self) -> None:
        faults = self.mapper.faults
        if self._driver is not None and self._driver.fault:
            faults = [*faults, f"driver: {self._driver.fault}"]
        name = self.get_fully_qualified_name().lstrip("/")
        status = DiagnosticStatus(name=f"{name}: joints", hardware_id=self.mapper.head.place)
        status.level = DiagnosticStatus.WARN if faults else DiagnosticStatus.OK
        status.message = "; ".join(faults) or "moving"
        status.values = [KeyValue(key=key, value=value) for key, value in self.mapper.figures().items()]
        message = DiagnosticArray(status=[status])
        message.header.stamp = self.get_clock().now().to_msg()
        self._diagnostics.publish(message)

    def _now_ns(self) -> int:
        return int(self.get_clock().now().nanoseconds)


def _run(node: JointMapperNode, stop: threading.Event) -> int:
    spin(node, stop)
    node.close()
    return 0


def main(args: Sequence[str] | None = None) -> int:
    """Run the node until a signal; returns the exit code."""
    return run_node(JointMapperNode, args, _run)


if __name__ == "__main__":
    sys.exit(main())

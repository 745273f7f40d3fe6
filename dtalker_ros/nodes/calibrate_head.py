"""Finds the map of a robot's head: moves its joints one by one before a camera. docs/joints.md tells how to set it up.

``python -m dtalker_ros.nodes.calibrate_head --ros-args -p head:=robot.yaml -p out:=calibrated.yaml -p driver:=...``
"""

import contextlib
import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rclpy.node import Node

from dtalker_model.errors import DtalkerError, SettingError
from dtalker_model.part_file import PartFile, write_whole
from dtalker_ros.calibration.face_camera import FaceCamera, OpenCvCamera
from dtalker_ros.calibration.found_map import Found, calibrated_text, find, told
from dtalker_ros.calibration.sweep import record
from dtalker_ros.drivers import driver_help, parse_driver
from dtalker_ros.joints.driver import Driver
from dtalker_ros.joints.driver_thread import DriverThread
from dtalker_ros.joints.head_file import read_head
from dtalker_ros.joints.mapper import Command
from dtalker_ros.joints.motion import HeadMotion
from dtalker_ros.nodes.joint_outputs import KINDS, JointOutputs, asked_kinds, driver_thread
from dtalker_ros.nodes.process import run_node
from dtalker_ros.parameters.node_parameters import NodeParameters
from dtalker_ros.parameters.parameters import ParameterSpec

PERIOD_S = 0.01
PARAMETERS = (
    ParameterSpec("head", "", "YAML file of the head: ranges, limits and rules; its weights may be guesses."),
    ParameterSpec("out", "", "YAML file to write: the same head with the weights that were found."),
    ParameterSpec("driver", "", f"What moves the servos: {driver_help()}; empty: only the topics do."),
    ParameterSpec("outputs", ["trajectory"], f"What is published: {', '.join(KINDS)}."),
    ParameterSpec("camera", "0", "Number of the camera that sees the face from the front, or what OpenCV reads."),
    ParameterSpec("landmarker", "face_landmarker.task", "Model file of MediaPipe's face landmarker."),
    ParameterSpec("steps", 13, "Positions from one end of a joint's range to the other.", (10, 100)),
    ParameterSpec("looks", 5, "Pictures at each position.", (1, 100)),
    ParameterSpec("settle_ms", 400.0, "Wait at each position until servos stand still.", (0.0, 10000.0), "ms"),
)


class StoppedError(DtalkerError):
    """A signal came."""


def open_camera(values: dict[str, Any]) -> FaceCamera:
    """The camera that the parameters name; raises `DtalkerError`."""
    return OpenCvCamera(values["camera"], Path(values["landmarker"]))


class CalibrateHeadNode(Node):
    """Node `calibrate_head`; raises `DtalkerError` at construction where head, file, camera or driver are wrong."""

    def __init__(
        self,
        parse: Callable[[str], Driver] = parse_driver,
        camera: Callable[[dict[str, Any]], FaceCamera] = open_camera,
        **options: Any,
    ) -> None:
        """`parse` makes the driver, `camera` the camera; `options` are those of rclpy's `Node`."""
        super().__init__("calibrate_head", **options)
        parameters = NodeParameters(self, lambda values: None)
        parameters.declare(PARAMETERS)
        parameters.say_unknown()
        self._values = values = parameters.values()
        self._head = read_head(Path(values["head"]))
        self._out = _checked_out(values["out"], values["head"])
        self._outputs = JointOutputs(self, self._head, asked_kinds(values["outputs"]), PERIOD_S)
        self._motion = HeadMotion(self._head, self._head.neutral, PERIOD_S)
        self._stop = threading.Event()
        self._camera = camera(values)
        self._driver: DriverThread | None = None
        if values["driver"]:
            self._driver = driver_thread(self, parse(values["driver"]), self._head)

    def run(self, stop: threading.Event) -> int:
        """Sweep all joints, write the file; the exit code, 1 where a joint was refused or nothing was written."""
        self._stop = stop
        try:
            self._begin()
            found = find(self._head, record(self._head, self._move, self._camera, *self._figures(), self._tell))
            return self._write(found)
        except DtalkerError as error:
            self.get_logger().fatal(f"nothing was written: {error}")
            return 1
        finally:
            self._stop = threading.Event()  # the way home is not interrupted
            with contextlib.suppress(DtalkerError):  # of a bus that is gone
                self._go(self._head.neutral)
            self._camera.close()
            if self._driver is not None:
                self._driver.close()

    def _begin(self) -> None:
        if self._driver is None:
            return
        if self._driver.fault:
            raise DtalkerError(self._driver.fault)
        if (where := self._driver.found()) is not None:
            self._motion = HeadMotion(self._head, where, PERIOD_S)

    def _figures(self) -> tuple[int, int]:
        return self._values["steps"], self._values["looks"]

    def _tell(self, text: str) -> None:
        self.get_logger().info(text)

    def _move(self, wish: NDArray[np.float64]) -> None:
        self._go(wish)
        self._wait(self._values["settle_ms"] / 1000)

    def _go(self, wish: NDArray[np.float64]) -> None:
        """Softly to `wish`, or as near as the rules of the head allow."""
        shares = [self._head.soft_velocity] * len(wish)
        while True:
            self._motion.step(wish, shares)
            self._send()
            if all(joint.rests for joint in self._motion.joints):
                return
            self._wait(PERIOD_S)
            if self._driver is not None and self._driver.fault:
                raise DtalkerError(self._driver.fault)

    def _send(self) -> None:
        command = Command.of(self._motion, (True,) * len(self._motion.joints))
        self._outputs.publish(self.get_clock().now().to_msg(), command)
        if self._driver is not None:
            self._driver.submit(command)

    def _wait(self, seconds: float) -> None:
        if self._stop.wait(seconds):
            raise StoppedError("interrupted")

    def _write(self, found: Found) -> int:
        for joint in self._head.joints:
            if joint.name in found.maps:
                self._tell(f"joint {joint.name}: {told(joint, found.maps[joint.name])}")
            else:
                self.get_logger().warning(f"joint {joint.name} is not calibrated: {found.refused[joint.name]}")
        if not found.maps:
            raise DtalkerError("no joint moves the face")
        write_whole(self._out, calibrated_text(self._head, found).encode())
        self._tell(f"{len(found.maps)} of {len(self._head.joints)} joints are calibrated in {self._out}")
        return 1 if found.refused else 0


def _checked_out(out: str, head: str) -> str:
    """`out`, into which can be written; told before anything moves."""
    if not out or Path(out).resolve() == Path(head).resolve():
        raise SettingError(
            "out: expected another file than head, whose comments would be lost, such as calibrated.yaml"
        )
    PartFile(out, keep_ending=True).close(complete=False)
    return out


def main(args: Sequence[str] | None = None) -> int:
    """Calibrate; returns the exit code."""
    return run_node(CalibrateHeadNode, args, CalibrateHeadNode.run)


if __name__ == "__main__":
    sys.exit(main())

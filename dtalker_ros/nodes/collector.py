"""Collects what the talker node publishes, for the demo and the soak, and starts the executables as processes."""

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import rclpy
from diagnostic_msgs.msg import DiagnosticArray
from dtalker.msg import Blendshapes
from numpy.typing import NDArray
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from rclpy.qos import QoSProfile
from std_msgs.msg import Int16MultiArray

from dtalker_ros.outputs import stamp_ns

SPIN_S = 0.05
END_S = 10.0
DEPTH = 5000


@dataclass(frozen=True)
class Received:
    """One frame as it arrived."""

    arrival_ns: int
    stamp_ns: int
    sequence: int
    weights: NDArray[np.float32]


def private_domain() -> dict[str, str]:
    """Environment in which ROS is heard on this machine alone, on a domain of its own."""
    domain = {"ROS_DOMAIN_ID": str(random.randrange(1, 102))}
    name = "ROS_LOCALHOST_ONLY" if os.environ.get("ROS_DISTRO") == "humble" else "ROS_AUTOMATIC_DISCOVERY_RANGE"
    return {**domain, name: "1" if name == "ROS_LOCALHOST_ONLY" else "LOCALHOST"}


def start(module: str, parameters: Mapping[str, Any]) -> "subprocess.Popen[bytes]":
    """Start ``python -m dtalker_ros.nodes.MODULE`` with ROS parameters; values are given as YAML."""
    options = [word for name, value in parameters.items() for word in ("-p", f"{name}:={value}")]
    return subprocess.Popen([sys.executable, "-m", f"dtalker_ros.nodes.{module}", "--ros-args", *options])


def end(process: "subprocess.Popen[bytes]") -> int:
    """End `process` as Ctrl-C does, by force if it does not listen; its exit code."""
    if process.poll() is None:
        process.send_signal(signal.SIGINT)
    try:
        return process.wait(END_S)
    except subprocess.TimeoutExpired:
        process.kill()
        return process.wait()


class Collector:
    """A node that hears frames, diagnostics and, if asked, the audio chunks; a context manager."""

    def __init__(self, chunks: bool = False) -> None:
        rclpy.init()
        self.node = Node("collector")
        self._executor = SingleThreadedExecutor()
        self._executor.add_node(self.node)
        self.frames: list[Received] = []
        self.chunks: list[tuple[int, int]] = []
        """Arrival in ns and number of samples of each audio message."""
        self.diagnostics: dict[str, str] = {}
        self.starts_ns: list[int] = []
        """Show times of the beginnings of speech that the diagnostics named."""
        qos = QoSProfile(depth=DEPTH)
        self.node.create_subscription(Blendshapes, "blendshapes", self._on_frame, qos)
        self.node.create_subscription(DiagnosticArray, "/diagnostics", self._on_diagnostics, qos)
        if chunks:
            self.node.create_subscription(Int16MultiArray, "audio", self._on_chunk, qos)

    def __enter__(self) -> "Collector":
        return self

    def __exit__(self, *exception: object) -> None:
        self._executor.shutdown()
        self.node.destroy_node()
        rclpy.try_shutdown()

    def until(self, done: Callable[[], Any], timeout_s: float, tell: Callable[[], None] = lambda: None) -> bool:
        """Spin until `done()`, calling `tell` now and then; false when `timeout_s` passes first."""
        end_s = time.monotonic() + timeout_s
        while not done():
            if time.monotonic() > end_s:
                return False
            self._executor.spin_once(timeout_sec=SPIN_S)
            tell()
        return True

    def _on_frame(self, message: Any) -> None:
        weights = np.array(message.weights, np.float32)
        self.frames.append(Received(time.time_ns(), stamp_ns(message), message.sequence, weights))

    def _on_chunk(self, message: Any) -> None:
        self.chunks.append((time.time_ns(), len(message.data)))

    def _on_diagnostics(self, message: Any) -> None:
        self.diagnostics = {pair.key: pair.value for pair in message.status[0].values}
        start_ns = int(self.diagnostics["speech_start_ns"])
        if start_ns and start_ns not in self.starts_ns:
            self.starts_ns.append(start_ns)

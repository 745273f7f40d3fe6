"""What a talker node warns of, found in the diagnostics of all nodes."""

from collections.abc import Callable
from typing import Any

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from rclpy.node import Node
from rclpy.qos import QoSProfile

from dtalker_model.faults import SaidOnce

QOS = QoSProfile(depth=50)


class TopicFaults:
    """Hears the diagnostics of one talker."""

    def __init__(self, node: Node, talker: str, say: Callable[[str], object]) -> None:
        """`talker`: absolute name of the talker node; `say` gets each warning once."""
        self.now = ""
        """What is wrong now, on one line."""
        self._status = f"{talker.lstrip('/')}: talker"
        self._tell = SaidOnce(say)
        node.create_subscription(DiagnosticArray, "/diagnostics", self._on_diagnostics, QOS)

    def _on_diagnostics(self, message: Any) -> None:
        for status in message.status:
            if status.name == self._status:
                self.now = "" if status.level == DiagnosticStatus.OK else status.message
                self._tell([self.now] if self.now else [])

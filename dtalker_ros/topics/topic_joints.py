"""Where a robot's joints are, for the live page: ranges from the head's YAML, positions from a topic."""

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

from rclpy.node import Node
from rclpy.qos import QoSProfile
from sensor_msgs.msg import JointState

from dtalker_model.view.wire import to_json
from dtalker_ros.joints.head_file import read_head

PERIOD_S = 0.05
"""Positions go to the pages this often; a topic may have a hundred a second."""
QOS = QoSProfile(depth=10)


class TopicJoints:
    """The joints of a head's YAML, wherever `joint_states` has them: other joints in it are passed over."""

    def __init__(self, node: Node, path: str, say: Callable[[str, str], None]) -> None:
        """`say` gets a kind and a text for all pages. Raises `SettingError` where the YAML is none."""
        head = read_head(Path(path))
        self._say = say
        self._positions: dict[str, float | None] = dict.fromkeys(head.names)
        self._changed = False
        joints = [
            {"name": j.name, "low": j.minimum, "high": j.maximum, "neutral": j.neutral, "unit": j.unit}
            for j in head.joints
        ]
        self.text = to_json("joints", joints=joints)
        """What joints there are, for a page that has just come."""
        node.create_subscription(JointState, "joint_states", self._on_states, QOS)
        node.create_timer(PERIOD_S, self._tell)

    def _on_states(self, message: Any) -> None:
        for name, position in zip(message.name, message.position):
            if name in self._positions:
                self._positions[name] = position if math.isfinite(position) else None
                self._changed = True

    def _tell(self) -> None:
        if self._changed:
            self._changed = False
            self._say("positions", to_json("positions", positions=list(self._positions.values())))

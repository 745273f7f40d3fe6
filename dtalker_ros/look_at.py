"""Topic `look_at`: points that the face is to look at, where this ROS has their message."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from rclpy.lifecycle import LifecycleNode

from dtalker_model.errors import SettingError
from dtalker_ros.worker import Complaints

Point = tuple[float, float, float]


class Looks(Protocol):
    """Who looks."""

    def look_at(self, point_m: Point) -> None: ...


class LookAt:
    """Hears `look_at` (``geometry_msgs/PointStamped``): in m from between the eyes of the head at rest, x forward, y to
    the character's own left, z up. Its `frame_id` is that of the face, or empty: nothing is transformed here.
    """

    def __init__(self, node: LifecycleNode, face: Looks, frame_id: Callable[[], str]) -> None:
        """`frame_id` tells the name of the face. Without geometry_msgs nothing is heard."""
        self._node, self._face, self._frame_id = node, face, frame_id
        self._complain = Complaints()
        self._subscription: Any = None
        try:
            from geometry_msgs.msg import PointStamped
        except ImportError:
            node.get_logger().info("no topic look_at: this ROS has no geometry_msgs")
            return
        self._subscription = node.create_subscription(PointStamped, "look_at", self._on_point, 1)

    def close(self) -> None:
        """Hear no more."""
        if self._subscription is not None:
            self._node.destroy_subscription(self._subscription)

    def _on_point(self, message: Any) -> None:
        frame, point = str(message.header.frame_id), message.point
        if frame not in ("", self._frame_id()):
            return self._refuse(f"look_at: the point is in frame {frame!r}; transform it to {self._frame_id()!r} first")
        try:
            self._face.look_at((point.x, point.y, point.z))
        except SettingError as error:
            self._refuse(str(error))
        return None

    def _refuse(self, text: str) -> None:
        now_ns = int(self._node.get_clock().now().nanoseconds)
        self._complain(self._node.get_logger().warning, text, now_ns)

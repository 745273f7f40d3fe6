"""Topic `look_at`: the face turns to a point, and says what is no point for it."""

from typing import Any

import numpy as np
from dtalker.msg import Head
from geometry_msgs.msg import PointStamped
from ros_rig import QOS, Listener, listener, talker

__all__ = ["listener"]


def point(frame_id: str, x: float, y: float, z: float) -> Any:
    message = PointStamped()
    message.header.frame_id = frame_id
    message.point.x, message.point.y, message.point.z = x, y, z
    return message


def test_the_face_looks_where_it_is_told(listener: Listener) -> None:
    heads: list[Any] = []
    listener.node.create_subscription(Head, "head", heads.append, QOS)
    with talker(listener, stillness=1.0):
        publisher = listener.node.create_publisher(PointStamped, "look_at", 1)
        listener.until(publisher.get_subscription_count, "the subscription")
        publisher.publish(point("map", 1.0, 0.4, 0.0))
        listener.logged("the point is in frame 'map'; transform it to 'face' first")
        publisher.publish(point("face", 0.0, 0.0, 0.0))
        listener.logged("a point to look at must lie 1 cm away at least")
        assert not any(head.yaw or head.gaze_yaw for head in heads)
        publisher.publish(point("face", 1.0, 0.4, 0.0))
        on_it = listener.until(
            lambda: next((h for h in heads if abs(h.yaw + h.gaze_yaw - np.arctan(0.4)) < 0.02), None), "the look"
        )
        assert on_it.gaze_yaw > 0

"""A subscription that tells the number of each message and of what was lost, in every distribution of ROS 2."""

from collections.abc import Callable
from typing import Any

from rclpy.node import Node
from rclpy.qos import QoSProfile
from rclpy.subscription import Subscription

try:
    from rclpy import event_handler as events
except ImportError:  # Humble
    from rclpy import qos_event as events

OnMessage = Callable[[Any, "int | None"], None]
"""Gets a message and its number among its publisher's, None where the middleware does not tell."""


def subscribe(
    node: Node, kind: Any, topic: str, qos: QoSProfile, on_message: OnMessage, on_lost: Callable[[int], None]
) -> Any:
    """A subscription to `topic`; `on_lost` gets how many messages were lost, where the middleware tells by itself."""

    def with_info(message: Any, info: Any) -> None:
        on_message(message, info.get("publication_sequence_number"))

    def without_info(message: Any) -> None:
        on_message(message, None)

    callback = with_info if hasattr(Subscription, "CallbackType") else without_info
    lost = events.SubscriptionEventCallbacks(message_lost=lambda event: on_lost(int(event.total_count_change)))
    try:
        return node.create_subscription(kind, topic, callback, qos, event_callbacks=lost)
    except events.UnsupportedEventTypeError:
        return node.create_subscription(kind, topic, callback, qos)

"""Subscribes to the topic on which others ask for expressions, whatever its type and QoS."""

from collections.abc import Callable
from typing import Any

from rclpy.clock import Clock, ClockType
from rclpy.node import Node
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy
from std_msgs.msg import String

from dtalker_model.errors import DtalkerError
from dtalker_ros.audio.audio_topics import message_class
from dtalker_ros.expression.wish import ExpressionError, Wish, is_expression, wish_of

TOPIC = "expression"
PLAIN = "std_msgs/msg/String"
"""What is subscribed to while nobody publishes: the first message of a publisher that comes then is heard."""
POLL_S = 0.5
DEPTH = 10
MOST_SAID = 200
"""So many different names are told of; somebody who counts in names must not fill the log."""

Offer = tuple[ReliabilityPolicy, DurabilityPolicy]
MOST: Offer = (ReliabilityPolicy.RELIABLE, DurabilityPolicy.TRANSIENT_LOCAL)


class ExpressionSource:
    """Hands what the messages ask for to `express`; what cannot be done is said once for each name."""

    def __init__(self, node: Node, card: Callable[[], Any], express: Callable[[Wish | None], None]) -> None:
        """`card`: that of the model, with the voices known by now. `express` is called in the executor of `node`."""
        self._node, self._card, self._express = node, card, express
        self._topic = node.resolve_topic_name(TOPIC)
        self._said: set[str] = set()
        self._unusable: set[str] = set()
        self._subscription: Any = None
        self._subscribed: tuple[str, Offer] | None = None
        self._subscribe(PLAIN, (ReliabilityPolicy.RELIABLE, DurabilityPolicy.VOLATILE))
        self._poll()
        # Not the node's clock: it may be a simulated one that stands still.
        self._timer = node.create_timer(POLL_S, self._poll, clock=Clock(clock_type=ClockType.STEADY_TIME))

    def close(self) -> None:
        """Destroy timer and subscription."""
        self._node.destroy_timer(self._timer)
        self._node.destroy_subscription(self._subscription)

    def _poll(self) -> None:
        """One type at a time: FastDDS allows a process one for each topic."""
        offers = self._usable_offers()
        assert self._subscribed is not None
        chosen = self._subscribed[0] if self._subscribed[0] in offers else next(iter(sorted(offers)), None)
        if chosen is not None and self._subscribed != (chosen, offers[chosen]):
            self._subscribe(chosen, offers[chosen])
        for name in sorted(offers.keys() - {chosen}):
            self._say_once(name, f"{self._topic} also carries {name}, which is not heard beside {chosen}")

    def _usable_offers(self) -> dict[str, Offer]:
        """Types that somebody publishes, and the most that a subscription can ask of all who do."""
        offers: dict[str, Offer] = {}
        for info in self._node.get_publishers_info_by_topic(self._topic):
            if self._is_usable(info.topic_type):
                offers[info.topic_type] = _least(info.qos_profile, offers.get(info.topic_type, MOST))
        return offers

    def _is_usable(self, name: str) -> bool:
        if name in self._unusable:
            return False
        try:
            if is_expression(message_class(name)()):
                return True
            reason = (
                f"{self._topic} carries {name}, which is no expression: publish std_msgs/String or hri_msgs/Expression"
            )
        except DtalkerError as error:
            reason = f"cannot hear {self._topic}: {error}"
        self._unusable.add(name)
        self._say_once(name, reason)
        return False

    def _subscribe(self, name: str, offer: Offer) -> None:
        if self._subscription is not None:
            self._node.destroy_subscription(self._subscription)
        kind = String if name == PLAIN else message_class(name)
        qos = QoSProfile(depth=DEPTH, reliability=offer[0], durability=offer[1])
        self._subscription = self._node.create_subscription(kind, self._topic, self._on_message, qos)
        self._subscribed = name, offer

    def _on_message(self, message: Any) -> None:
        try:
            self._express(wish_of(message, self._card()))
        except ExpressionError as error:
            self._say_once(error.subject, f"not shown: {error}")

    def _say_once(self, subject: str, text: str) -> None:
        if subject not in self._said and len(self._said) < MOST_SAID:
            self._said.add(subject)
            self._node.get_logger().warning(text)


def _least(offered: Any, before: Offer) -> Offer:
    """What `offered` and `before` both give: whoever asks a publisher for more does not hear it."""
    best_effort = ReliabilityPolicy.BEST_EFFORT in (offered.reliability, before[0])
    volatile = offered.durability != DurabilityPolicy.TRANSIENT_LOCAL or before[1] == DurabilityPolicy.VOLATILE
    return (
        ReliabilityPolicy.BEST_EFFORT if best_effort else ReliabilityPolicy.RELIABLE,
        DurabilityPolicy.VOLATILE if volatile else DurabilityPolicy.TRANSIENT_LOCAL,
    )

"""Finds the audio topic's type and QoS from its publishers at run time and keeps a fitting subscription."""

import time
from collections.abc import Callable
from importlib import import_module
from typing import Any

from rclpy.node import Node
from rclpy.qos import DurabilityPolicy, HistoryPolicy, QoSProfile, ReliabilityPolicy

from dtalker_model.errors import AudioError, DtalkerError
from dtalker_ros.audio.convert import format_from_info
from dtalker_ros.audio.pcm import AudioFormat
from dtalker_ros.audio.publishers import DEPTH, Publishers
from dtalker_ros.audio.subscription import subscribe

POLL_S = 0.1
"""How often the graph is looked at."""
INFO_POLLS = 10
"""For so many looks the audio is not subscribed to while somebody offers AudioInfo but has not sent it yet."""


def message_class(type_name: str) -> Any:
    """The class of ``package/msg/Name``; raises `AudioError` where it is not to be had here."""
    try:
        package, folder, name = type_name.split("/")
        return getattr(import_module(f"{package}.{folder}"), name)
    except ValueError:
        raise AudioError(f"message type {type_name!r}: expected package/msg/Name") from None
    except (ImportError, AttributeError) as error:
        raise AudioError(
            f"message type {type_name} is not known here ({error}): source the workspace that has {package}, "
            "the same flavour as the publisher's"
        ) from None


def node_name(info: Any) -> str:
    """Full name of the node behind an endpoint."""
    return f"{info.node_namespace.rstrip('/')}/{info.node_name}"


class AudioSource:
    """Subscribes to `audio` as soon as its type is known; follows publishers that go, return or change type or QoS."""

    def __init__(
        self, node: Node, type_name: str, hear: Callable[[Any], None], publishers: Publishers | None = None
    ) -> None:
        """`type_name`: as declared by the user, or empty to find it; `hear` gets every message that is to be heard.

        `publishers` is told who publishes and what was lost.
        """
        self._node, self._hear, self._declared_type = node, hear, type_name
        self.announced: AudioFormat | None = None
        """What the AudioInfo topic says; None until it says something."""
        self.refusal: AudioError | None = None
        """Why what AudioInfo announces cannot be used."""
        self._topic = node.resolve_topic_name("audio")
        self._info_topic = f"{self._topic.rpartition('/')[0]}/audio_info"
        self._subscription: Any = None
        self._info_subscription: Any = None
        self._info_polls = INFO_POLLS
        self._offer: tuple[str, ReliabilityPolicy] | None = None
        self._said: set[str] = set()
        self._publishers = publishers or Publishers()
        self._timer = node.create_timer(POLL_S, self._poll)
        self._poll()

    @property
    def connected(self) -> bool:
        """Whether there is a subscription."""
        return self._subscription is not None

    def close(self) -> None:
        """Destroy timer and subscriptions."""
        self._node.destroy_timer(self._timer)
        for subscription in (self._subscription, self._info_subscription):
            if subscription is not None:
                self._node.destroy_subscription(subscription)
        self._subscription = self._info_subscription = None

    def _poll(self) -> None:
        if self._info_subscription is None:
            self._look_for_info()
        if self._waits_for_info():
            return
        offer = self._best_offer()
        if offer is not None and offer != self._offer:
            self._offer = offer
            self._subscribe(*offer)

    def _waits_for_info(self) -> bool:
        """Whether a format is about to be announced, so that the first chunks are not misread for want of it."""
        if self._info_subscription is None or self._subscription is not None or self._info_polls == 0:
            return False
        self._info_polls -= 1
        return self.announced is None and self.refusal is None

    def _best_offer(self) -> tuple[str, ReliabilityPolicy] | None:
        """Type and reliability to subscribe with; None while nobody publishes what could be used."""
        publishers = self._node.get_publishers_info_by_topic(self._topic)
        types = {info.topic_type for info in publishers}
        wanted = self._declared_type or (self._offer[0] if self._offer and self._offer[0] in types else "")
        if not wanted and publishers:
            wanted = publishers[0].topic_type
        if len(types - {wanted}) > 0:
            self._warn_once(f"{self._topic} also carries {', '.join(sorted(types - {wanted}))}, which is not heard")
        self._publishers.names = [node_name(info) for info in publishers if info.topic_type == wanted]
        matching = [info.qos_profile.reliability for info in publishers if info.topic_type == wanted]
        if not wanted or (not matching and self._offer is not None):
            return None
        # A best-effort subscription hears everybody; a reliable one loses nothing, but hears reliable publishers alone.
        best_effort = ReliabilityPolicy.BEST_EFFORT in matching
        return wanted, ReliabilityPolicy.BEST_EFFORT if best_effort else ReliabilityPolicy.RELIABLE

    def _subscribe(self, type_name: str, reliability: ReliabilityPolicy) -> None:
        if self._subscription is not None:
            self._node.destroy_subscription(self._subscription)
            self._subscription = None
        try:
            kind = message_class(type_name)
        except DtalkerError as error:
            self._node.get_logger().error(f"cannot hear {self._topic}: {error}")
            return
        qos = QoSProfile(depth=DEPTH, history=HistoryPolicy.KEEP_LAST, reliability=reliability)
        self._subscription = subscribe(self._node, kind, self._topic, qos, self._on_message, self._publishers.note_lost)
        name = "best effort" if reliability == ReliabilityPolicy.BEST_EFFORT else "reliable"
        self._node.get_logger().info(f"hearing {self._topic} ({type_name}, {name})")

    def _on_message(self, message: Any, number: int | None) -> None:
        if self._publishers.wanted(number, time.monotonic()):
            self._hear(message)

    def _look_for_info(self) -> None:
        """Subscribe to the AudioInfo beside the audio topic, once somebody publishes it."""
        for info in self._node.get_publishers_info_by_topic(self._info_topic):
            if not info.topic_type.endswith("/AudioInfo"):
                continue
            try:
                kind = message_class(info.topic_type)
            except DtalkerError as error:
                self._warn_once(f"cannot read {self._info_topic}: {error}")
                return
            qos = QoSProfile(depth=1, reliability=info.qos_profile.reliability, durability=info.qos_profile.durability)
            if qos.durability not in (DurabilityPolicy.TRANSIENT_LOCAL, DurabilityPolicy.VOLATILE):
                qos.durability = DurabilityPolicy.VOLATILE
            self._info_subscription = self._node.create_subscription(kind, self._info_topic, self._on_info, qos)
            return

    def _on_info(self, message: Any) -> None:
        try:
            self.announced, self.refusal = format_from_info(message), None
            self._node.get_logger().info(f"{self._info_topic}: {self.announced}")
        except AttributeError:
            self._warn_once(f"{self._info_topic} has other fields than ros-drivers' AudioInfo and is not used")
        except AudioError as error:
            self.refusal = error
            self._node.get_logger().error(f"{self._info_topic}: {error}")

    def _warn_once(self, text: str) -> None:
        if text not in self._said:
            self._said.add(text)
            self._node.get_logger().warning(text)

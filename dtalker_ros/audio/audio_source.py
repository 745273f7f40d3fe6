"""Finds the audio topic's type and QoS from its publishers at run time and keeps a fitting subscription."""

import time
from collections.abc import Callable
from typing import Any

from rclpy.clock import Clock, ClockType
from rclpy.node import Node
from rclpy.qos import HistoryPolicy, QoSProfile, ReliabilityPolicy

from dtalker_model.errors import DtalkerError
from dtalker_ros.audio.audio_choice import AudioChoice
from dtalker_ros.audio.audio_info import AnnouncedFormat
from dtalker_ros.audio.audio_topics import carries_audio, hint, message_class
from dtalker_ros.audio.pcm import AudioFormat
from dtalker_ros.audio.publishers import DEPTH, Publishers
from dtalker_ros.audio.subscription import subscribe

POLL_S = 0.1
"""How often the graph is looked at."""
INFO_POLLS = 10
"""For so many looks the audio is not subscribed to while somebody offers AudioInfo but has not sent it yet."""
HINT_S = 5.0
"""Where nobody publishes for so long from the start, the log says what there is."""


def node_name(info: Any) -> str:
    """Full name of the node behind an endpoint."""
    return f"{info.node_namespace.rstrip('/')}/{info.node_name}"


class AudioSource:
    """Subscribes to `audio` as soon as its type is known; follows publishers that go, return or change type or QoS."""

    def __init__(
        self,
        node: Node,
        type_name: str,
        hear: Callable[[Any], None],
        topic: str = "audio",
        publishers: Publishers | None = None,
    ) -> None:
        """`type_name`: as declared by the user, or empty to find it; `hear` gets every message of `topic` to be heard.

        `publishers` is told who publishes and what was lost.
        """
        self._publishers = publishers or Publishers()
        self._node, self._hear, self._declared_type = node, hear, type_name
        self._topic = node.resolve_topic_name(topic)
        self._info = AnnouncedFormat(node, self._topic, self._warn_once)
        self._choice = AudioChoice()
        self._offered: dict[str, ReliabilityPolicy] = {}
        self._subscription: Any = None
        self._subscribed: tuple[str, ReliabilityPolicy] | None = None
        self._unusable: set[str] = set()
        self._info_polls = INFO_POLLS
        self._said: set[str] = set()
        self._hint_s: float | None = time.monotonic() + HINT_S
        self._silent = True  # what is found at once is told by `description`
        self._poll()
        self._silent = False
        # Not the node's clock: it may be a simulated one that stands still.
        self._timer = node.create_timer(POLL_S, self._poll, clock=Clock(clock_type=ClockType.STEADY_TIME))

    @property
    def connected(self) -> bool:
        """Whether somebody publishes what is subscribed to."""
        return self._subscribed is not None and self._subscribed[0] in self._offered

    @property
    def announced(self) -> AudioFormat | None:
        """What the AudioInfo topic says; None while nobody says anything."""
        return self._info.format

    @property
    def description(self) -> str:
        """What is heard or waited for, in words."""
        if self._subscribed is not None:
            return f"hears {self._topic} ({_described(*self._subscribed)})"
        return f"waits for {self._declared_type or 'audio of any type'} on {self._topic}"

    def close(self) -> None:
        """Destroy timer and subscriptions."""
        self._node.destroy_timer(self._timer)
        self._info.close()
        self._unsubscribe()

    def _poll(self) -> None:
        self._info.follow(self._choice.chosen)
        if self._waits_for_info():
            return
        self._offered = self._usable_offers()
        chosen = self._choice.choose(self._offered, time.monotonic())
        self._publishers.names = [
            node_name(info)
            for info in self._node.get_publishers_info_by_topic(self._topic)
            if info.topic_type == chosen
        ]
        if chosen in self._offered and self._subscribed != (chosen, self._offered[chosen]):
            self._subscribe(chosen, self._offered[chosen])
        for name in self._offered.keys() - {chosen}:
            self._warn_once(f"{self._topic} also carries {name}, which is not heard beside {chosen}")
        self._explain_silence()

    def _usable_offers(self) -> dict[str, ReliabilityPolicy]:
        """Types of audio that somebody publishes, and the reliability to subscribe with."""
        publishers = self._node.get_publishers_info_by_topic(self._topic)
        offers: dict[str, ReliabilityPolicy] = {}
        for info in publishers:
            # A best-effort subscription hears everybody; a reliable one loses nothing, but hears reliable ones alone.
            best_effort = ReliabilityPolicy.BEST_EFFORT in (info.qos_profile.reliability, offers.get(info.topic_type))
            if self._is_usable(info.topic_type):
                offers[info.topic_type] = ReliabilityPolicy.BEST_EFFORT if best_effort else ReliabilityPolicy.RELIABLE
        return offers

    def _is_usable(self, name: str) -> bool:
        """Whether type `name` can be heard; says once why not."""
        if name in self._unusable or name == self._choice.chosen:
            return name not in self._unusable
        reason = ""
        try:
            if self._declared_type not in ("", name):
                reason = f"{self._topic} also carries {name}, which is not heard (audio_type)"
            elif not carries_audio(message_class(name)()):
                reason = f"{self._topic} also carries {name}, which is no audio"
        except DtalkerError as error:
            reason = f"cannot hear {self._topic}: {error}"
        if reason:
            self._unusable.add(name)
            self._node.get_logger().warning(reason)
        return not reason

    def _waits_for_info(self) -> bool:
        """Whether a format is about to be announced, so that the first chunks are not misread for want of it."""
        if not self._info.awaited or self._subscribed is not None or self._info_polls == 0:
            return False
        self._info_polls -= 1
        return True

    def _subscribe(self, name: str, reliability: ReliabilityPolicy) -> None:
        self._unsubscribe()
        qos = QoSProfile(depth=DEPTH, history=HistoryPolicy.KEEP_LAST, reliability=reliability)
        kind, note_lost = message_class(name), self._publishers.note_lost
        self._subscription = subscribe(self._node, kind, self._topic, qos, self._on_message, note_lost)
        self._subscribed = name, reliability
        self._info.follow(name)
        if not self._silent:
            self._node.get_logger().info(f"hearing {self._topic} ({_described(name, reliability)})")

    def _unsubscribe(self) -> None:
        if self._subscription is not None:
            self._node.destroy_subscription(self._subscription)
        self._subscription = self._subscribed = None

    def _on_message(self, message: Any, number: int | None) -> None:
        self._choice.note_message(time.monotonic())
        if self._publishers.wanted(number, time.monotonic()):
            self._hear(message)

    def _explain_silence(self) -> None:
        """Say once which topics there are where nobody has published on this one since the start."""
        if self.connected:
            self._hint_s = None
        elif self._hint_s is not None and time.monotonic() >= self._hint_s:
            self._hint_s = None
            self._node.get_logger().warning(hint(self._topic, self._node.get_topic_names_and_types()))

    def _warn_once(self, text: str) -> None:
        if text not in self._said:
            self._said.add(text)
            self._node.get_logger().warning(text)


def _described(name: str, reliability: ReliabilityPolicy) -> str:
    return f"{name}, {'best effort' if reliability == ReliabilityPolicy.BEST_EFFORT else 'reliable'}"

"""What a talker node hears, laid out by its own rules and as late as its face is shown: for whoever plays it."""

from collections.abc import Callable
from typing import Any

from dtalker.msg import FaceInfo
from rclpy.node import Node
from rclpy.qos import QoSProfile

from dtalker_ros.parameters.remote_settings import RemoteSettings
from dtalker_ros.playback.player import Player
from dtalker_ros.topics.talker_topics import TalkerTopics
from dtalker_ros.topics.topic_audio import TopicAudio

QOS = QoSProfile(depth=50)
TOLERATED_MS = 10.0
"""Sound that is behind the face by less is not worth a line."""
HANDED_OUT_MS = 60.0
"""A card that needs its samples so long before they sound gets them in time; a slower one gets them earlier."""


class TalkerSound:
    """Follows the talker's topics, parameters and delay; everything runs in the executor of `node`."""

    def __init__(self, node: Node, talker: str, latency_ms: float, warn: Callable[[str], None]) -> None:
        """`latency_ms`: of the card; `warn` is told what is wrong, again and again."""
        self._node, self._warn = node, warn
        self._ahead_ms, self.offset_ms = max(0.0, latency_ms - HANDED_OUT_MS), 0.0
        self._topics = TalkerTopics(node, talker)
        self._instances: frozenset[bytes] = frozenset()
        self._remote = RemoteSettings(node, self._topics.name, self._follow)
        self._audio = TopicAudio(node, self._remote.own, self._topics.audio())
        self._delay_ms, self._known = 0.0, False
        node.create_subscription(FaceInfo, f"{self._topics.name}/info", self._on_info, QOS)

    def set_offset(self, offset_ms: float) -> None:
        """Let the sound come `offset_ms` after the face, or before it where that is negative."""
        self.offset_ms = offset_ms
        self._follow()

    def move(self, player: Player) -> None:
        """Put what has come into `player`."""
        ahead_ns = round(self._ahead_ms * 1e6)
        for piece in self._audio.blocks():
            player.put(piece.pcm, piece.rate_hz, piece.heard_ns + ahead_ns, piece.broken)

    def look_around(self) -> None:
        """Follow the talker to another topic, and notice one that was started anew; now and then."""
        if self._audio.topic != (topic := self._topics.audio()):
            self._audio.close()
            self._audio = TopicAudio(self._node, self._remote.own, topic)
            self._follow()
        self._say_late()
        instances = self._topics.instances()
        if instances - self._instances:
            self._known = False
        self._instances = instances

    def _on_info(self, info: Any) -> None:
        self._delay_ms = float(info.playout_delay_ms)
        if not self._known:
            self._known = True
            self._remote.learn(list(info.emotions))
        self._follow()

    def _follow(self) -> None:
        self._audio.follow(self._remote.own)
        self._audio.delay(self._delay_ms, self.offset_ms - self._ahead_ms)

    def _say_late(self) -> None:
        late_ms = self._audio.late_ms
        if late_ms > TOLERATED_MS:
            least_ms = max(self._delay_ms, float(self._remote.own["playout_delay_ms"])) + late_ms
            self._warn(
                f"the sound is {late_ms:.0f} ms behind the face: the card, or the way to it, is slow; "
                f"set playout_delay_ms of the talker to {least_ms:.0f} or more"
            )

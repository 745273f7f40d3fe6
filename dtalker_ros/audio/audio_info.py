"""The AudioInfo beside an audio topic: what it announces holds for as long as its publisher is there."""

from collections.abc import Callable
from typing import Any

from rclpy.node import Node
from rclpy.qos import DurabilityPolicy, QoSProfile

from dtalker_model.errors import AudioError, DtalkerError
from dtalker_ros.audio.audio_topics import message_class
from dtalker_ros.audio.convert import AudioFormat, format_from_info


def nodes_of(infos: Any) -> set[tuple[str, str]]:
    """Namespaces and names of the nodes behind the endpoints `infos`."""
    return {(info.node_namespace, info.node_name) for info in infos}


class AnnouncedFormat:
    """Subscribes to AudioInfo as soon as somebody publishes it, and forgets it with them."""

    def __init__(self, node: Node, topic: str, warn: Callable[[str], None]) -> None:
        """`topic`: the audio topic; `warn` says a text once."""
        self._node, self._warn = node, warn
        self._audio_topic, self._topic = topic, f"{topic.rpartition('/')[0]}/audio_info"
        self._subscription: Any = None
        self.format: AudioFormat | None = None
        """What is announced; None where nobody announces anything."""
        self.refusal: AudioError | None = None
        """Why what is announced cannot be used."""

    @property
    def awaited(self) -> bool:
        """Whether somebody offers AudioInfo who has not said anything yet."""
        return self._subscription is not None and self.format is None and self.refusal is None

    def close(self) -> None:
        """Destroy the subscription and forget what was announced."""
        if self._subscription is not None:
            self._node.destroy_subscription(self._subscription)
        self._subscription, self.format, self.refusal = None, None, None

    def follow(self, heard_type: str) -> None:
        """Look at the graph; `heard_type`: of the audio that is heard, empty for none.

        A publisher that was killed stays in the graph for seconds. What it announced must not be said of another's
        audio, so a node that publishes audio itself announces its own type only.
        """
        announcers = [
            info
            for info in self._node.get_publishers_info_by_topic(self._topic)
            if info.topic_type.endswith("/AudioInfo")
        ]
        audio = self._node.get_publishers_info_by_topic(self._audio_topic)
        own = nodes_of(info for info in audio if info.topic_type == heard_type)
        foreign = nodes_of(audio) - own if heard_type else set()
        announcers = [info for info in announcers if (info.node_namespace, info.node_name) not in foreign]
        if not announcers:
            self.close()
        elif self._subscription is None:
            self._subscribe(announcers[0])

    def _subscribe(self, info: Any) -> None:
        try:
            kind = message_class(info.topic_type)
        except DtalkerError as error:
            self._warn(f"cannot read {self._topic}: {error}")
            return
        qos = QoSProfile(depth=1, reliability=info.qos_profile.reliability, durability=info.qos_profile.durability)
        if qos.durability not in (DurabilityPolicy.TRANSIENT_LOCAL, DurabilityPolicy.VOLATILE):
            qos.durability = DurabilityPolicy.VOLATILE
        self._subscription = self._node.create_subscription(kind, self._topic, self._on_info, qos)

    def _on_info(self, message: Any) -> None:
        try:
            self.format, self.refusal = format_from_info(message), None
            self._node.get_logger().info(f"{self._topic}: {self.format}")
        except AttributeError:
            self._warn(f"{self._topic} has other fields than ros-drivers' AudioInfo and is not used")
        except AudioError as error:
            self.format, self.refusal = None, error
            self._node.get_logger().error(f"{self._topic}: {error}")

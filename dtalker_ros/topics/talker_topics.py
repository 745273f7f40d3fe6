"""On which topics a talker node publishes its frames and hears its audio, found in the graph, whatever it remaps."""

from typing import Any

from rclpy.expand_topic_name import expand_topic_name
from rclpy.node import Node

from dtalker_ros.audio.audio_topics import AUDIO_TYPES

FRAMES, HEADS = "dtalker/msg/Blendshapes", "dtalker/msg/Head"


class TalkerTopics:
    """Looks for the node `talker` from `node`, whose own remappings of `blendshapes` and `audio` win."""

    def __init__(self, node: Node, talker: str) -> None:
        """`talker`: name of the talker node, absolute or relative to the namespace of `node`."""
        self._node = node
        self.name = self._expanded(talker)

    def frames(self) -> str:
        """Topic of the talker's frames; the usual one where it is not to be seen."""
        return self._found("blendshapes", self._node.get_publisher_names_and_types_by_node, (FRAMES,))

    def heads(self) -> str:
        """Topic of the talker's heads; the usual one where it is not to be seen."""
        return self._found("head", self._node.get_publisher_names_and_types_by_node, (HEADS,))

    def audio(self) -> str:
        """Topic of the audio that the talker hears; the usual one where it hears none yet."""
        return self._found("audio", self._node.get_subscriber_names_and_types_by_node, AUDIO_TYPES)

    def instances(self) -> frozenset[bytes]:
        """What tells a talker from one that was started later under the same name."""
        publishers = self._node.get_publishers_info_by_topic(f"{self.name}/info")
        return frozenset(bytes(info.endpoint_gid) for info in publishers)

    def _found(self, usual: str, look: Any, types: tuple[str, ...]) -> str:
        own = self._node.resolve_topic_name(usual)
        if own != self._expanded(usual):
            return own
        namespace, _, name = self.name.rpartition("/")
        try:
            topics = look(name, namespace or "/")
        except Exception:  # rclpy has an error for nodes that are not there, and another for what is no name
            return own
        return next((topic for topic, kinds in sorted(topics) if set(kinds) & set(types)), own)

    def _expanded(self, name: str) -> str:
        return str(expand_topic_name(name, self._node.get_name(), self._node.get_namespace()))

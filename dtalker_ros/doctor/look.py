"""Looks at the graph and listens for a moment: ``python -m dtalker_ros.doctor.look`` prints what it saw."""

import os
import sys
import time
from collections.abc import Iterable, Sequence
from typing import Any

import rclpy
from diagnostic_msgs.msg import DiagnosticArray
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy
from rclpy.signals import SignalHandlerOptions
from rosgraph_msgs.msg import Clock  # type: ignore[import-untyped, unused-ignore]

from dtalker_model.errors import DtalkerError
from dtalker_ros.audio.audio_topics import carries_audio, message_class
from dtalker_ros.doctor.clocks import CLOCK
from dtalker_ros.doctor.sights import Endpoint, Sights, Status, written
from dtalker_ros.topics.talker_topics import TalkerTopics

LISTEN_S = 3.4
"""Talkers say something once a second; FastDDS announces itself again after 3 s, where nobody answered at first."""
SUFFIX = ": talker"
INFO = "dtalker/msg/FaceInfo"
BEST_EFFORT = QoSProfile(depth=50, reliability=ReliabilityPolicy.BEST_EFFORT)


def look(args: Sequence[str] | None = None, seconds: float = LISTEN_S) -> Sights:
    """What is to be seen within `seconds`; `args`: ROS arguments. Raises what rclpy raises where ROS does not start."""
    context = rclpy.Context()
    rclpy.init(args=args, context=context, signal_handler_options=SignalHandlerOptions.NO)
    try:
        node = Node(f"doctor_{os.getpid()}", context=context, start_parameter_services=False)
        try:
            return _Looker(node).look(SingleThreadedExecutor(context=context), seconds)
        finally:
            node.destroy_node()
    finally:
        rclpy.try_shutdown(context=context)


def refusal(type_name: str) -> str:
    """Why messages of `type_name` cannot be heard as audio here; empty where they can."""
    try:
        return "" if carries_audio(message_class(type_name)()) else f"{type_name} is no audio"
    except DtalkerError as error:
        return str(error)


class _Looker:
    def __init__(self, node: Node) -> None:
        self._node = node
        self._statuses: dict[str, Status] = {}
        self._clock_messages = 0
        node.create_subscription(DiagnosticArray, "/diagnostics", self._on_diagnostics, BEST_EFFORT)
        node.create_subscription(Clock, CLOCK, self._on_clock, BEST_EFFORT)

    def look(self, executor: Any, seconds: float) -> Sights:
        executor.add_node(self._node)
        end_s = time.monotonic() + seconds
        while (left_s := end_s - time.monotonic()) > 0:
            executor.spin_once(timeout_sec=left_s)
        executor.remove_node(self._node)
        executor.shutdown()
        return self._sights()

    def _sights(self) -> Sights:
        topics = dict(self._node.get_topic_names_and_types())
        infos = (self._publishers(name) for name, kinds in topics.items() if INFO in kinds)
        talkers = tuple(endpoint.node for endpoints in infos for endpoint in endpoints if endpoint.type == INFO)
        found = {name: TalkerTopics(self._node, name) for name in talkers}
        audio = {name: topic.audio() for name, topic in found.items()} or {"": self._node.resolve_topic_name("audio")}
        looked_at = dict.fromkeys([*audio.values(), *(topic.frames() for topic in found.values()), CLOCK])
        publishers = tuple(endpoint for topic in looked_at for endpoint in self._publishers(topic))
        kinds = {endpoint.type for endpoint in publishers if endpoint.topic in audio.values()}
        return Sights(
            rclpy.get_rmw_implementation_identifier(),
            topics,
            talkers,
            audio,
            publishers,
            tuple(endpoint for topic in looked_at for endpoint in self._subscriptions(topic)),
            {kind: reason for kind in kinds if (reason := refusal(kind))},
            self._statuses,
            self._clock_messages,
        )

    def _publishers(self, topic: str) -> list[Endpoint]:
        return _endpoints(topic, self._node.get_publishers_info_by_topic(topic))

    def _subscriptions(self, topic: str) -> list[Endpoint]:
        endpoints = _endpoints(topic, self._node.get_subscriptions_info_by_topic(topic))
        return [endpoint for endpoint in endpoints if not endpoint.node.endswith(f"/{self._node.get_name()}")]

    def _on_diagnostics(self, message: Any) -> None:
        ahead_s = message.header.stamp.sec + message.header.stamp.nanosec / 1e9 - time.time()
        for status in message.status:
            if status.name.endswith(SUFFIX):
                level = int.from_bytes(status.level, "little")
                self._statuses[f"/{status.name.removesuffix(SUFFIX)}"] = Status(level, status.message, ahead_s)

    def _on_clock(self, message: Any) -> None:
        self._clock_messages += 1


def _endpoints(topic: str, infos: Iterable[Any]) -> list[Endpoint]:
    return [
        Endpoint(
            f"{info.node_namespace.rstrip('/')}/{info.node_name}",
            topic,
            info.topic_type,
            info.qos_profile.reliability != ReliabilityPolicy.BEST_EFFORT,
            info.qos_profile.durability == DurabilityPolicy.TRANSIENT_LOCAL,
        )
        for info in infos
    ]


if __name__ == "__main__":
    print(written(look(sys.argv[1:])))

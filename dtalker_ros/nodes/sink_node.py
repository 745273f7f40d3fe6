"""Sends a talker's face to files and engines: recordings, Live Link, VMC, glTF, video. See `dtalker_model.sinks`.

A process of its own, so that a slow disk or an encoder never slows the talker.
"""

import sys
import threading
from collections.abc import Sequence
from typing import Any

import numpy as np
from dtalker.msg import Blendshapes, FaceInfo
from rclpy.node import Node
from rclpy.qos import QoSProfile, ReliabilityPolicy

from dtalker_model.errors import SettingError, SinkError
from dtalker_model.rates import FRAME_RATE_HZ
from dtalker_model.sinks import FanOut, Sink, SinkFrame, StreamInfo, parse_sinks, sink_help
from dtalker_ros.nodes.process import interruptible, run_node, spin
from dtalker_ros.outputs import stamp_ns
from dtalker_ros.parameters.node_parameters import NodeParameters
from dtalker_ros.parameters.parameters import ParameterSpec
from dtalker_ros.timing.frame_times import FrameTimes
from dtalker_ros.topics.topic_head import TopicHead

PARAMETERS = (
    ParameterSpec("sinks", [""], f"Where the frames go: {sink_help()}.", read_only=True),
    ParameterSpec("info_wait_ms", 2000.0, "Frames wait this long for the talker's `info`.", (0.0, 60000.0), "ms"),
)
QOS = QoSProfile(depth=500, reliability=ReliabilityPolicy.RELIABLE)
"""Ten seconds of frames may wait while a sink is slow."""


class SinkNode(Node):
    """Node `sink`; raises `SettingError` at construction where a sink is none."""

    def __init__(self) -> None:
        super().__init__("sink")
        parameters = NodeParameters(self, lambda values: None)
        parameters.declare(PARAMETERS)
        parameters.say_unknown()
        values = parameters.values()
        self._sinks: list[Sink] = parse_sinks(values["sinks"])
        if not self._sinks:
            raise SettingError("sinks: names no sink, such as -p sinks:='[mcap:take.mcap]'")
        self._info_wait_ns = round(values["info_wait_ms"] * 1e6)
        self._info: Any = None
        self._waiting: list[Any] = []
        self._fan_out: FanOut | None = None
        self._times = FrameTimes(FRAME_RATE_HZ)
        self._next_sequence: int | None = None
        self.frames = self.lost = 0
        self.over = threading.Event()
        self._heads = TopicHead(self, "head", QOS)
        self.create_subscription(FaceInfo, "dtalker/info", self._on_info, QOS)
        self.create_subscription(Blendshapes, "blendshapes", self._on_frame, QOS)

    def close(self) -> bool:
        """Close the sinks; whether none has failed."""
        try:
            if self._fan_out is None and self._waiting:
                self._begin(self._waiting[0])
                self._write(self._waiting)
        except SinkError as error:
            self.get_logger().fatal(str(error))
        self._waiting = []
        if self._fan_out is None:
            self.get_logger().warning("no frame came: nothing was written")
            return True
        self.get_logger().info(
            f"closing {len(self._fan_out.open_labels)} sinks: {self.frames} frames, {self.lost} lost on the way"
        )
        while self._fan_out.open_labels:
            try:
                with interruptible():
                    self._fan_out.close()
            except KeyboardInterrupt:  # of one sink; what it has so far is whole
                self.get_logger().warning("interrupted while closing: a film ends where it was")
        return not self._fan_out.failures

    def _on_info(self, message: Any) -> None:
        self._info = message

    def _on_frame(self, message: Any) -> None:
        try:
            self._take(message)
        except SinkError as error:
            self.get_logger().fatal(str(error))
            self.over.set()

    def _take(self, message: Any) -> None:
        if self.over.is_set():
            return
        self._waiting.append(message)
        waited_ns = stamp_ns(message) - stamp_ns(self._waiting[0])
        if self._fan_out is None and self._info is None and 0 <= waited_ns < self._info_wait_ns:
            return
        if self._fan_out is None:
            self._begin(self._waiting[0])
        waiting, self._waiting = self._waiting, []
        self._write(waiting)

    def _begin(self, first: Any) -> None:
        info = _stream_info(self._info, stamp_ns(first), str(first.header.frame_id), self._progress)
        self._times = FrameTimes(info.frame_rate_hz)
        fan_out = FanOut(self._sinks, info, self.get_logger().error)
        self._fan_out = fan_out
        fan_out.__enter__()
        self.get_logger().info(f"writing to {', '.join(fan_out.open_labels)}")

    def _write(self, messages: Sequence[Any]) -> None:
        assert self._fan_out is not None
        for message in messages:
            self._count(int(message.sequence))
            time_s = self._times.time_s(stamp_ns(message), int(message.sequence))
            if self._times.jump_s is not None:
                self.get_logger().warning(
                    f"the clock of the frames jumped by {self._times.jump_s:.2f} s: they go on without a gap",
                    throttle_duration_sec=10.0,
                )
            head = self._heads.of(int(message.sequence))
            self._fan_out.write([SinkFrame(time_s, np.array(message.weights, np.float32), head)])

    def _count(self, sequence: int) -> None:
        if self._next_sequence is not None and sequence > self._next_sequence:
            self.lost += sequence - self._next_sequence
            self.get_logger().warning(
                f"{sequence - self._next_sequence} frames were lost on the way", throttle_duration_sec=10.0
            )
        self._next_sequence = sequence + 1
        self.frames += 1

    def _progress(self, what: str, part: float) -> None:
        self.get_logger().info(f"{what}: {part:.0%}", throttle_duration_sec=2.0)


def _stream_info(info: Any, begun_ns: int, face: str, progress: Any) -> StreamInfo:
    if info is None:
        return StreamInfo(begun_ns, live=True, face=face, progress=progress)
    return StreamInfo(
        begun_ns,
        live=True,
        face=face,
        names=tuple(info.names),
        frame_rate_hz=float(info.frame_rate_hz),
        model=info.model,
        model_sha256=info.model_sha256,
        licence=info.licence,
        lookahead_ms=float(info.lookahead_ms),
        identities=tuple(info.identities),
        emotions=tuple(info.emotions),
        steps=int(info.steps),
        step_counts=tuple(map(int, info.step_counts)),
        progress=progress,
    )


def _run(node: SinkNode, stop: threading.Event) -> int:
    node.over = stop  # a signal, or nothing left to write to
    spin(node, stop)
    return 0 if node.close() else 1


def main(args: Sequence[str] | None = None) -> int:
    """Run the node until a signal; returns the exit code, 1 where a sink failed."""
    return run_node(SinkNode, args, _run)


if __name__ == "__main__":
    sys.exit(main())

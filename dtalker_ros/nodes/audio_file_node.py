"""Plays a sound file onto the topic `audio`, as any of the message kinds, in real time or faster."""

import sys
import threading
import time
from collections.abc import Iterator, Sequence

import numpy as np
import rclpy.duration
from numpy.typing import NDArray
from rclpy.node import Node
from rclpy.qos import HistoryPolicy, QoSProfile, ReliabilityPolicy

from dtalker_model.errors import AudioError
from dtalker_model.rates import SAMPLE_RATE_HZ
from dtalker_ros.audio.audio_messages import KINDS, SELF_DESCRIBING, AudioEncoder, OutgoingAudio
from dtalker_ros.audio.sound_file import SoundFile, is_pipe
from dtalker_ros.nodes.process import SPIN_S, run_node
from dtalker_ros.parameters.node_parameters import NodeParameters
from dtalker_ros.parameters.parameters import ParameterSpec

DEPTH = 1000
ACKNOWLEDGE_EVERY = 100
"""Without a pace of its own the player waits after so many messages until they have been received."""
ACKNOWLEDGE_S = 10.0
POLL_S = 0.02

PARAMETERS = (
    ParameterSpec("file", "", "Sound file to play, any format that libsndfile reads; - or a named pipe."),
    ParameterSpec("kind", "int16", f"Message kind: {', '.join(KINDS)}."),
    ParameterSpec("chunk_ms", 20.0, "Audio in each message; 0: the whole file in one.", (0.0, 600000.0), "ms"),
    ParameterSpec("speed", 1.0, "1 is real time, 5 five times as fast, 0 as fast as possible.", (0.0, 1000.0)),
    ParameterSpec(
        "sample_rate_hz",
        0,
        "Rate to publish at; 0: the file's own where the message says it, else 16000.",
        (0, 192000),
        "Hz",
    ),
    ParameterSpec("loop", False, "Begin again at the end."),
    ParameterSpec("min_subscribers", 1, "Begin when so many subscribe; 0: at once.", (0, 100)),
    ParameterSpec("delay_ms", 200.0, "Wait this long after that.", (0.0, 60000.0), "ms"),
    ParameterSpec("reliability", "reliable", "QoS of the publisher: reliable or best_effort."),
)


class AudioFileNode(Node):
    """Node `audio_file`; raises `AudioError` at construction for parameters it cannot work with."""

    def __init__(self) -> None:
        super().__init__("audio_file")
        parameters = NodeParameters(self, lambda values: None)
        parameters.declare(PARAMETERS)
        parameters.say_unknown()
        self._values = parameters.values()
        self._encoder = AudioEncoder(self._values["kind"])
        fallback_hz = 0 if self._values["kind"] in SELF_DESCRIBING else SAMPLE_RATE_HZ
        self._rate_hz = self._values["sample_rate_hz"] or fallback_hz
        pipe = is_pipe(self._values["file"])
        if pipe and self._values["loop"]:
            raise AudioError("loop: a pipe comes once, give a file")
        self._opened = None if pipe else SoundFile(self._values["file"], self._rate_hz)
        if self._values["kind"] == "wav":
            self._values["chunk_ms"] = 0.0
        self._publisher = self.create_publisher(self._encoder.message_type, "audio", self._qos())

    def _qos(self) -> QoSProfile:
        name = self._values["reliability"]
        if name not in ("reliable", "best_effort"):
            raise AudioError(f"reliability: received {name!r}, expected 'reliable' or 'best_effort'")
        return QoSProfile(depth=DEPTH, history=HistoryPolicy.KEEP_LAST, reliability=ReliabilityPolicy[name.upper()])

    def play(self, stop: threading.Event) -> int:
        """Play until the end or until `stop`; the exit code."""
        try:
            return self._play(stop)
        except AudioError:
            if not stop.is_set():  # else a pipe was given up
                raise
            return 0

    def _play(self, stop: threading.Event) -> int:
        if self._opened is None:
            self._opened = SoundFile(self._values["file"], self._rate_hz, stop.is_set)
        while self._publisher.get_subscription_count() < self._values["min_subscribers"]:
            if stop.wait(POLL_S):
                return 0
        stop.wait(self._values["delay_ms"] / 1000)
        length = f" ({self._file.duration_s:.1f} s)" if self._file.duration_s else ""
        self.get_logger().info(f"playing {self._values['file']}{length}")
        self._publish_all(stop)
        self._acknowledge(stop)
        return 0

    @property
    def _file(self) -> SoundFile:
        assert self._opened is not None
        return self._opened

    def _publish_all(self, stop: threading.Event) -> None:
        began_s, began_ns = time.monotonic(), self.get_clock().now().nanoseconds
        rate_hz, speed = self._file.sample_rate_hz, self._values["speed"]
        sent = 0
        for number, pcm in enumerate(self._chunks()):
            if speed > 0:
                stop.wait(max(0.0, began_s + sent / rate_hz / speed - time.monotonic()))
            elif number % ACKNOWLEDGE_EVERY == 0:
                self._acknowledge(stop)
            if stop.is_set():
                return
            stamp_ns = began_ns + sent * 1_000_000_000 // rate_hz
            self._publisher.publish(self._encoder.message(OutgoingAudio(pcm, rate_hz, stamp_ns)))
            sent += len(pcm)

    def _chunks(self) -> Iterator[NDArray[np.int16]]:
        samples = round(self._values["chunk_ms"] * self._file.sample_rate_hz / 1000)
        yield from self._file.chunks(samples)
        while self._values["loop"]:
            yield from self._file.chunks(samples)

    def _acknowledge(self, stop: threading.Event) -> None:
        """Wait until everything published was received, as far as that is known, or until `stop`."""
        end_s = time.monotonic() + ACKNOWLEDGE_S
        patience = rclpy.duration.Duration(seconds=SPIN_S)
        while self._values["reliability"] == "reliable" and not stop.is_set() and time.monotonic() < end_s:
            if self._publisher.wait_for_all_acked(patience):
                return


def main(args: Sequence[str] | None = None) -> int:
    """Play a file; returns the exit code."""
    return run_node(AudioFileNode, args, AudioFileNode.play)


if __name__ == "__main__":
    sys.exit(main())

"""Publishes the microphone on the topic `audio`."""

import sys
import threading
from collections.abc import Sequence
from typing import Any

import numpy as np
from rclpy.node import Node
from rclpy.qos import QoSProfile, ReliabilityPolicy

from dtalker_model.cli.sound.microphone import sounddevice_module
from dtalker_model.errors import AudioError
from dtalker_ros.audio.audio_messages import KINDS, AudioEncoder, OutgoingAudio
from dtalker_ros.nodes.process import SPIN_S, run_node
from dtalker_ros.parameters.node_parameters import NodeParameters
from dtalker_ros.parameters.parameters import ParameterSpec

PARAMETERS = (
    ParameterSpec("device", "", "Part of the input device's name; empty: the system's default."),
    ParameterSpec("kind", "int16", f"Message kind: {', '.join(KINDS)}."),
    ParameterSpec("chunk_ms", 20.0, "Audio in each message.", (5.0, 1000.0), "ms"),
    ParameterSpec("sample_rate_hz", 16000, "Sample rate.", (8000, 192000), "Hz"),
    ParameterSpec("channels", 1, "Channels.", (1, 64)),
)


class MicrophoneNode(Node):
    """Node `microphone`; raises `AudioError` at construction where there is no microphone to open."""

    def __init__(self) -> None:
        super().__init__("microphone")
        parameters = NodeParameters(self, lambda values: None)
        parameters.declare(PARAMETERS)
        parameters.say_unknown()
        values = parameters.values()
        self._encoder = AudioEncoder(values["kind"])
        self._rate_hz = values["sample_rate_hz"]
        self._stream = self._open(values)
        qos = QoSProfile(depth=100, reliability=ReliabilityPolicy.RELIABLE)
        self._publisher = self.create_publisher(self._encoder.message_type, "audio", qos)

    def _open(self, values: dict[str, Any]) -> Any:
        sounddevice = sounddevice_module()
        try:
            return sounddevice.InputStream(
                samplerate=self._rate_hz,
                blocksize=round(self._rate_hz * values["chunk_ms"] / 1000),
                device=values["device"] or None,
                channels=values["channels"],
                dtype="int16",
                callback=self._hear,
            )
        except (sounddevice.PortAudioError, ValueError) as error:
            raise AudioError(f"no microphone to open: {error}; `python -m sounddevice` lists the devices") from None

    def _hear(self, pcm: Any, samples: int, when: Any, status: Any) -> None:
        """PortAudio's callback: publish the chunk with the time of its first sample."""
        if status:
            self.get_logger().warning(f"microphone: {status}")
        stamp_ns = self.get_clock().now().nanoseconds - samples * 1_000_000_000 // self._rate_hz
        self._publisher.publish(self._encoder.message(OutgoingAudio(np.array(pcm), self._rate_hz, stamp_ns)))

    def run(self, stop: threading.Event) -> int:
        """Publish until `stop`; the exit code."""
        with self._stream:
            self.get_logger().info(f"microphone open at {self._rate_hz} Hz")
            while not stop.wait(SPIN_S):  # an endless wait may miss a signal that comes just before it
                pass
        return 0


def main(args: Sequence[str] | None = None) -> int:
    """Publish the microphone; returns the exit code."""
    return run_node(MicrophoneNode, args, MicrophoneNode.run)


if __name__ == "__main__":
    sys.exit(main())

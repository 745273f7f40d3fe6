"""Plays what the talker hears, in step with its face: through a sound card, or on the topic `audio_delayed`."""

import sys
import threading
import time
from collections.abc import Mapping, Sequence
from typing import Any

from dtalker.msg import FaceInfo
from rclpy.clock import Clock, ClockType
from rclpy.node import Node
from rclpy.qos import QoSProfile, ReliabilityPolicy

from dtalker_model.errors import SettingError
from dtalker_ros.audio.audio_source import AudioSource
from dtalker_ros.nodes.process import run_node, spin
from dtalker_ros.parameters.node_parameters import NodeParameters
from dtalker_ros.parameters.parameters import ParameterSpec
from dtalker_ros.playback.delayed import DelayedAudio, own_topic
from dtalker_ros.playback.player import Player
from dtalker_ros.playback.sound_card import CardWish, SoundCard
from dtalker_ros.playback.talker_sound import TalkerSound
from dtalker_ros.worker import Complaints

OUTPUTS = ("card", "topic")
MOVE_S, LOOK_S = 0.01, 1.0
STALL_S = 0.05
"""What held this process up for so long is no reason to play later from now on."""
LATER_MS, MOST_LATER_MS = 10.0, 40.0
"""Where audio comes too late for the card, it is played so much later each time, up to this."""
PARAMETERS = (
    ParameterSpec("talker", "dtalker", "Name of the talker node whose audio is played.", read_only=True),
    ParameterSpec("output", "card", f"Where it is played: {' or '.join(OUTPUTS)} (`audio_delayed`).", read_only=True),
    ParameterSpec("device", "", "Part of the output device's name, or its number; empty: the default.", read_only=True),
    ParameterSpec("sample_rate_hz", 0, "Rate of the card; 0: its default.", (0, 192000), "Hz", read_only=True),
    ParameterSpec("channels", 0, "Channels of the card; 0: two, or one where it has no more.", (0, 64), read_only=True),
    ParameterSpec(
        "sound_offset_ms",
        0.0,
        "Let the sound come so much after the face's stamps, before where negative: calibrate_latency measures it.",
        (-2000.0, 2000.0),
        "ms",
    ),
)


class AudioPlayerNode(Node):
    """Node `audio_player`; raises `AudioError` at construction where there is no card to open."""

    def __init__(self, **options: Any) -> None:
        super().__init__("audio_player", **options)
        self.parameters = NodeParameters(self, self._on_change)
        self.parameters.declare(PARAMETERS)
        self.parameters.say_unknown()
        values = self.parameters.values()
        if values["output"] not in OUTPUTS:
            raise SettingError(f"output: received {values['output']!r}, expected one of {', '.join(OUTPUTS)}")
        self._steady = Clock(clock_type=ClockType.STEADY_TIME)  # simulated time may stand still, a card does not
        self._complain = Complaints()
        self._card: SoundCard | None = None
        self._sound: TalkerSound | None = None
        if values["output"] == "card":
            self._play(values)
        else:
            self._delay(values)

    def close(self) -> None:
        """Play no more."""
        if self._card is not None:
            self._card.close()
            self._card = None

    def destroy_node(self) -> None:
        """Close the card, then destroy the node."""
        self.close()
        super().destroy_node()

    def _play(self, values: Mapping[str, Any]) -> None:
        wish = CardWish(values["device"], values["sample_rate_hz"], values["channels"])
        self._card = card = SoundCard(wish, self._now_ns, self._warn)
        self.player = Player(card.rate_hz, card.channels)
        self._sound = TalkerSound(self, values["talker"], card.latency_ms, self._warn)
        self._sound.set_offset(values["sound_offset_ms"])
        self._underruns, self._later_ms, self._moved_s = 0, 0.0, time.monotonic()
        self.create_timer(MOVE_S, self._on_move, clock=self._steady)
        self.create_timer(LOOK_S, self._sound.look_around, clock=self._steady)
        card.start(self.player.render)
        self.get_logger().info(
            f"playing through {values['device'] or 'the default loudspeaker'}: {card.rate_hz} Hz, "
            f"{card.channels} channels, latency {card.latency_ms:.0f} ms"
        )

    def _on_move(self) -> None:
        assert self._sound is not None
        stalled, self._moved_s = time.monotonic() - self._moved_s > STALL_S, time.monotonic()
        self._sound.move(self.player)
        if self.player.underruns == self._underruns:
            return
        self._underruns = self.player.underruns
        if not stalled and self._later_ms < MOST_LATER_MS:
            self._later_ms += LATER_MS
            self._sound.set_offset(self.parameters.values()["sound_offset_ms"] + self._later_ms)
        self._warn(
            f"the loudspeaker ran out of sound and plays {self._later_ms:.0f} ms behind the face: "
            "set playout_delay_ms of the talker to 120 or more"
        )

    def _delay(self, values: Mapping[str, Any]) -> None:
        own_topic(self.resolve_topic_name("audio"), self.resolve_topic_name("audio_delayed"))
        self._publisher: Any = None
        self._delayed = DelayedAudio(lambda message: self._publisher.publish(message))
        self._source = AudioSource(self, "", self._hear)
        self.create_subscription(FaceInfo, f"{values['talker']}/info", self._on_info, 10)
        self.create_timer(MOVE_S / 2, lambda: self._delayed.publish_due(time.monotonic_ns()), clock=self._steady)
        self.get_logger().info(f"audio_delayed: {self._source.description}")

    def _on_info(self, info: Any) -> None:
        offset_ms = self.parameters.values()["sound_offset_ms"]
        self._delayed.delay_ms = max(0.0, float(info.playout_delay_ms) + offset_ms)

    def _hear(self, message: Any) -> None:
        if self._publisher is None or self._publisher.msg_type is not type(message):
            if self._publisher is not None:
                self._delayed.clear()  # of another type
                self.destroy_publisher(self._publisher)
            qos = QoSProfile(depth=1000, reliability=ReliabilityPolicy.RELIABLE)
            self._publisher = self.create_publisher(type(message), "audio_delayed", qos)
        self._delayed.hear(message, time.monotonic_ns())

    def _on_change(self, values: Mapping[str, Any]) -> None:
        if self._sound is not None and "sound_offset_ms" in values:
            self._sound.set_offset(values["sound_offset_ms"] + self._later_ms)

    def _warn(self, text: str) -> None:
        self._complain(self.get_logger().warning, text, time.monotonic_ns())

    def _now_ns(self) -> int:
        return int(self.get_clock().now().nanoseconds)


def _run(node: AudioPlayerNode, stop: threading.Event) -> int:
    try:
        return spin(node, stop)
    finally:
        node.close()


def main(args: Sequence[str] | None = None) -> int:
    """Run the node until a signal; returns the exit code."""
    return run_node(AudioPlayerNode, args, _run)


if __name__ == "__main__":
    sys.exit(main())

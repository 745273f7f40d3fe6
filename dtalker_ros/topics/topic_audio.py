"""What the talker node says on `audio`, laid out in time by the talker's own rules, for those who play it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rclpy.node import Node

from dtalker_model.errors import AudioError
from dtalker_model.rates import LOOKAHEAD_MS, SAMPLE_RATE_HZ
from dtalker_ros.audio.audio_source import AudioSource
from dtalker_ros.audio.convert import AudioReader
from dtalker_ros.audio.publishers import Publishers
from dtalker_ros.ear import Ear
from dtalker_ros.parameters.parameters import timeline_config
from dtalker_ros.timing.timeline import Timeline
from dtalker_ros.timing.timeline_config import TimelineConfig

_SHORTEST_DELAY_MS = float(LOOKAHEAD_MS)
"""Nothing is laid out with less: the rules are the talker's, who needs his look-ahead."""


@dataclass(frozen=True)
class Piece:
    """Sound or silence that will be heard soon."""

    heard_ns: int
    """When its first sample is heard."""
    pcm: NDArray[np.generic]
    """(samples, channels), of any of the core's types."""
    rate_hz: int
    broken: bool
    """Whether it does not go on from the piece before."""


class TopicAudio:
    """Hears `audio` as the talker does. `due` gives what will be heard soon."""

    def __init__(self, node: Node, values: Mapping[str, Any], topic: str) -> None:
        """`values`: the talker's parameters that are not settings; `topic`: what it hears."""
        self.topic = topic
        self._node, self._values, self._delay_ms, self._offset_ms = node, dict(values), 0.0, 0.0
        self._dropped_ns, self._silent = 0, True
        self._timeline = Timeline(self._config(), self._now_ns())
        self._publishers, self._reader = Publishers(), AudioReader()
        self._ear = self._new_ear()
        self._source = AudioSource(node, self._values["audio_type"], self._hear, topic, self._publishers)

    def follow(self, values: Mapping[str, Any]) -> None:
        """The talker's parameters may have changed."""
        if values == self._values:
            return  # a new ear would forget the rate that it has found
        self._values = dict(values)
        self._ear = self._new_ear()
        self._timeline.configure(self._config(), self._now_ns())

    def delay(self, delay_ms: float, offset_ms: float = 0.0) -> None:
        """The talker says which playout delay is in force; the sound is to be heard `offset_ms` after the face."""
        if (delay_ms, offset_ms) != (self._delay_ms, self._offset_ms):
            self._delay_ms, self._offset_ms = delay_ms, offset_ms
            self._timeline.configure(self._config(), self._now_ns())

    @property
    def late_ms(self) -> float:
        """How much later than wanted the sound is, since the way and the rules take that long; 0 nearly always."""
        return self._timeline.delay_ms - self._wanted_delay_ms

    @property
    def _wanted_delay_ms(self) -> float:
        """From a sample's time to its sound."""
        return max(timeline_config(self._values).playout_delay_ms, self._delay_ms) + self._offset_ms

    def close(self) -> None:
        """Hear no more."""
        self._source.close()

    def due(self) -> Iterator[tuple[int, NDArray[np.int16], int]]:
        """Pieces that are not silent: when they are heard in ns, mono samples, sample rate in Hz."""
        for piece in self.blocks():
            if piece.pcm.any():
                yield piece.heard_ns, _mono(piece.pcm), piece.rate_hz

    def blocks(self) -> Iterator[Piece]:
        """All of it, silence too: each piece follows the one before without a gap."""
        place = self._timeline.fed_samples
        for block in self._timeline.due(self._now_ns()):
            dropped_ns, silent = self._timeline.losses.dropped_ns, not block.pcm.any()
            broken = dropped_ns != self._dropped_ns or silent != self._silent
            self._dropped_ns, self._silent = dropped_ns, silent
            yield Piece(self._timeline.show_ns(place), block.pcm, block.sample_rate_hz, broken)
            place += round(len(block.pcm) * SAMPLE_RATE_HZ / block.sample_rate_hz)

    def _hear(self, message: Any) -> None:
        try:
            chunk = self._ear.read(message, self._source.announced)
        except (AudioError, TypeError):
            return  # the talker says why
        if chunk is not None:
            self._timeline.add(chunk, self._now_ns())

    def _config(self) -> TimelineConfig:
        config = timeline_config(self._values)
        return replace(config, playout_delay_ms=max(self._wanted_delay_ms, _SHORTEST_DELAY_MS))

    def _new_ear(self) -> Ear:
        real_time = not self._node.get_parameter("use_sim_time").value
        return Ear(lambda: self._timeline, self._values, self._publishers, self._reader.read, self._now_ns, real_time)

    def _now_ns(self) -> int:
        return int(self._node.get_clock().now().nanoseconds)


def _mono(pcm: NDArray[np.generic]) -> NDArray[np.int16]:
    """(samples, channels) of any of the core's types -> (samples,) int16."""
    scale = 32767.0 if pcm.dtype.kind == "f" else 32767.0 / float(np.iinfo(pcm.dtype).max)  # type: ignore[type-var]
    return np.clip(pcm.astype(np.float64).mean(axis=1) * scale, -32768, 32767).astype(np.int16)

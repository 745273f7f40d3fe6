"""Audio of any rate and number of channels becomes sound at the rate and with the channels of the card.

soxr's variable-rate resampler does this too: it always keeps back 240 samples of its input (15 ms at 16 kHz), where the
others give their output in blocks and keep back up to 37 ms (HQ, 16 to 48 kHz, measured).
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dtalker_ros.playback.seam import Seam
from dtalker_ros.playback.varispeed import variable_stream

MOVED_NS = 500_000
"""A block that is to be heard so far from where the one before ends has another place in time."""


class SourceRate:
    """A resampler for as long as the rate stays the same, and when its output is to be heard."""

    def __init__(self, card_rate_hz: int, channels: int) -> None:
        self._card_rate_hz, self._channels = card_rate_hz, channels
        self._rate_hz = 0
        self._stream: Any = None
        self._seam = Seam(card_rate_hz, channels)
        self._begin_ns = self._given = self._taken = 0

    def push(
        self, sound: NDArray[np.float32], rate_hz: int, heard_ns: int, broken: bool
    ) -> Iterator[tuple[NDArray[np.float32], int]]:
        """Take in `sound` (n, channels); sound at the card's rate, and when its first sample is to be heard."""
        if rate_hz != self._rate_hz:
            yield from self._end()
            self._begin(rate_hz, heard_ns)
        expected_ns = self._begin_ns + self._taken * 1_000_000_000 // rate_hz
        if abs(heard_ns - expected_ns) > MOVED_NS:
            self._begin_ns += heard_ns - expected_ns
        sound = self._seam.join(sound, broken)
        self._taken += len(sound)
        yield self._timed(sound if self._stream is None else self._stream.resample_chunk(sound))

    def _begin(self, rate_hz: int, heard_ns: int) -> None:
        self._rate_hz, self._begin_ns, self._given, self._taken = rate_hz, heard_ns, 0, 0
        last, self._seam = self._seam.last, Seam(rate_hz, self._channels)
        self._seam.last = last
        self._stream = None
        if rate_hz != self._card_rate_hz:
            self._stream = variable_stream(self._channels, rate_hz / self._card_rate_hz)

    def _end(self) -> Iterator[tuple[NDArray[np.float32], int]]:
        if self._stream is not None:
            rest = np.zeros((0, self._channels), np.float32)
            yield self._timed(self._stream.resample_chunk(rest, last=True))

    def _timed(self, sound: NDArray[np.float32]) -> tuple[NDArray[np.float32], int]:
        heard_ns = self._begin_ns + self._given * 1_000_000_000 // self._card_rate_hz
        self._given += len(sound)
        return sound, heard_ns


def in_channels(pcm: NDArray[np.generic], channels: int) -> NDArray[np.float32]:
    """`pcm` (n, any) as float32 (n, channels): as it is where the numbers agree, else the mean on every channel."""
    scale = 1.0 if pcm.dtype.kind == "f" else 1.0 / -float(np.iinfo(pcm.dtype).min)  # type: ignore[type-var]
    sound = pcm.astype(np.float32) * np.float32(scale)
    if sound.shape[1] != channels:
        sound = np.repeat(sound.mean(axis=1, keepdims=True), channels, axis=1)
    return np.ascontiguousarray(sound)

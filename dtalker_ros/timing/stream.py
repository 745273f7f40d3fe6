"""Parts of the timeline: how far the stream was fed, and the bounded queue of audio that waits to be fed."""

from collections import deque
from dataclasses import dataclass
from math import gcd

import numpy as np
from numpy.typing import NDArray

from dtalker_model.rates import SAMPLE_RATE_HZ
from dtalker_ros.audio.convert import AudioChunk

SAMPLE_NS = 1_000_000_000 // SAMPLE_RATE_HZ
"""Nanoseconds of one 16 kHz sample: 62500, exactly."""

assert SAMPLE_NS * SAMPLE_RATE_HZ == 1_000_000_000


@dataclass(frozen=True)
class Block:
    """Audio or silence to push into the talker now."""

    pcm: NDArray[np.generic]
    """(samples, channels)."""
    sample_rate_hz: int
    ready_ns: int
    """When it could first have been pushed: it had arrived, and its time had come."""


class StreamPosition:
    """How much was fed into the talker, in 16 kHz samples, exact for any input rate."""

    def __init__(self) -> None:
        self.rate_hz = SAMPLE_RATE_HZ
        """Rate of what was fed last; silence goes on at this rate, so that the resampler need not start anew."""
        self._base = 0
        self._fed = 0

    @property
    def samples(self) -> int:
        """16 kHz samples fed so far, rounded down."""
        return self._base + self._fed * SAMPLE_RATE_HZ // self.rate_hz

    def advance(self, count: int, rate_hz: int) -> None:
        """Note that `count` samples at `rate_hz` were fed."""
        if rate_hz != self.rate_hz:
            self._base += -(-self._fed * SAMPLE_RATE_HZ // self.rate_hz)
            self._fed, self.rate_hz = 0, rate_hz
        self._fed += count

    def room(self, target: int, rate_hz: int) -> int:
        """Samples at `rate_hz` that bring the position to `target` 16 kHz samples, 0 if it is past it."""
        base, fed = (self._base, self._fed) if rate_hz == self.rate_hz else (self.samples, 0)
        return max(0, -(-(target - base) * rate_hz // SAMPLE_RATE_HZ) - fed)

    def room_to_whole(self, target: int) -> int | None:
        """Samples at `rate_hz` to where both rates have a whole number of samples, so that a resampler can end without
        rounding; None where the next such place is beyond `target`.
        """
        unit = self.rate_hz // gcd(self.rate_hz, SAMPLE_RATE_HZ)
        whole = -(-self._fed // unit) * unit
        return whole - self._fed if self._base + whole * SAMPLE_RATE_HZ // self.rate_hz <= target else None


@dataclass
class Piece:
    """Audio of one message, as far as it was not taken yet."""

    chunk: AudioChunk
    arrival_ns: int
    lead: int = 0
    """Silence between what goes before and it, in 16 kHz samples."""
    taken: int = 0
    anchor_ns: int | None = None
    """It begins another recording, whose first sample is shown then; None: it goes on from what goes before."""

    @property
    def left(self) -> int:
        """Samples not taken yet, at the chunk's own rate."""
        return len(self.chunk.pcm) - self.taken

    @property
    def left_ns(self) -> int:
        """Duration not taken yet in nanoseconds."""
        return self.left * 1_000_000_000 // self.chunk.sample_rate_hz


class AudioQueue:
    """First in, first out; knows how much it holds."""

    def __init__(self) -> None:
        self._pieces: deque[Piece] = deque()
        self._duration_ns = 0
        self._lead = 0

    def __bool__(self) -> bool:
        return bool(self._pieces)

    @property
    def head(self) -> Piece | None:
        """The oldest piece, or None when empty."""
        return self._pieces[0] if self._pieces else None

    @property
    def duration_ns(self) -> int:
        """Audio in the queue, nanoseconds, without the silence between."""
        return self._duration_ns

    @property
    def length_ns(self) -> int:
        """Audio and silence in the queue, nanoseconds."""
        return self._duration_ns + self._lead * SAMPLE_NS

    def append(self, piece: Piece) -> None:
        """Add `piece` at the end."""
        self._pieces.append(piece)
        self._duration_ns += piece.left_ns
        self._lead += piece.lead

    def shorten_lead(self, samples: int) -> int:
        """Take up to `samples` from the silence before the oldest piece; returns how many there were."""
        piece = self._pieces[0]
        taken = min(samples, piece.lead)
        piece.lead -= taken
        self._lead -= taken
        return taken

    def take(self, count: int) -> NDArray[np.generic]:
        """Up to `count` samples of the oldest piece (at its own rate); the piece goes when it is used up."""
        piece = self._pieces[0]
        before_ns = piece.left_ns
        pcm = piece.chunk.pcm[piece.taken : piece.taken + count]
        piece.taken += len(pcm)
        self._duration_ns += piece.left_ns - before_ns
        if piece.left == 0:
            self._pieces.popleft()
        return pcm

    def drop(self, duration_ns: int) -> tuple[int, int]:
        """Drop the oldest `duration_ns` of silence and audio; returns how much, and how much audio."""
        gone_ns, audio_ns = 0, 0
        while self._pieces and gone_ns < duration_ns:
            gone_ns += self.shorten_lead((duration_ns - gone_ns) // SAMPLE_NS) * SAMPLE_NS
            piece, before_ns = self._pieces[0], self._duration_ns
            if piece.lead:
                break
            self.take(-(-(duration_ns - gone_ns) * piece.chunk.sample_rate_hz // 1_000_000_000))
            gone_ns += before_ns - self._duration_ns
            audio_ns += before_ns - self._duration_ns
        return gone_ns, audio_ns

    def clear(self) -> int:
        """Drop everything; returns its duration in nanoseconds."""
        dropped_ns, self._duration_ns, self._lead = self._duration_ns, 0, 0
        self._pieces.clear()
        return dropped_ns

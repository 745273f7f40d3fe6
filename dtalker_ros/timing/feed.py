"""What goes into the talker, and when it is shown: audio and silence at their places in one endless stream."""

import numpy as np

from dtalker_model.rates import SAMPLE_RATE_HZ
from dtalker_ros.timing.pace import MS
from dtalker_ros.timing.stream import SAMPLE_NS, AudioQueue, Block, StreamPosition

SHORT_HOLE_NS = 200 * MS
"""Silence between audio up to this is a hole, and one speech; a longer one is a pause."""
IDLE_NS = 100 * MS
"""After so much silence the talker gets 16 kHz again: a resampler gives its output in blocks, which frames must not."""


class Feed:
    """The queue of audio, the position up to which the talker was fed, and the place of both in time."""

    def __init__(self, origin_ns: int) -> None:
        self.origin_ns = origin_ns
        """When sample 0 is shown."""
        self.queue = AudioQueue()
        self.position = StreamPosition()
        self.tick_ns = 0
        """Before this nothing of what waits was needed."""
        self.speech_start_ns: int | None = None
        """When the first sample of the newest speech is shown; None before the first."""
        self._silent_ns = 0
        self._holes_ns = 0

    @property
    def end(self) -> int:
        """Stream index at which what was fed and what waits ends."""
        return self.position.samples + self.queue.length_ns // SAMPLE_NS

    def show_ns(self, sample: int) -> int:
        """When stream sample `sample` is shown, nanoseconds."""
        return self.origin_ns + sample * SAMPLE_NS

    def index(self, time_ns: int) -> int:
        """Stream index of the sample shown at `time_ns`."""
        return (time_ns - self.origin_ns) // SAMPLE_NS

    def anchor(self, time_ns: int) -> None:
        """Show what is fed next at `time_ns`."""
        self.origin_ns = time_ns - self.position.samples * SAMPLE_NS

    def skip(self, samples: int) -> int:
        """Leave out the next `samples`, audio and silence alike; returns the audio in it, nanoseconds."""
        self.origin_ns += samples * SAMPLE_NS
        return self.queue.drop(samples * SAMPLE_NS)[1]

    def lead_in(self, until: int, now_ns: int) -> list[Block]:
        """The silence before the oldest piece, as far as it lies before stream index `until`."""
        piece = self.queue.head
        if piece is None or piece.lead == 0:
            return []
        before = self.position.samples
        blocks = self.silence(min(before + piece.lead, until), now_ns)
        self.queue.shorten_lead(self.position.samples - before)
        return blocks

    def audio(self, until: int, now_ns: int) -> list[Block]:
        """The oldest piece up to stream index `until`."""
        piece = self.queue.head
        count = 0 if piece is None else self.position.room(until, piece.chunk.sample_rate_hz)
        if piece is None or count == 0:
            return []
        self._speech_goes_on()
        rate_hz, pcm = piece.chunk.sample_rate_hz, self.queue.take(count)
        self.position.advance(len(pcm), rate_hz)
        return [Block(pcm, rate_hz, max(piece.arrival_ns, min(self.tick_ns, now_ns)))]

    def silence(self, until: int, now_ns: int) -> list[Block]:
        """Silence up to stream index `until`, if the stream is not there yet."""
        before, blocks = self.position.samples, []
        rate_hz = self.position.rate_hz
        if rate_hz != SAMPLE_RATE_HZ and self._silent_ns >= IDLE_NS:
            whole = self.position.room_to_whole(until)
            if whole is not None:
                blocks += self._silent(whole, rate_hz, now_ns)
                rate_hz = SAMPLE_RATE_HZ
        blocks += self._silent(self.position.room(until, rate_hz), rate_hz, now_ns)
        self._silent_ns += (self.position.samples - before) * SAMPLE_NS
        return blocks

    def take_holes(self) -> int:
        """Silence put between audio since the last call, without pauses, nanoseconds."""
        holes_ns, self._holes_ns = self._holes_ns, 0
        return holes_ns

    def _speech_goes_on(self) -> None:
        if self._silent_ns > SHORT_HOLE_NS or self.speech_start_ns is None:
            self.speech_start_ns = self.show_ns(self.position.samples)
        else:
            self._holes_ns += self._silent_ns
        self._silent_ns = 0

    def _silent(self, count: int, rate_hz: int, now_ns: int) -> list[Block]:
        if count == 0:
            return []
        self.position.advance(count, rate_hz)
        return [Block(np.zeros((count, 1), np.int16), rate_hz, min(self.tick_ns, now_ns))]

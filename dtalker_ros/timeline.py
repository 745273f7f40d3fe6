"""When audio is fed to the talker and when its frames are shown: the only place where samples meet the ROS clock.

The stream is an endless row of 16 kHz samples. Sample `s` is shown at ``origin_ns + s * 62500``, so frames lie on one
grid of 20 ms for as long as the node is active, whatever arrives. Audio of time `t` (its stamp or its arrival) has its
place at the sample shown at `t + playout_delay`: silence fills the stream up to there, exactly. If the stream is
already past that place, the audio follows without a break. No ROS in here, and no threads: `now_ns` is an argument.
"""

from dataclasses import dataclass

import numpy as np

from dtalker_model.rates import FRAME_SAMPLES, LOOKAHEAD_MS, LOOKAHEAD_SAMPLES, SAMPLE_RATE_HZ

from .convert import AudioChunk
from .stream import SAMPLE_NS, AudioQueue, Block, Piece, StreamPosition

MS = 1_000_000
"""Nanoseconds of a millisecond."""

FRAME_NS = FRAME_SAMPLES * SAMPLE_NS
AUDIO_LEAD_MS = 40
"""Audio is fed so long before the clock needs it: frames come that much early, a changed emotion shows that late."""
AUDIO_LEAD_SAMPLES = AUDIO_LEAD_MS * SAMPLE_RATE_HZ // 1000
STAMP_TRUST_NS = 5_000 * MS
"""Stamps further from the clock than this come from another clock and are not used."""
STAMP_TOLERANCE_NS = 40 * MS
"""Stamps may be off by this without becoming a gap."""
LONGEST_GAP_NS = 60_000 * MS
"""A jump of the stamps beyond this is another clock, not a pause."""
SENTENCE_NS = 500 * MS
"""A first message longer than this is a whole sentence: none is expected to follow at once."""
ASAP_BLOCKS = 4
"""With pacing asap about as many blocks of at most a second are fed at once, so that commands are heard between."""
_JUMP_NS = 1_000 * MS


@dataclass(frozen=True)
class TimelineConfig:
    """How audio is laid out in time."""

    asap: bool = False
    """Feed everything at once (pacing `asap`) rather than by the clock."""
    playout_delay_ms: float = LOOKAHEAD_MS
    """From a sample's time to the moment at which it is shown, 80..5000 ms."""
    gap_ms: float = 100.0
    """Input that stalls for this long has ended, ms."""
    max_lateness_ms: float = 500.0
    """When the stream falls behind the clock by more than this, the oldest audio is dropped, ms."""
    max_queue_s: float = 600.0
    """Audio that may wait, s; beyond it the oldest is dropped."""


@dataclass
class Dropped:
    """What was left out since it was last asked for."""

    late_ns: int = 0
    """Audio dropped because the node was late."""
    overflow_ns: int = 0
    """Audio dropped because too much was waiting."""
    frames: int = 0
    """Frames of the 20 ms grid that are never shown."""


class Timeline:
    """Takes audio as it comes and hands it out, with silence between, as the clock needs it."""

    def __init__(self, config: TimelineConfig, now_ns: int) -> None:
        self.config = config
        self.dropped = Dropped()
        self.holdback = 0
        """16 kHz samples that the talker's resampler keeps back; the stream is fed that much further."""
        self.speech_start_ns: int | None = None
        """When the first sample of the newest stretch of audio is shown; None before the first."""
        self._queue = AudioQueue()
        self._position = StreamPosition()
        self._origin_ns = now_ns + LOOKAHEAD_SAMPLES * SAMPLE_NS
        self._anchored = not config.asap
        self._sounding = False
        self._open = False
        self._chunks = 0
        self._last_arrival_ns = now_ns
        self._last_duration_ns = 0
        self._next_stamp_ns: int | None = None
        self._last_now_ns = now_ns
        self._tick_ns = now_ns

    @property
    def queued_s(self) -> float:
        """Audio that waits, in seconds."""
        return self._queue.duration_ns / 1e9

    @property
    def fed_samples(self) -> int:
        """16 kHz samples handed out so far."""
        return self._position.samples

    def show_ns(self, sample: int) -> int:
        """When stream sample `sample` is shown, nanoseconds."""
        return self._origin_ns + sample * SAMPLE_NS

    def configure(self, config: TimelineConfig, now_ns: int) -> None:
        """Go on with another `config`. The grid of stamps stays, unless the pacing changes: then it starts anew."""
        if config.asap != self.config.asap:
            self._origin_ns = now_ns + (LOOKAHEAD_SAMPLES - self._position.samples) * SAMPLE_NS
            self._anchored = not config.asap
        self.config = config

    def add(self, chunk: AudioChunk, now_ns: int) -> None:
        """Queue `chunk`, which arrived at `now_ns`."""
        stamp_ns = self._usable_stamp(chunk, now_ns)
        self._queue.append(Piece(chunk, now_ns, self._place(chunk, stamp_ns, now_ns)))
        self._last_arrival_ns, self._last_duration_ns = now_ns, chunk.duration_ns
        excess_ns = self._queue.duration_ns - round(self.config.max_queue_s * 1e9)
        if excess_ns > 0:
            self.dropped.overflow_ns += self._queue.drop(excess_ns)

    def flush(self) -> float:
        """Drop what waits; returns how much in seconds."""
        self._open = False
        return self._queue.clear() / 1e9

    def due(self, now_ns: int) -> list[Block]:
        """What must be pushed into the talker now, in order."""
        if self.config.asap:
            return self._due_asap(now_ns)
        self._follow_clock(now_ns)
        blocks = self._due_clock(now_ns)
        self._tick_ns = self.next_wake_ns(now_ns) or now_ns
        return blocks

    def next_wake_ns(self, now_ns: int) -> int | None:
        """When `due` has more to hand out if nothing arrives, nanoseconds; None if never."""
        if not self.config.asap:
            return self.show_ns(((now_ns - self._origin_ns) // FRAME_NS + 1) * FRAME_SAMPLES)
        if self._queue:
            return now_ns
        return self._last_arrival_ns + round(self.config.gap_ms * MS) if self._open else None

    def _usable_stamp(self, chunk: AudioChunk, now_ns: int) -> int | None:
        if chunk.stamp_ns is None or self.config.asap or abs(chunk.stamp_ns - now_ns) < STAMP_TRUST_NS:
            return chunk.stamp_ns
        return None

    def _place(self, chunk: AudioChunk, stamp_ns: int | None, now_ns: int) -> int | None:
        """Stream index at which `chunk` begins; None where it follows without a break."""
        shown_ns = (now_ns if stamp_ns is None else stamp_ns) + round(self.config.playout_delay_ms * MS)
        if not self._anchored:
            self._origin_ns, self._anchored = shown_ns - self._position.samples * SAMPLE_NS, True
        begins = not self._open and not self.config.asap
        gap_ns = self._stamp_gap_ns(stamp_ns, chunk.duration_ns, begins)
        self._chunks = self._chunks + 1 if self._open else 1
        self._open = True
        if begins or gap_ns > STAMP_TOLERANCE_NS:
            return (shown_ns - self._origin_ns + SAMPLE_NS // 2) // SAMPLE_NS
        return None

    def _stamp_gap_ns(self, stamp_ns: int | None, duration_ns: int, begins: bool) -> int:
        """How much later `stamp_ns` is than the end of the chunk before; 0 where that cannot be told."""
        expected_ns = None if begins else self._next_stamp_ns
        if stamp_ns is None:
            self._next_stamp_ns = None if expected_ns is None else expected_ns + duration_ns
            return 0
        gap_ns = 0 if expected_ns is None else stamp_ns - expected_ns
        jitter = expected_ns is not None and -LONGEST_GAP_NS < gap_ns <= STAMP_TOLERANCE_NS
        # Jitter must not add up, so the row of stamps that began the stretch goes on.
        self._next_stamp_ns = (expected_ns if jitter and expected_ns is not None else stamp_ns) + duration_ns
        return gap_ns if abs(gap_ns) < LONGEST_GAP_NS else 0

    def _follow_clock(self, now_ns: int) -> None:
        """Leave out what can no longer be shown in time; go along when the clock itself jumps back."""
        if now_ns < self._last_now_ns - _JUMP_NS:
            self._origin_ns += now_ns - self._last_now_ns
            self._last_arrival_ns = now_ns
        self._last_now_ns = now_ns
        lag = self._index(now_ns) + LOOKAHEAD_SAMPLES - self._position.samples
        tolerated_ms = max(self.config.max_lateness_ms, self.config.gap_ms + AUDIO_LEAD_MS)
        if lag * SAMPLE_NS > tolerated_ms * MS and (self._queue or self._ended(now_ns)):
            self._skip(lag // FRAME_SAMPLES)

    def _skip(self, frames: int) -> None:
        """Drop the next `frames` of the stream: audio and silence alike. The grid of stamps is kept."""
        samples = frames * FRAME_SAMPLES
        head = self._queue.head
        silence = 0 if head is None or head.start is None else max(0, head.start - self._position.samples)
        self.dropped.late_ns += self._queue.drop(max(0, samples - silence) * SAMPLE_NS)
        self._queue.shift(samples)
        self._origin_ns += samples * SAMPLE_NS
        self.dropped.frames += frames

    def _index(self, time_ns: int) -> int:
        return (time_ns - self._origin_ns) // SAMPLE_NS

    def _ended(self, now_ns: int) -> bool:
        """Whether no more audio is expected to follow what has been fed."""
        if not self._open or (self._chunks == 1 and self._last_duration_ns > SENTENCE_NS):
            return True
        gap_ns = self.config.gap_ms * MS
        return now_ns - self._last_arrival_ns >= max(gap_ns, self._last_duration_ns + gap_ns / 2)

    def _due_clock(self, now_ns: int) -> list[Block]:
        shown = self._index(now_ns)
        reach = LOOKAHEAD_SAMPLES + self.holdback
        frame_need = shown // FRAME_SAMPLES * FRAME_SAMPLES + reach
        audio_need = shown + reach + AUDIO_LEAD_SAMPLES
        blocks: list[Block] = []
        while (piece := self._queue.head) is not None:
            if piece.start is not None and piece.start > audio_need:
                return blocks + self._silence(frame_need, now_ns)
            blocks += self._lead_in(piece, now_ns)
            blocks += self._audio(self._position.room(audio_need, piece.chunk.sample_rate_hz), now_ns)
            if self._queue.head is piece:
                return blocks
        if self._ended(now_ns):
            self._open = False
            blocks += self._silence(frame_need, now_ns)
        return blocks

    def _due_asap(self, now_ns: int) -> list[Block]:
        blocks: list[Block] = []
        while (piece := self._queue.head) is not None and len(blocks) < ASAP_BLOCKS:
            blocks += self._lead_in(piece, now_ns)
            blocks += self._audio(piece.chunk.sample_rate_hz, now_ns)
        if not self._queue and self._open and now_ns - self._last_arrival_ns >= self.config.gap_ms * MS:
            self._open = False
            last_frame = (self._position.samples - 1) // FRAME_SAMPLES * FRAME_SAMPLES
            blocks += self._silence(last_frame + LOOKAHEAD_SAMPLES + self.holdback, now_ns)
        return blocks

    def _lead_in(self, piece: Piece, now_ns: int) -> list[Block]:
        """Silence up to the place of `piece`, if it has one ahead of the stream."""
        if piece.start is None:
            return []
        blocks = self._silence(piece.start, now_ns)
        piece.start = None
        return blocks

    def _audio(self, count: int, now_ns: int) -> list[Block]:
        """Up to `count` samples of the oldest piece."""
        piece = self._queue.head
        if piece is None or count == 0:
            return []
        if not self._sounding:
            self._sounding, self.speech_start_ns = True, self.show_ns(self._position.samples)
        rate_hz = piece.chunk.sample_rate_hz
        pcm = self._queue.take(count)
        self._position.advance(len(pcm), rate_hz)
        return [Block(pcm, rate_hz, max(piece.arrival_ns, min(self._tick_ns, now_ns)))]

    def _silence(self, until: int, now_ns: int) -> list[Block]:
        """Silence up to stream index `until`, if the stream is not there yet."""
        rate_hz = self._position.rate_hz
        count = self._position.room(until, rate_hz)
        if count == 0:
            return []
        self._sounding = False
        self._position.advance(count, rate_hz)
        return [Block(np.zeros((count, 1), np.int16), rate_hz, min(self._tick_ns, now_ns))]

"""When audio is fed to the talker and when its frames are shown: the only place where samples meet the ROS clock.

The stream is an endless row of 16 kHz samples. Sample `s` is shown at ``origin_ns + s * 62500``, so frames lie on one
grid of 20 ms for as long as the node is active, whatever arrives. Audio of time `t` (its stamp or its arrival) has its
place at the sample shown at `t + playout_delay`: silence fills the stream up to there, exactly. If the stream is
already past that place, the audio follows without a break. No ROS in here, and no threads: `now_ns` is an argument.
"""

from dataclasses import dataclass

import numpy as np

from dtalker_model.rates import FRAME_SAMPLES, LOOKAHEAD_MS, LOOKAHEAD_SAMPLES, SAMPLE_RATE_HZ
from dtalker_ros.audio.convert import AudioChunk
from dtalker_ros.timing.arrivals import MS, Arrivals, usable_stamp
from dtalker_ros.timing.drift import DriftWatch
from dtalker_ros.timing.stream import SAMPLE_NS, AudioQueue, Block, Piece, StreamPosition

FRAME_NS = FRAME_SAMPLES * SAMPLE_NS
AUDIO_LEAD_MS = 40
"""Audio is fed so long before the clock needs it: frames come that much early, a changed emotion shows that late."""
AUDIO_LEAD_SAMPLES = AUDIO_LEAD_MS * SAMPLE_RATE_HZ // 1000
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
    drift_ns: int = 0
    """Audio dropped because the publisher's clock is fast."""
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
        self._drift = DriftWatch()
        self._sounding = False
        self._arrivals = Arrivals(now_ns)
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
        start = self._place(chunk, now_ns)
        if start is None and not self.config.asap:
            start = self._undrift(now_ns)
        self._queue.append(Piece(chunk, now_ns, start))
        excess_ns = self._queue.duration_ns - round(self.config.max_queue_s * 1e9)
        if excess_ns > 0:
            self.dropped.overflow_ns += self._queue.drop(excess_ns)

    def flush(self) -> float:
        """Drop what waits; returns how much in seconds."""
        self._arrivals.open = False
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
        return self._arrivals.last_ns + round(self.config.gap_ms * MS) if self._arrivals.open else None

    def _place(self, chunk: AudioChunk, now_ns: int) -> int | None:
        """Stream index at which `chunk` begins; None where it follows without a break."""
        asap = self.config.asap
        stamp_ns = usable_stamp(chunk, now_ns, asap)
        shown_ns = (now_ns if stamp_ns is None else stamp_ns) + self._delay_ns()
        if not self._anchored:
            self._origin_ns, self._anchored = shown_ns - self._position.samples * SAMPLE_NS, True
        begins = not self._arrivals.open and not asap
        if begins:
            self._drift = DriftWatch()
        if self._arrivals.note(chunk, stamp_ns, now_ns, begins) or begins:
            return (shown_ns - self._origin_ns + SAMPLE_NS // 2) // SAMPLE_NS
        return None

    def _delay_ns(self) -> int:
        """From a sample's time to its showing; by the clock not below what look-ahead and resampler take."""
        delay_ns = round(self.config.playout_delay_ms * MS)
        return delay_ns if self.config.asap else max(delay_ns, (LOOKAHEAD_SAMPLES + self.holdback) * SAMPLE_NS)

    def _undrift(self, now_ns: int) -> int | None:
        """Take back drift: drop some of what waits, or give the next chunk a place after some silence."""
        ahead_ns = (self._position.samples - self._index(now_ns) - LOOKAHEAD_SAMPLES - self.holdback) * SAMPLE_NS
        correction_ns = self._drift.correction_ns(now_ns, ahead_ns + self._queue.duration_ns)
        if correction_ns > 0:
            self.dropped.drift_ns += self._queue.drop(correction_ns)
        elif correction_ns < 0 and not self._queue:
            return self._position.samples - correction_ns // SAMPLE_NS
        return None

    def _follow_clock(self, now_ns: int) -> None:
        """Leave out what can no longer be shown in time; go along when the clock itself jumps back."""
        if now_ns < self._last_now_ns - _JUMP_NS:
            self._origin_ns += now_ns - self._last_now_ns
            self._arrivals.last_ns = now_ns
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
        return self._arrivals.ended(now_ns, self.config.gap_ms)

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
            self._arrivals.open = False
            blocks += self._silence(frame_need, now_ns)
        return blocks

    def _due_asap(self, now_ns: int) -> list[Block]:
        blocks: list[Block] = []
        while (piece := self._queue.head) is not None and len(blocks) < ASAP_BLOCKS:
            blocks += self._lead_in(piece, now_ns)
            blocks += self._audio(piece.chunk.sample_rate_hz, now_ns)
        if not self._queue and self._arrivals.open and now_ns - self._arrivals.last_ns >= self.config.gap_ms * MS:
            self._arrivals.open = False
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

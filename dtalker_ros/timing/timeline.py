"""When audio is fed to the talker and when its frames are shown: the only place where samples meet the ROS clock.

The stream is an endless row of 16 kHz samples. Sample `s` is shown at ``origin_ns + s * 62500``, so frames lie on one
grid of 20 ms for as long as the node is active, whatever arrives. Audio of time `t` (its stamp or its arrival) has its
place at the sample shown at `t` plus the playout delay: silence fills the stream up to there, exactly. If the stream is
already past that place, the audio follows without a break; `Arrivals` tells when that must be undone. No ROS in here,
and no threads: `now_ns` is an argument.
"""

from dtalker_model.rates import FRAME_SAMPLES, LOOKAHEAD_SAMPLES, SAMPLE_RATE_HZ
from dtalker_ros.audio.convert import AudioChunk
from dtalker_ros.timing.arrivals import Arrivals
from dtalker_ros.timing.doubles import Doubles
from dtalker_ros.timing.feed import Feed
from dtalker_ros.timing.losses import Loss, Losses
from dtalker_ros.timing.pace import MS
from dtalker_ros.timing.rate_watch import RateWatch
from dtalker_ros.timing.recording import Recording
from dtalker_ros.timing.stream import SAMPLE_NS, Block, Piece
from dtalker_ros.timing.timeline_config import TimelineConfig
from dtalker_ros.timing.turns import Turns

FRAME_NS = FRAME_SAMPLES * SAMPLE_NS
AUDIO_LEAD_MS = 40
"""Audio is fed so long before the clock needs it: frames come that much early, a changed emotion shows that late."""
AUDIO_LEAD_SAMPLES = AUDIO_LEAD_MS * SAMPLE_RATE_HZ // 1000
BACK_NS = 100 * MS
"""When the clock goes back by more than this, everything goes along."""
HELD_NS = 100 * MS
"""A timeline that was not asked for so long was held up: what arrived meanwhile is handed over only now."""
HANDOVER_NS = 50 * MS
"""So long that takes."""
LATE_NS = 100 * MS
"""Live audio that waits longer than this was late; less is jitter, or the drift of a clock."""


class Timeline:
    """Takes audio as it comes and hands it out, with silence between, as the clock needs it."""

    def __init__(self, config: TimelineConfig, now_ns: int) -> None:
        self.losses = Losses()
        self.holdback = 0
        """16 kHz samples that the talker's resampler keeps back; the stream is fed that much further."""
        self.rate_watch, self.turns = RateWatch(), Turns()
        self._steps = 0
        self._config = config
        self._feed = Feed(now_ns + LOOKAHEAD_SAMPLES * SAMPLE_NS)
        self._feed.tick_ns = now_ns
        self._arrivals = Arrivals(config, now_ns)
        self._doubles, self._recording = Doubles(), Recording(self._feed, now_ns)
        self._last_now_ns, self._handover_ns = now_ns, now_ns

    @property
    def queued_s(self) -> float:
        """Audio that waits, in seconds."""
        return self._feed.queue.duration_ns / 1e9

    @property
    def fed_samples(self) -> int:
        """16 kHz samples handed out so far."""
        return self._feed.position.samples

    @property
    def speech_start_ns(self) -> int | None:
        """When the first sample of the newest speech is shown; None before the first."""
        return self._feed.speech_start_ns

    @property
    def stretch(self) -> int:
        """Goes up when stamps do not go on from those before: the clock was set, or another recording begins."""
        return self._steps + self._recording.stretch

    @property
    def delay_ms(self) -> float:
        """From a sample's time to its showing, as it is in force."""
        return (self._delay_ns() + self._arrivals.way_ns(self._spare_ns())) / MS

    def show_ns(self, sample: int) -> int:
        """When stream sample `sample` is shown, nanoseconds."""
        return self._feed.show_ns(sample)

    def configure(self, config: TimelineConfig, now_ns: int) -> None:
        """Go on with another `config`. The grid of stamps stays, unless the pacing changes: then it starts anew."""
        if config.asap != self._config.asap:
            self._feed.anchor(now_ns + LOOKAHEAD_SAMPLES * SAMPLE_NS)
            self._recording = Recording(self._feed, now_ns)
        self._config = self._arrivals.config = config

    def add(self, chunk: AudioChunk, now_ns: int) -> None:
        """Queue `chunk`, which arrived at `now_ns`."""
        if self._config.asap:
            self._recording.add(chunk, now_ns, self._delay_ns())
        elif self._doubles.is_double(chunk, now_ns):
            self.losses.note(Loss.DOUBLED, chunk.duration_ns)
        else:
            self.rate_watch.note(now_ns, chunk.duration_ns)
            if self.turns.passes(now_ns, chunk.duration_ns):
                self._add_live(chunk, now_ns)
        excess_ns = self._feed.queue.duration_ns - round(self._config.max_queue_s * 1e9)
        if excess_ns > 0:
            self.losses.note(Loss.OVERFLOW, self._feed.queue.drop(excess_ns)[1])

    def flush(self) -> float:
        """Drop what waits; returns how much in seconds."""
        self._arrivals.open = False
        self._recording.close()
        return self._feed.queue.clear() / 1e9

    def hear_anew(self, now_ns: int) -> None:
        """Another publisher, or another reading of the same one: drop what waits, and forget how it came."""
        self.rate_watch.begin()
        self.losses.note(Loss.MISREAD, self._feed.queue.clear())
        self._arrivals = Arrivals(self._config, now_ns)

    def due(self, now_ns: int) -> list[Block]:
        """What must be pushed into the talker now, in order."""
        if self._config.asap:
            return self._recording.due(now_ns, self._config.gap_ns, self.holdback)
        self._follow_clock(now_ns)
        blocks = self._due_clock(now_ns)
        self._feed.tick_ns = self._next_tick_ns(now_ns)
        return blocks

    def next_wake_ns(self, now_ns: int) -> int | None:
        """When `due` has more to hand out if nothing arrives, nanoseconds; None if never."""
        if not self._config.asap:
            return self._next_tick_ns(now_ns)
        return self._recording.next_wake_ns(now_ns, self._config.gap_ns)

    def shift(self, step_ns: int) -> None:
        """The clock was set by `step_ns`: all goes on from there, and nothing is late or early for it."""
        if self._config.asap:
            return  # a recording has its own time
        self._feed.origin_ns += step_ns
        self._feed.tick_ns += step_ns
        self._arrivals.shift(step_ns)
        self._last_now_ns += step_ns
        self._handover_ns += step_ns
        self._steps += 1
        self.losses.note(Loss.CLOCK, step_ns)

    def _add_live(self, chunk: AudioChunk, now_ns: int) -> None:
        feed, arrivals = self._feed, self._arrivals
        end_ns = feed.show_ns(feed.end) - self._delay_ns()
        place = arrivals.place(chunk, now_ns, end_ns, self._spare_ns())
        self.losses.note(Loss.JUMP, arrivals.stamps.take_jump())
        self.losses.note(Loss.LATE, place.cut_ns, now_ns)
        holes_ns = feed.take_holes()
        self.losses.note(Loss.MISSING, holes_ns if arrivals.live else 0)
        if place.cut_ns >= chunk.duration_ns:
            return
        cut = place.cut_ns * chunk.sample_rate_hz // 1_000_000_000
        feed.queue.append(Piece(chunk, now_ns, place.lead_ns // SAMPLE_NS, cut))
        if place.drop_ns:
            gone_ns, audio_ns = feed.queue.drop(place.drop_ns)
            arrivals.dropped(gone_ns)
            self.losses.note(Loss.LATE if place.drop_ns > LATE_NS else Loss.DRIFT, audio_ns, now_ns)

    def _delay_ns(self) -> int:
        """From a sample's time to its showing; by the clock not below what look-ahead and resampler take."""
        delay_ns = round(self._config.playout_delay_ms * MS)
        return delay_ns if self._config.asap else max(delay_ns, (LOOKAHEAD_SAMPLES + self.holdback) * SAMPLE_NS)

    def _spare_ns(self) -> int:
        return self._delay_ns() - (LOOKAHEAD_SAMPLES + self.holdback) * SAMPLE_NS

    @property
    def _reach(self) -> int:
        """Samples that must be fed beyond the one that is shown."""
        resampled = self._feed.position.rate_hz != SAMPLE_RATE_HZ
        return LOOKAHEAD_SAMPLES + (self.holdback if resampled else 0)

    def _follow_clock(self, now_ns: int) -> None:
        """Leave out what can no longer be shown in time; go along when the clock itself jumps back."""
        if now_ns < self._last_now_ns - BACK_NS:
            self.shift(now_ns - self._last_now_ns)
        elif now_ns > self._last_now_ns + HELD_NS:
            self._handover_ns = now_ns + HANDOVER_NS
        self._last_now_ns = now_ns
        lag = self._feed.index(now_ns) + LOOKAHEAD_SAMPLES - self._feed.position.samples
        tolerated_ns = max(self._config.max_lateness_ns, self._arrivals.wait_ns + AUDIO_LEAD_MS * MS)
        if lag * SAMPLE_NS > tolerated_ns and (self._feed.queue or self._ended(now_ns)):
            frames = lag // FRAME_SAMPLES
            self.losses.note(Loss.FRAMES, frames)
            self.losses.note(Loss.LATE, self._feed.skip(frames * FRAME_SAMPLES), now_ns)

    def _ended(self, now_ns: int) -> bool:
        """Whether silence follows what is at hand."""
        if not self._arrivals.open or now_ns < self._handover_ns:
            return not self._arrivals.open
        return self._arrivals.ended(now_ns, now_ns - self._used_up_ns())

    def _used_up_ns(self) -> int:
        """When more than what was fed is needed."""
        return self._feed.show_ns(self._feed.position.samples - self._reach)

    def _next_tick_ns(self, now_ns: int) -> int:
        """When the next frame is due, or, before that, when an awaited chunk is given up."""
        tick_ns = self._feed.show_ns((self._feed.index(now_ns) // FRAME_SAMPLES + 1) * FRAME_SAMPLES)
        given_up_ns = self._used_up_ns() + self._arrivals.wait_ns
        waiting = self._arrivals.open and not self._feed.queue and given_up_ns > now_ns
        return min(tick_ns, given_up_ns) if waiting else tick_ns

    def _due_clock(self, now_ns: int) -> list[Block]:
        feed = self._feed
        shown = feed.index(now_ns)
        frame_need = shown // FRAME_SAMPLES * FRAME_SAMPLES + self._reach
        audio_need = shown + self._reach + AUDIO_LEAD_SAMPLES
        blocks: list[Block] = []
        while (piece := feed.queue.head) is not None:
            distant = feed.position.samples + piece.lead > audio_need
            blocks += feed.lead_in(frame_need if distant else audio_need, now_ns)
            blocks += [] if distant else feed.audio(audio_need, now_ns)
            if feed.queue.head is piece:
                return blocks
        if self._ended(now_ns):
            self._arrivals.open = False
            blocks += feed.silence(frame_need, now_ns)
        return blocks

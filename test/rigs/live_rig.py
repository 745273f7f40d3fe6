"""A microphone that is always open, what can happen to its chunks on the way, and how far the face is from its sound.

Every sample's value is its number, so that each frame tells which moment of the sound it shows.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

import numpy as np
from timeline_rig import START_NS, Rig

from dtalker_ros.audio.convert import AudioChunk
from dtalker_ros.publish_rate import Shown
from dtalker_ros.timing.pace import MS
from dtalker_ros.timing.timeline_config import TimelineConfig
from dtalker_ros.worker import Complaints

SAMPLE_NS = 62_500
WAY_NS = 5 * MS
"""From the sound to its arrival."""
BEGIN_NS = START_NS + 500 * MS
"""When the microphone opens."""


@dataclass(frozen=True)
class Sent:
    """One chunk on its way."""

    first: int
    """Number of its first sample."""
    samples: int
    arrival_ns: int
    stamp_ns: int | None


Fate = Callable[[list[Sent]], Iterable[Sent]]
"""What happens to the chunks on the way."""


def microphone(seconds: float, chunk: int = 320, stamped: bool = False, clock: float = 1.0) -> list[Sent]:
    """The chunks of a microphone whose clock is `clock` times as fast as ours."""
    sent = []
    for first in range(0, round(seconds * 16_000), chunk):
        sounds_ns = sound_ns(first, clock)
        sent.append(Sent(first, chunk, sounds_ns + WAY_NS, sounds_ns if stamped else None))
    return sent


def sound_ns(sample: int, clock: float = 1.0) -> int:
    """When `sample` sounds."""
    return BEGIN_NS + round(sample * SAMPLE_NS / clock)


def stall(at_s: float, stall_s: float, kept: int | None = None) -> Fate:
    """Nothing arrives for `stall_s`, then all at once, or the newest `kept` chunks of it."""
    begin_ns, end_ns = BEGIN_NS + round(at_s * 1e9), BEGIN_NS + round((at_s + stall_s) * 1e9)

    def fate(sent: list[Sent]) -> Iterable[Sent]:
        held = [c for c in sent if begin_ns <= c.arrival_ns < end_ns]
        gone = set() if kept is None else {c.first for c in held[: len(held) - kept]}
        for chunk in sent:
            if chunk.first not in gone:
                yield replace(chunk, arrival_ns=end_ns) if begin_ns <= chunk.arrival_ns < end_ns else chunk

    return fate


def restamp(at_s: float, step_s: float, chunks: int | None = None) -> Fate:
    """From `at_s` on stamps are off by `step_s`; of `chunks` alone where given."""
    begin_ns = BEGIN_NS + round(at_s * 1e9)

    def fate(sent: list[Sent]) -> Iterable[Sent]:
        wrong = [c.first for c in sent if c.arrival_ns >= begin_ns][:chunks]
        for chunk in sent:
            off = chunk.first in set(wrong) and chunk.stamp_ns is not None
            yield replace(chunk, stamp_ns=(chunk.stamp_ns or 0) + round(step_s * 1e9)) if off else chunk

    return fate


def lose(share: float, seed: int = 0) -> Fate:
    """Each chunk is lost with this probability."""

    def fate(sent: list[Sent]) -> Iterable[Sent]:
        rng = np.random.default_rng(seed)
        return [chunk for chunk in sent if rng.random() >= share]

    return fate


def lose_from(at_s: float, lost_s: float) -> Fate:
    """What arrives for `lost_s` is lost."""
    begin_ns, end_ns = BEGIN_NS + round(at_s * 1e9), BEGIN_NS + round((at_s + lost_s) * 1e9)
    return lambda sent: [chunk for chunk in sent if not begin_ns <= chunk.arrival_ns < end_ns]


def double(share: float, seed: int = 0) -> Fate:
    """Each chunk comes twice with this probability."""

    def fate(sent: list[Sent]) -> Iterable[Sent]:
        rng = np.random.default_rng(seed)
        return [chunk for chunk in sent for _ in range(1 + (rng.random() < share))]

    return fate


def jitter(most_ms: float, seed: int = 0) -> Fate:
    """Each chunk is late by up to `most_ms`; none overtakes another."""

    def fate(sent: list[Sent]) -> Iterable[Sent]:
        rng = np.random.default_rng(seed)
        newest_ns = 0
        for chunk in sent:
            newest_ns = max(newest_ns, chunk.arrival_ns + round(rng.uniform(0, most_ms) * MS))
            yield replace(chunk, arrival_ns=newest_ns)

    return fate


def hiccups(every_s: float, held_s: float) -> Fate:
    """Every `every_s` nothing arrives for `held_s`, then all of it at once."""

    def fate(sent: list[Sent]) -> Iterable[Sent]:
        for chunk in sent:
            since_ns = (chunk.arrival_ns - BEGIN_NS) % round(every_s * 1e9)
            held_ns = round(held_s * 1e9)
            yield replace(chunk, arrival_ns=chunk.arrival_ns + max(0, held_ns - since_ns))

    return fate


@dataclass(frozen=True)
class Off:
    """The frame that was published at `time_s` shows the sound `ms` late (early where negative)."""

    time_s: float
    ms: float


class Live:
    """Plays chunks into an engine and measures."""

    def __init__(self, config: TimelineConfig | None = None) -> None:
        self.rig = Rig(config)
        self.lines: list[str] = []
        self.clock, self.way_ns = 1.0, WAY_NS
        self._complain = Complaints()

    def play(self, sent: list[Sent], *fates: Fate, tail_ms: int = 200) -> None:
        """Let the chunks arrive, in the order of arrival, then run for `tail_ms`."""
        for fate in fates:
            sent = list(fate(sent))
        for chunk in sorted(sent, key=lambda c: c.arrival_ns):
            self.run_to(chunk.arrival_ns)
            self.hear(chunk)
        self.run_to(self.rig.now_ns + tail_ms * MS)

    def hear(self, chunk: Sent) -> None:
        """`chunk` arrives now, and the worker looks."""
        self.take(chunk)
        self.step()

    def take(self, chunk: Sent) -> None:
        """`chunk` arrives now."""
        pcm = np.arange(chunk.first + 1, chunk.first + chunk.samples + 1, dtype=np.float32)[:, None]
        self.rig.engine.add(AudioChunk(pcm, 16_000, chunk.stamp_ns), self.rig.now_ns)

    def run_to(self, time_ns: int) -> None:
        """Advance the clock, stepping at every wake-up on the way."""
        while (wake_ns := self.rig.engine.next_wake_ns(self.rig.now_ns)) is not None and wake_ns <= time_ns:
            self.rig.now_ns = max(self.rig.now_ns, wake_ns)
            self.step()
        self.rig.now_ns = max(self.rig.now_ns, time_ns)

    def step(self) -> None:
        """What the worker does."""
        self.rig.step()
        for text in self.rig.engine.take_losses(self.rig.now_ns):
            self._complain(self.lines.append, text, self.rig.now_ns)

    def off(self, begin_s: float, end_s: float) -> list[Off]:
        """For the speaking frames published in this time: how late they show their sound, beyond the delay in force."""
        delay_ns = round(self.rig.engine.timeline.delay_ms * MS)
        result = []
        for when_ns, row in self.rows(begin_s, end_s):
            if row.weights[0] > 0:
                due_ns = sound_ns(round(float(row.weights[0])) - 1, self.clock) + self.way_ns + delay_ns
                result.append(Off((when_ns - BEGIN_NS) / 1e9, (row.stamp_ns - due_ns) / MS))
        return result

    def rows(self, begin_s: float, end_s: float) -> list[tuple[int, Shown]]:
        """What was published in this time, and when."""
        first_ns, last_ns = (BEGIN_NS + round(time_s * 1e9) for time_s in (begin_s, end_s))
        return [(when_ns, row) for when_ns, row in self.rig.rows if first_ns <= when_ns < last_ns]

    def worst_ms(self, begin_s: float, end_s: float) -> float:
        """Largest distance of face and sound in this time, either way; at least half of the frames must speak."""
        off = self.off(begin_s, end_s)
        assert len(off) > 0.5 * 50 * (end_s - begin_s), f"{len(off)} frames speak"
        return max(abs(o.ms) for o in off)

    def pauses_ms(self, begin_s: float, end_s: float) -> np.ndarray:
        """Between frames as they were published."""
        return np.diff([when_ns for when_ns, _ in self.rows(begin_s, end_s)]) / MS

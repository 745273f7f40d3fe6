"""The talker, its timeline and its publish rate as one thing that a single worker steps. No ROS, no threads of its own.

`lock` guards all of it: the worker holds it while it steps, a callback while it changes a setting.
"""

import threading
import time
import traceback
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from dtalker_model.errors import DtalkerError
from dtalker_model.hearing.audio import Resampler
from dtalker_model.rates import FRAME_MS, FRAME_RATE_HZ, FRAME_SAMPLES, LOOKAHEAD_SAMPLES, SAMPLE_RATE_HZ
from dtalker_ros.audio.convert import AudioChunk
from dtalker_ros.publish_rate import PublishRate, Shown
from dtalker_ros.release import Release
from dtalker_ros.timing.speaking import SpeakingTimes
from dtalker_ros.timing.stream import Block
from dtalker_ros.timing.timeline import AUDIO_LEAD_MS, Timeline
from dtalker_ros.timing.timeline_config import TimelineConfig

HUSH_MS = 100 - AUDIO_LEAD_MS
"""The mouth rests within 100 ms of a flush: frames already sent reach AUDIO_LEAD_MS ahead; one row is rounding."""

REST_FRAMES = HUSH_MS // FRAME_MS
"""So many frames of silence after a hush end with a mouth at rest."""

MAX_HOLDBACK = SAMPLE_RATE_HZ // 10
"""The resampler keeps back less than this, 16 kHz samples."""

LATENCY_WINDOW = 1500
"""Frames over which the latency percentiles are taken: 30 s."""


class TalkerLike(Protocol):
    """What the engine uses of `dtalker_model.Talker`."""

    @property
    def samples(self) -> int: ...
    @property
    def settings(self) -> Any: ...
    @property
    def card(self) -> Any: ...
    @property
    def belief(self) -> Any: ...
    @property
    def faults(self) -> tuple[str, ...]: ...
    def push(self, pcm: NDArray[np.generic], sample_rate_hz: int) -> list[Any]: ...
    def reset(self) -> None: ...
    def set(self, **changes: Any) -> None: ...
    def hush(self, ease_ms: float = 100.0) -> None: ...
    def look_at(self, point_m: tuple[float, float, float] | None) -> None: ...


@dataclass
class Statistics:
    """Counters since activation."""

    frames: int = 0
    compute_s: float = 0.0
    audio_s: float = 0.0
    latency_ms: "deque[float]" = field(default_factory=lambda: deque(maxlen=LATENCY_WINDOW))

    def percentiles(self) -> tuple[float, float, float]:
        """Latency p50, p95, p99 in ms: from audio being there and due to its frame being ready; nan without frames."""
        if not self.latency_ms:
            return (float("nan"),) * 3
        p50, p95, p99 = np.percentile(list(self.latency_ms), (50, 95, 99))
        return float(p50), float(p95), float(p99)


class TimedTalker:
    """Audio chunks in at any time, rows to publish out when they are due."""

    def __init__(self, talker: TalkerLike, config: TimelineConfig, rate_hz: float, now_ns: int) -> None:
        self.lock = threading.RLock()
        self.hearing_faults: tuple[str, ...] = ()
        """What is wrong now with how the audio comes, in sentences that say what to do; set by whoever reads it."""
        self.evenly = True
        """Whether rows that are ready before others wait, so that all leave one by one; simulated time has no need."""
        self.talker = talker
        self._config, self._rate_hz = config, rate_hz
        self._start(now_ns)

    def _start(self, now_ns: int) -> None:
        self.statistics = Statistics()
        self.talker.reset()
        self.timeline = Timeline(self._config, now_ns)
        self._rate, self._release = PublishRate(self._rate_hz), Release()
        self._speaking = SpeakingTimes()
        self._stretch = 0
        self._refusals: list[str] = []

    @property
    def gap_ns(self) -> int:
        """So long input may stall before it has ended, as the user says; 0: as its jitter tells."""
        return self._config.gap_ns

    @property
    def faults(self) -> tuple[str, ...]:
        """What is wrong now with the sound or the model, in sentences that say what to do."""
        with self.lock:
            return (*self.talker.faults, *self.hearing_faults)

    def reset(self, now_ns: int) -> None:
        """Fresh state: nothing queued, sequence 0, counters 0; settings stay."""
        with self.lock:
            self._start(now_ns)

    def configure(self, config: TimelineConfig, rate_hz: float, now_ns: int) -> None:
        """Go on with another layout in time."""
        with self.lock:
            self._config, self._rate_hz = config, rate_hz
            self.timeline.configure(config, now_ns)
            self._rate.set_rate(rate_hz)

    def set(self, changes: Mapping[str, Any]) -> None:
        """Change settings of the talker; raises `SettingError`."""
        with self.lock:
            self.talker.set(**changes)

    def look_at(self, point_m: tuple[float, float, float]) -> None:
        """Look at a point, in m and the axes of the head at rest; raises `SettingError`."""
        with self.lock:
            self.talker.look_at(point_m)

    def flush(self) -> float:
        """Barge-in: drop what waits and bring the mouth to rest within 100 ms; returns the seconds dropped."""
        with self.lock:
            dropped_s = self.timeline.flush()
            self.talker.hush(max(HUSH_MS - max(FRAME_MS, 1000 / self._rate_hz), FRAME_MS))
            return dropped_s

    def rest(self) -> list[Shown]:
        """The end: drop what waits; the rows, right after those so far, in which the mouth eases to rest."""
        with self.lock:
            self.flush()
            if self.statistics.frames == 0:
                return []
            silence = Block(np.zeros((FRAME_SAMPLES, 1), np.int16), SAMPLE_RATE_HZ, 0)
            rows = self._release.leave_all()
            for count in range(1, REST_FRAMES + FRAME_RATE_HZ):
                fresh = list(self._push(silence))
                rows += fresh
                if fresh and count >= REST_FRAMES:  # at lower rates not every frame is a row
                    break
            return rows

    def add(self, chunk: AudioChunk, now_ns: int) -> None:
        """Queue `chunk`, which arrived at `now_ns`."""
        with self.lock:
            self.timeline.holdback = max(self.timeline.holdback, holdback_samples(chunk.sample_rate_hz))
            self.timeline.add(chunk, now_ns)

    def step(self, now_ns: int) -> list[Shown]:
        """Compute what is due; returns the rows to publish."""
        with self.lock:
            blocks = self.timeline.due(now_ns)
            held = self._begin_stretch() if self.timeline.stretch != self._stretch else []
            self._release.add([row for block in blocks for row in self._push(block)], now_ns)
            self._speaking.at(now_ns)
            if self._config.asap:
                self._speaking.hurry()
            at_once = self._config.asap or not self.evenly
            return held + (self._release.leave_all() if at_once else self._release.leave(now_ns))

    def speaking(self, now_ns: int) -> bool:
        """Whether the face that is shown at `now_ns` speaks; `now_ns` only goes forward."""
        with self.lock:
            return self._speaking.at(now_ns)

    def clock_set(self, step_ns: int) -> None:
        """The clock was set by `step_ns`: everything goes on from there."""
        with self.lock:
            self.timeline.shift(step_ns)

    def take_losses(self, now_ns: int) -> list[str]:
        """Sentences on what was lost since the last call."""
        with self.lock:
            return self.timeline.losses.take(now_ns)

    def take_refusals(self) -> list[str]:
        """Why the talker refused audio since the last call; silence took its place."""
        with self.lock:
            refusals, self._refusals = self._refusals, []
            return refusals

    def next_wake_ns(self, now_ns: int) -> int | None:
        """When `step` has more to do if nothing arrives; None if never."""
        with self.lock:
            wakes = (self.timeline.next_wake_ns(now_ns), self._release.next_ns(), self._speaking.next_ns())
            return min((wake_ns for wake_ns in wakes if wake_ns is not None), default=None)

    def _begin_stretch(self) -> list[Shown]:
        """Stamps do not go on from those before; returns the rows that still have the old ones."""
        self._stretch = self.timeline.stretch
        self._rate.begin()
        self._speaking.hurry()
        return self._release.leave_all()

    def _push(self, block: Block) -> list[Shown]:
        """The rows that `block` completes. The talker's own count of samples says which frames they show."""
        began = time.perf_counter()
        frames = self._frames(block)
        self.statistics.compute_s += time.perf_counter() - began
        self.statistics.audio_s += len(block.pcm) / block.sample_rate_hz
        if block.sample_rate_hz != SAMPLE_RATE_HZ:
            # The resampler works in blocks of its own: what it keeps back depends on how it is fed.
            kept_back = self.timeline.fed_samples - self.talker.samples
            self.timeline.holdback = max(self.timeline.holdback, min(kept_back, MAX_HOLDBACK))
        self.statistics.frames += len(frames)
        first = (self.talker.samples - LOOKAHEAD_SAMPLES) // FRAME_SAMPLES + 1 - len(frames)
        rows: list[Shown] = []
        for number, frame in enumerate(frames, first):
            shown_ns = self.timeline.show_ns(number * FRAME_SAMPLES)
            self._speaking.note(shown_ns, frame.speaking)
            rows += self._rate.push(shown_ns, frame.weights, block.ready_ns, frame.head)
        return rows

    def _frames(self, block: Block) -> list[Any]:
        """The frames that `block` completes; silence takes the place of what the talker refuses."""
        before = self.talker.samples
        try:
            return self.talker.push(block.pcm, block.sample_rate_hz)
        except Exception as error:
            self._refusals.append(str(error) if isinstance(error, DtalkerError) else traceback.format_exc())
            if self.talker.samples != before:  # it was heard; what went wrong came after
                return []
            return self.talker.push(np.zeros((len(block.pcm), 1), np.int16), block.sample_rate_hz)


@lru_cache
def holdback_samples(rate_hz: int) -> int:
    """16 kHz samples that the core's resampler keeps back at most, for audio at `rate_hz` in chunks of 20 ms."""
    if rate_hz == SAMPLE_RATE_HZ:
        return 0
    resampler, silence = Resampler(), np.zeros(rate_hz // FRAME_RATE_HZ, np.float32)
    received = np.cumsum([len(resampler.push(silence, rate_hz)) for _ in range(FRAME_RATE_HZ)])
    fed = np.arange(1, FRAME_RATE_HZ + 1) * len(silence) * SAMPLE_RATE_HZ // rate_hz
    return int(np.max(fed - received))

"""A simulated sound card whose crystal is off, and sound that tells which moment of it is heard."""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from dtalker_ros.playback.player import Player

START_NS = 1_700_000_000_123_456_789
AHEAD_NS = 120_000_000
"""The timeline hands out audio so long before it is heard."""
LATENCY_NS = 30_000_000
"""From a callback to when its samples sound."""
TURN_S = 2.0
"""The sound that tells its time turns once in so long."""


def tone(hz: float, amplitude: float = 0.5) -> Callable[[np.ndarray], np.ndarray]:
    """A sine of `hz`: seconds (n,) to samples (n, 1)."""
    return lambda t: (amplitude * np.sin(2 * np.pi * hz * t))[:, None]


def dial(t: np.ndarray) -> np.ndarray:
    """Two channels that tell when they are heard, by their angle: seconds (n,) to samples (n, 2)."""
    angle = 2 * np.pi * t / TURN_S
    return 0.5 * np.stack([np.cos(angle), np.sin(angle)], axis=1)


def off_s(sound: np.ndarray, t: np.ndarray) -> np.ndarray:
    """How late each sample (n, 2) of `dial` is that is heard at `t` (n,) seconds."""
    expected = 2 * np.pi * t / TURN_S
    return np.angle(np.exp(1j * (expected - np.angle(sound[:, 0] + 1j * sound[:, 1])))) * TURN_S / (2 * np.pi)


@dataclass
class Card:
    """Calls `player.render` as a card does that is `ppm` too fast, and feeds it with `source` in blocks of 20 ms."""

    player: Player
    source: Callable[[np.ndarray], np.ndarray]
    source_hz: int
    ppm: float
    frames: int = 480
    jitter_s: float = 0.001
    """The card's own times are off by so much either way."""
    fed_until_s: Callable[[float], float] = lambda now_s: now_s
    """Up to when the feeder has worked, at a time: it may stall."""
    breaks: frozenset[int] = frozenset()
    """Blocks that do not go on from those before."""
    _blocks: int = 0
    _samples: int = 0
    sound: list[np.ndarray] = field(default_factory=list)
    times: list[float] = field(default_factory=list)
    """When the first sample of each of `sound` was heard, seconds since `START_NS`."""

    def __post_init__(self) -> None:
        self._rng = np.random.default_rng(0)

    @property
    def rate_hz(self) -> float:
        return self.player.rate_hz * (1 + self.ppm * 1e-6)

    def run(self, seconds: float) -> "Card":
        """Let it play for `seconds` of our time."""
        end = self._samples + round(seconds * self.rate_hz)
        while self._samples < end:
            now_s = self._samples / self.rate_hz
            self._feed(self.fed_until_s(now_s))
            sounds_s = now_s + LATENCY_NS / 1e9
            told_s = sounds_s + self._rng.uniform(-1, 1) * self.jitter_s
            self.sound.append(self.player.render(self.frames, START_NS + round(told_s * 1e9)))
            self.times.append(sounds_s)
            self._samples += self.frames
        return self

    def _feed(self, now_s: float) -> None:
        step = self.source_hz // 50
        while self._blocks * 0.02 <= now_s + AHEAD_NS / 1e9:
            t = (self._blocks * step + np.arange(step)) / self.source_hz
            heard_ns = START_NS + self._blocks * 20_000_000
            broken = self._blocks in self.breaks
            self.player.put(self.source(t).astype(np.float32), self.source_hz, heard_ns, broken)
            self._blocks += 1

    def heard(self, begin_s: float) -> tuple[np.ndarray, np.ndarray]:
        """Samples (n, channels) from `begin_s` on, and when each was heard."""
        sound = np.concatenate(self.sound)
        times = (np.array(self.times)[:, None] + np.arange(self.frames) / self.rate_hz).ravel()
        return sound[times >= begin_s], times[times >= begin_s]

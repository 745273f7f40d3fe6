"""A stand-in for `dtalker_model.Talker` in the tests of timing: its frames show which samples they came from."""

from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import numpy as np

FRAME, REACH = 320, 1280


@dataclass
class FakeTalker:
    """Takes 16 kHz audio; `weights[0]` of a frame is its first sample, `weights[1]` the value of setting `gain`; it
    speaks where that sample is not 0."""

    settings: Any = field(default_factory=lambda: SimpleNamespace(gain=1.0))
    card: Any = None
    belief: Any = None
    faults: tuple[str, ...] = ()
    hushes: list[float] = field(default_factory=list)
    _chunks: list[np.ndarray] = field(default_factory=list)
    _recent: np.ndarray = field(default_factory=lambda: np.zeros(0, np.float32))
    _sent: int = 0
    _samples: int = 0

    @property
    def heard(self) -> np.ndarray:
        """Everything pushed so far."""
        return np.concatenate([np.zeros(0, np.float32), *self._chunks])

    @property
    def samples(self) -> int:
        return self._samples

    def push(self, pcm: np.ndarray, sample_rate_hz: int) -> list[Any]:
        assert sample_rate_hz == 16_000
        assert len(pcm) > 0
        self._chunks.append(pcm.astype(np.float32).mean(axis=1))
        self._samples += len(pcm)
        self._recent = np.concatenate([self._recent, self._chunks[-1]])
        frames = []
        while len(self._recent) >= REACH:
            weights = np.zeros(52, np.float32)
            weights[:2] = self._recent[0], self.settings.gain
            said = {"weights": weights, "speaking": float(self._recent[0] != 0), "head": np.zeros(5, np.float32)}
            frames.append(SimpleNamespace(start_sample=FRAME * self._sent, **said))
            self._recent = self._recent[FRAME:]
            self._sent += 1
        return frames

    def reset(self) -> None:
        self._chunks, self._recent, self._sent, self._samples = [], np.zeros(0, np.float32), 0, 0

    def set(self, **changes: Any) -> None:
        self.settings = SimpleNamespace(**{**vars(self.settings), **changes})

    def look_at(self, point_m: tuple[float, float, float] | None) -> None:
        """Not shown by its frames."""

    def hush(self, ease_ms: float = 100.0) -> None:
        self.hushes.append(ease_ms)

"""Where one sampler takes over from another, the face goes on from where it was."""

from __future__ import annotations

import numpy as np

EASE_FRAMES = 5
"""A tenth of a second: too short to be seen as late, long enough not to be seen as a jump."""

_SHARES = np.linspace(1, 0, EASE_FRAMES + 2, dtype=np.float32)[1:-1, None]


class Switch:
    """Lets the difference between the old sampler's last frame and the new one's first fade over `EASE_FRAMES`."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Forget the stream."""
        self._steps = 0
        self._last: np.ndarray | None = None
        self._fading = np.zeros((0, 52), np.float32)

    def apply(self, weights: np.ndarray, steps: int) -> np.ndarray:
        """The next frames (T, 52), T at least 1, of a sampler of `steps` steps; the same however they are cut."""
        if self._last is not None and steps != self._steps:
            self._fading = _SHARES * (self._last - weights[0])
        faded = min(len(self._fading), len(weights))
        if faded:
            weights = np.concatenate([weights[:faded] + self._fading[:faded], weights[faded:]])
            self._fading = self._fading[faded:]
        self._steps, self._last = steps, weights[-1]
        return weights

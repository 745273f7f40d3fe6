"""A model that returns NaN makes no face: the last one is held until it returns numbers again."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

HELD = "the model returns NaN: the face holds still; if it stays so, install the model again"


class HeldFace:
    """Replaces rows that are not finite by the row before them; before the first row the face is at rest."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Start a new stream."""
        self.held = False
        """Whether the last call replaced a row."""
        self._last: npt.NDArray[np.float32] | None = None

    def apply(self, weights: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """`weights` (T, 52), T at least 1, without NaN and infinity; the same array where there is none."""
        finite = np.isfinite(weights)
        self.held = not finite.all()
        if self.held:
            weights = self._filled(weights, np.logical_and.reduce(finite, axis=1))
        self._last = weights[-1]
        return weights

    def _filled(self, weights: npt.NDArray[np.float32], good: npt.NDArray[np.bool_]) -> npt.NDArray[np.float32]:
        before = np.zeros_like(weights[:1]) if self._last is None else self._last[None]
        newest = np.maximum.accumulate(np.where(good, np.arange(1, len(weights) + 1), 0))
        return np.concatenate([before, weights])[newest]

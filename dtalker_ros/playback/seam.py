"""Two ends of sound that do not belong together, joined without a click."""

import numpy as np
from numpy.typing import NDArray

SEAM_S = 0.005
"""The step between them fades over so long."""


class Seam:
    """Adds to what follows the step that it makes, and lets that fade."""

    def __init__(self, rate_hz: int, channels: int) -> None:
        count = max(2, round(SEAM_S * rate_hz))
        self._fade = (0.5 + 0.5 * np.cos(np.pi * np.arange(count) / count)).astype(np.float32)[:, None]
        self._done = count
        self._step = np.zeros((1, channels), np.float32)
        self.last = np.zeros((1, channels), np.float32)
        """The sample that was heard last."""

    def join(self, sound: NDArray[np.float32], broken: bool) -> NDArray[np.float32]:
        """`sound` (n, channels) as it is to be heard; `broken`: it does not go on from what came before."""
        if len(sound) == 0:
            return sound
        if broken:
            self._step, self._done = self.last - sound[:1], 0
        fade = self._fade[self._done : self._done + len(sound)]
        if len(fade):
            sound = sound.copy()
            sound[: len(fade)] += self._step * fade
            self._done += len(fade)
        self.last = sound[-1:].copy()
        return sound

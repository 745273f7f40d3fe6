"""The head's own movement: noise with the spectrum of recorded heads, livelier while somebody speaks, and nods.

    turn[t] = a[t] sum_k noise[k] w[t - k] + sum_i e_i[t],    e_i[t] = e_i[t - 1] + f_i (response[i] h[t] - e_i[t - 1])

w is white; a how much the head moves, 1 in speech and `HeadModel.calm` in silence, with a slow change between them; h
the loudness and the speech gate, whose low-passes e_i with the time constants of `NOD_S` tilt the head. Noise is an
argument: `draw` gives the next. Frames are made one by one, in plain floats: that costs less than arrays of one row.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from dtalker_model.gesture.head_model import NOD_S, TURNS, HeadModel
from dtalker_model.output.pose import Array
from dtalker_model.output.wander import follow

QUIET_DB, LOUD_DB = -60.0, -20.0
"""Levels that count as loudness 0 and 1."""
LIVELY_TIME_CONSTANT_MS = 400.0
"""How slowly the head becomes livelier, or calm."""
AHEAD_FRAMES = 50
"""Noise is coloured so many frames at a time: a second, because one frame costs nearly as much."""

Draw = Callable[[int], Array]
"""White noise (n, 3) float32, the next n rows of a stream."""
Turn = tuple[float, float, float]
"""Yaw, pitch, roll in rad."""

NOD_FOLLOW = QUICK_FOLLOW, SLOW_FOLLOW = follow(1000 * NOD_S[0]), follow(1000 * NOD_S[1])
LIVELY_FOLLOW = follow(LIVELY_TIME_CONSTANT_MS)


def loudness(level_db: float, speaking: float) -> float:
    """Loudness of a level in dB of full scale: 0 at `QUIET_DB` and where nobody speaks, 1 at `LOUD_DB`."""
    return (level_db - QUIET_DB) / (LOUD_DB - QUIET_DB) * speaking


class Sway:
    """The filters of a head and what they remember."""

    def __init__(self, model: HeadModel) -> None:
        self._taps, self._calm = len(model.noise), model.calm
        self._size = 1 << (self._taps + AHEAD_FRAMES - 2).bit_length()
        self._filters = np.fft.rfft(model.noise.astype(np.float64), self._size, axis=0)
        self._response = model.response.tolist()
        self.reset()

    def reset(self) -> None:
        """A head at rest that heard nothing yet."""
        self._white = np.zeros((self._taps - 1, TURNS), np.float32)
        self._ready: list[list[float]] = []
        self._quick = self._slow = self._lively = 0.0

    def step(self, draw: Draw, level_db: float, speaking: float, idle: bool) -> Turn:
        """The turn of the next frame, which hears `level_db` (dB of full scale) and the speech gate `speaking`.

        `draw` is called for noise ahead; `idle` False: no movement while nobody speaks.
        """
        if not self._ready:
            self._colour(draw)
        yaw, pitch, roll = self._ready.pop()
        self._lively += LIVELY_FOLLOW * (speaking - self._lively)
        alive = (self._calm if idle else 0.0) + (1 - self._calm) * self._lively
        loud = loudness(level_db, speaking)
        (quick_loud, quick_speech), (slow_loud, slow_speech) = self._response
        self._quick += QUICK_FOLLOW * (quick_loud * loud + quick_speech * speaking - self._quick)
        self._slow += SLOW_FOLLOW * (slow_loud * loud + slow_speech * speaking - self._slow)
        return yaw * alive, pitch * alive + self._quick + self._slow, roll * alive

    def _colour(self, draw: Draw) -> None:
        """Make the next `AHEAD_FRAMES` rows of coloured noise, the first one last."""
        white = np.concatenate([self._white, draw(AHEAD_FRAMES)])
        self._white = white[AHEAD_FRAMES:]
        lines = np.fft.rfft(white.astype(np.float64), self._size, axis=0)[:, None] @ self._filters
        coloured = np.fft.irfft(lines[:, 0], self._size, axis=0)
        self._ready = coloured[len(white) - AHEAD_FRAMES : len(white)][::-1].tolist()

"""The head's own movement: noise with the spectrum of recorded heads, livelier while somebody speaks, and nods.

    turn[t] = a[t] sum_k noise[k] w[t - k]  +  sum_l response[l] h[t - l]

w is white; a how much the head moves, 1 in speech and `HeadModel.calm` in silence, with a slow change between them; h
the loudness and the speech gate. What the filters still need is the state. Noise is an argument: `draw` gives the next.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from dtalker_model.gesture.head_model import HEARD, TURNS, HeadModel
from dtalker_model.output.pose import Array
from dtalker_model.rates import FRAME_RATE_HZ

QUIET_DB, LOUD_DB = -60.0, -20.0
"""Levels that count as loudness 0 and 1."""
LIVELY_TIME_CONSTANT_S = 0.4
"""How slowly the head becomes livelier, or calm."""
AHEAD_FRAMES = 25
"""Noise is coloured so many frames at a time: half a second, because one frame costs as much."""

Draw = Callable[[int], Array]
"""White noise (n, 3) float32, the next n rows of a stream."""

_SLOPE = np.float32(1 / (LOUD_DB - QUIET_DB))
_OFFSET = np.float32(-QUIET_DB / (LOUD_DB - QUIET_DB))


def loudness(level_db: Array, speaking: Array) -> Array:
    """Loudness (T,) from 0 on of levels (T,) in dB of full scale, 1 at `LOUD_DB`; 0 where nobody speaks."""
    return np.maximum(level_db * _SLOPE + _OFFSET, 0) * speaking


class Sway:
    """The filters of a head and what they remember."""

    def __init__(self, model: HeadModel) -> None:
        self._noise = _flat(model.noise)
        heard = np.zeros((len(model.response), HEARD, TURNS + 1), np.float32)
        heard[..., :TURNS] = model.response
        fading = np.exp(-np.arange(len(heard)) / (LIVELY_TIME_CONSTANT_S * FRAME_RATE_HZ))
        heard[:, 1, TURNS] = (1 - model.calm) * fading / fading.sum()
        self._heard = _flat(heard)
        self._calm = np.float32(model.calm)
        self._taps = len(model.noise), len(model.response)
        self.reset()

    def reset(self) -> None:
        """A head at rest that heard nothing yet."""
        noise, heard = self._taps
        self._white = np.zeros((noise - 1, TURNS), np.float32)
        self._sound = np.zeros((heard - 1, HEARD), np.float32)
        self._ready = np.zeros((0, TURNS), np.float32)

    def apply(self, draw: Draw, level_db: Array, speaking: Array, idle: bool) -> Array:
        """Yaw, pitch and roll (T, 3) in rad for levels (T,) in dB and the speech gate (T,).

        `draw` is called for noise ahead; `idle` False: no movement while nobody speaks.
        """
        T = len(level_db)
        sound = np.empty((self._taps[1] - 1 + T, HEARD), np.float32)
        sound[:-T] = self._sound
        sound[-T:, 0] = loudness(level_db, speaking)
        sound[-T:, 1] = speaking
        self._sound = sound[T:]
        heard = _filtered(sound, self._heard, T)
        alive = heard[:, TURNS:] + self._calm if idle else heard[:, TURNS:]
        return self._coloured(draw, T) * alive + heard[:, :TURNS]

    def _coloured(self, draw: Draw, count: int) -> Array:
        """The next `count` rows of coloured noise."""
        missing = count - len(self._ready)
        if missing > 0:
            fresh = -(-missing // AHEAD_FRAMES) * AHEAD_FRAMES
            white = np.concatenate([self._white, draw(fresh)])
            self._white = white[fresh:]
            self._ready = np.concatenate([self._ready, _filtered(white, self._noise, fresh)])
        coloured, self._ready = self._ready[:count], self._ready[count:]
        return coloured


def _flat(filters: Array) -> Array:
    """Filters (K, in, out) as a matrix (K * in, out) for windows whose newest row comes last."""
    return np.ascontiguousarray(filters[::-1].reshape(-1, filters.shape[2]), np.float32)


def _filtered(rows: Array, filters: Array, count: int) -> Array:
    """The last `count` outputs (count, out) of `filters`, as `_flat` gives them, over contiguous `rows` (n, in)."""
    if count == 1:
        return rows.reshape(1, -1) @ filters
    windows = np.lib.stride_tricks.sliding_window_view(rows.reshape(-1), len(filters))
    return windows[:: rows.shape[1]] @ filters

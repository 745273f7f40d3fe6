"""Head and eyes of one stream, frame by frame: what sways, what glances, and how still the whole is kept.

The noise comes from the seed and goes in one after the other, as the student's does: any chunking gives the same pose.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from dtalker_model.gesture.attention import Attention
from dtalker_model.gesture.glance import Glance
from dtalker_model.gesture.head_model import TURNS, HeadModel
from dtalker_model.gesture.sway import Sway
from dtalker_model.output.pose import POSE_LIMITS, Array, eyes_shown
from dtalker_model.rates import FRAME_RATE_HZ
from dtalker_model.settings import Settings

EASE_FRAMES = FRAME_RATE_HZ // 2
"""A changed stillness is in force after half a second, when it changed by 1."""
NOISE = 1
"""The stream of random numbers of a seed that is the head's; the student's has none of this kind."""


class Moves(NamedTuple):
    """What T frames do."""

    turns: Array
    """(T, 5) float32, rad: yaw, pitch, roll of the head, and what is added to where the face looks, left and down."""
    share: Array | None
    """(T, 1) float32, 0..1: how much of the face's own look is left; None for all of it."""

    @property
    def head(self) -> Array:
        """(T, 3) of `turns`."""
        return self.turns[:, :TURNS]

    @property
    def eyes(self) -> Array:
        """(T, 2) of `turns`."""
        return self.turns[:, TURNS:]


class Gesture:
    """The movement of one stream. Deterministic for a seed, whatever the chunks."""

    def __init__(self, model: HeadModel, settings: Settings) -> None:
        self.model = model
        self._sway, self._glance = Sway(model), Glance(model, settings.seed)
        self.attention = Attention()
        self.reset(settings)

    def reset(self, settings: Settings) -> None:
        """A head at rest; `settings.seed` starts the noise."""
        self._sway.reset()
        self.attention.reset()
        self._glance.reset(settings.seed)
        self._noise = np.random.default_rng((settings.seed, NOISE))
        self._share = 1.0 - settings.stillness

    def apply(self, level_db: Array, speaking: Array, settings: Settings) -> Moves:
        """The moves of T frames that hear levels (T,) in dB of full scale and the speech gate (T,)."""
        self._glance.seed = settings.seed
        sway, glance, draw, idle = self._sway.step, self._glance.step, self._draw, settings.idle
        against_yaw, against_pitch = self.model.steady
        rows = []
        for level, gate in zip(level_db.tolist(), speaking.tolist()):
            yaw, pitch, roll = sway(draw, level, gate, idle)
            side, height = glance(gate)
            rows.append((yaw, pitch, roll, side - against_yaw * yaw, height - against_pitch * pitch))
        turns = np.array(rows, np.float32).reshape(-1, TURNS + 2)
        share = self._shares(len(turns), 1.0 - settings.stillness)
        moves = Moves(turns if share is None else turns * share, share)
        return moves if self.attention.idle else self._attend(moves)

    def _attend(self, moves: Moves) -> Moves:
        """`moves` with what is looked at on purpose, however still the rest is kept."""
        turns, share = moves.turns, np.ones((len(moves.turns), 1), np.float32) if moves.share is None else moves.share
        for row, left in zip(turns, share):
            head, aim, weight = self.attention.step()
            row[:2] += head
            left *= 1 - weight
            row[TURNS:] = (1 - weight) * row[TURNS:] + weight * (aim - row[:2])
        return Moves(turns, share)

    def _draw(self, count: int) -> Array:
        return self._noise.standard_normal((count, TURNS), np.float32)

    def _shares(self, count: int, wanted: float) -> Array | None:
        """How much of the movement is left (T, 1) in each of the next frames; None for all of it."""
        if abs(self._share - wanted) < 1e-9:
            return None if wanted == 1 else np.full((count, 1), wanted, np.float32)
        way = wanted - self._share
        shares = self._share + np.sign(way) * np.minimum(np.arange(1, count + 1) / EASE_FRAMES, abs(way))
        self._share = float(shares[-1])
        return shares.astype(np.float32)[:, None]


def poses(moves: Moves, faces: Array) -> Array:
    """Poses (T, 5) of heads that do `moves` with `faces` (T, 52): the gaze is what the face shows."""
    turns = moves.turns.copy()
    turns[:, TURNS:] = eyes_shown(faces)
    return np.minimum(np.maximum(turns, _LEAST, out=turns), POSE_LIMITS, out=turns)


_LEAST = -POSE_LIMITS

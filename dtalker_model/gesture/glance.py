"""Where the eyes look while somebody speaks: mostly at the person in front, now and then past them.

Looks follow each other like a semi-Markov process: each is of one kind or the other, lasts as long as that kind does
(lognormal), and goes somewhere (normal); a saccade of 40 ms leads from one to the next. In silence the eyes come home,
and `dtalker_model.output.idle` moves them.
"""

from __future__ import annotations

import math

from dtalker_model.gesture.head_model import HeadModel
from dtalker_model.output.event_random import GLANCE_STREAM, lognormal
from dtalker_model.output.wander import SACCADE_TIME_CONSTANT_MS, Point, Uniform, Wander, follow
from dtalker_model.rates import FRAME_RATE_HZ

LENGTH_SIGMA = 0.6
"""Spread of the logarithm of a look's length."""
SHORTEST_S = 0.2
FARTHEST = 2.5
"""Deviations; no look goes farther."""
SPEAKS = 0.5


class Glance:
    """State of the eyes; while nobody speaks, looks are drawn all the same but not followed."""

    def __init__(self, model: HeadModel, seed: int) -> None:
        self._model = model
        self.reset(seed)

    def reset(self, seed: int) -> None:
        """Start over with look 0, eyes ahead."""
        self.seed = seed
        self._eyes = Wander(GLANCE_STREAM, follow(SACCADE_TIME_CONSTANT_MS), self._look)

    def step(self, speaking: float) -> Point:
        """Turn of the eyes in the next frame in rad, to the left and down, for the speech gate."""
        return self._eyes.step(self.seed, 1.0 if speaking > SPEAKS else 0.0)

    def _look(self, uniform: Uniform) -> tuple[int, Point]:
        model = self._model
        past = uniform() < model.aversion
        mean_s, reach = (model.averted_s, model.far_rad) if past else (model.contact_s, model.near_rad)
        frames = round(FRAME_RATE_HZ * max(SHORTEST_S, mean_s * lognormal(uniform, LENGTH_SIGMA)))
        side, height = _normals(uniform)
        return frames, (reach[0] * side, reach[1] * height)


def _normals(uniform: Uniform) -> Point:
    """Two independent normal numbers, cut at `FARTHEST`."""
    radius = math.sqrt(-2 * math.log(1 - uniform()))
    angle = 2 * math.pi * uniform()
    side, height = radius * math.cos(angle), radius * math.sin(angle)
    return max(-FARTHEST, min(FARTHEST, side)), max(-FARTHEST, min(FARTHEST, height))

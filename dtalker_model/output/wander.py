"""A point that moves from target to target; the targets come from numbered events."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from dtalker_model.output.event_random import event_random
from dtalker_model.rates import FRAME_MS

Uniform = Callable[[], float]
Point = tuple[float, float]
Draw = Callable[[Uniform], tuple[int, Point]]
"""Draws one event: how many frames it lasts, and where the point goes."""

SACCADE_TIME_CONSTANT_MS = 18.0


def follow(time_constant_ms: float) -> float:
    """Coefficient of a one-pole low-pass at the frame rate."""
    return float(1 - np.exp(-FRAME_MS / time_constant_ms))


class Wander:
    """State of one point. It is the same whatever the chunks in which steps are asked for."""

    def __init__(self, stream: int, follows: float, draw: Draw) -> None:
        """`stream` of `event_random`; `follows` as `follow` gives it."""
        self._stream = stream
        self._follow = follows
        self._draw = draw
        self._event = 0
        self._frames_left = 0
        self._target = self._via = self._point = (0.0, 0.0)

    def step(self, seed: int, reach: float) -> Point:
        """Where the point is one frame later; `reach` 0..1 scales its targets."""
        if self._frames_left <= 0:
            self._frames_left, self._target = self._draw(event_random(seed, self._stream, self._event))
            self._event += 1
        self._frames_left -= 1
        # Two low-passes in a row: the point starts without a jerk.
        follows, (via_x, via_y), (x, y) = self._follow, self._via, self._point
        via_x += follows * (reach * self._target[0] - via_x)
        via_y += follows * (reach * self._target[1] - via_y)
        self._via = via_x, via_y
        self._point = x + follows * (via_x - x), y + follows * (via_y - y)
        return self._point

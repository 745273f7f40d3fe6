"""Looking at something on purpose: the eyes lead, the head follows within its limits, and both let go again.

The target is a direction from the head at rest. While it is looked at, the eyes make up for whatever the head does, so
that they stay on it; the head takes `HEAD_SHARE` of the way, and more where the eyes cannot reach.
"""

from __future__ import annotations

import math

from dtalker_model.output.wander import SACCADE_TIME_CONSTANT_MS, follow
from dtalker_model.rates import FRAME_RATE_HZ

HEAD_SHARE = 0.6
EYES_RAD = (0.45, 0.35)
"""How far the eyes alone are to turn, to the side and in height: what is beyond is the head's."""
HEAD_RAD = (0.9, 0.5)
"""How far the head turns for it."""
HEAD_TIME_CONSTANT_MS = 150.0
"""Of each of two low-passes in a row: the head is half way after 250 ms."""
GIVE_WAY_FRAMES = 10
"""The eyes' own looks give way to the target, and come back, within 0.2 s."""
HOLD_S = 2.0
"""A target that is not named again is let go after this."""

STILL_RAD = 1e-4
"""A head that is so near to its rest is there."""

Direction = tuple[float, float]
"""To the character's own left and down, rad."""

_STRAIGHT: Direction = (0.0, 0.0)

_HEAD, _EYES = follow(HEAD_TIME_CONSTANT_MS), follow(SACCADE_TIME_CONSTANT_MS)


def direction_of(x: float, y: float, z: float) -> Direction:
    """The direction of a point in m, x forward, y to the left, z up from between the eyes of a head at rest.

    Raises:
        ValueError: the point is not finite, or lies where the eyes are.
    """
    distance = math.sqrt(x * x + y * y + z * z)
    if not math.isfinite(distance) or distance < 0.01:
        raise ValueError(f"a point to look at must lie 1 cm away at least, received ({x:g}, {y:g}, {z:g}) m")
    return math.atan2(y, x), math.atan2(-z, math.hypot(x, y))


class Attention:
    """What is looked at, and how far head and eyes have come."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Look at nothing."""
        self._target: Direction | None = None
        self._frames_left = 0
        self._weight = 0.0
        self._via = self._head = self._aim = _STRAIGHT

    def look_at(self, target: Direction | None, hold_s: float = HOLD_S) -> None:
        """Turn to `target` from the next frame on and let go after `hold_s`; None lets go at once."""
        self._target = target
        self._frames_left = round(hold_s * FRAME_RATE_HZ) if target is not None else 0

    @property
    def idle(self) -> bool:
        """Whether nothing is looked at and nothing of it is left."""
        return self._target is None and self._weight == 0 and self._head == self._via == _STRAIGHT

    def step(self) -> tuple[Direction, Direction, float]:
        """The next frame: turn of the head for it (yaw, pitch), where the eyes aim from the head at rest, and how much
        that counts, 0..1, against their own looks."""
        if self._frames_left <= 0:
            self._target = None
        self._frames_left -= 1
        target = self._target
        self._weight += (1 if target is not None else -1) / GIVE_WAY_FRAMES
        self._weight = min(max(self._weight, 0.0), 1.0)
        wanted = _STRAIGHT if target is None else _for_the_head(target)
        self._via = _towards(self._via, wanted, _HEAD)
        self._head = _towards(self._head, self._via, _HEAD)
        if target is not None:
            self._aim = _towards(self._aim, target, _EYES)
        elif self._weight == 0 and max(map(abs, (*self._head, *self._via))) < STILL_RAD:
            self._head = self._via = self._aim = _STRAIGHT
        return self._head, self._aim, self._weight


def _for_the_head(target: Direction) -> Direction:
    side, height = (
        math.copysign(min(max(HEAD_SHARE * abs(angle), abs(angle) - reach), limit), angle)
        for angle, reach, limit in zip(target, EYES_RAD, HEAD_RAD)
    )
    return side, height


def _towards(a: Direction, b: Direction, follows: float) -> Direction:
    return a[0] + follows * (b[0] - a[0]), a[1] + follows * (b[1] - a[1])

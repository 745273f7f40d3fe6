"""Rules between joints: linear inequalities over their positions, A q <= b. docs/joints.md says why they are kept so.

Wishes go to the nearest point that breaks no rule (`nearest`: a projection, in Dykstra's way). That says where joints
are to end, not how they get there. `room` keeps the way: while it moves, each joint is known to stay in an interval,
and another joint gets what a rule leaves wherever in its interval the first may be.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from dtalker_ros.joints.head import Head

SWEEPS = 50
"""Most rounds of the projection; two rules that meet at a sharp angle need many."""
NEAR = 1e-7
"""Of a joint's range: the projection is done when a round moves nothing by more."""


class Rules:
    """The rules of a head with J joints."""

    def __init__(self, head: Head) -> None:
        self._low, self._high = head.range
        self._span = self._high - self._low
        self._matrix, self._bounds = head.rule_matrix()
        # Distances count as shares of the ranges, so that a wide joint does not give way for a narrow one.
        self._scaled = self._matrix * self._span
        self._squares = (self._scaled**2).sum(1)
        self._rows = [
            (
                float(bound),
                float(factor),
                [(k, float(other)) for k, other in enumerate(row) if other and k != place],
                place,
            )
            for row, bound in zip(self._matrix, self._bounds)
            for place, factor in enumerate(row)
            if factor
        ]

    def nearest(self, wish: NDArray[np.float64]) -> NDArray[np.float64]:
        """The point (J,) nearest to `wish` (J,), within the ranges, that breaks no rule."""
        if (self._matrix @ wish <= self._bounds).all():
            return wish
        low, high = self._low / self._span, self._high / self._span
        point, over, pushes = wish / self._span, np.zeros(len(wish)), np.zeros(len(self._bounds))
        for _ in range(SWEEPS):
            before = point
            for k, row in enumerate(self._scaled):
                point = point + pushes[k] * row
                pushes[k] = max(0.0, (row @ point - self._bounds[k]) / self._squares[k])
                point = point - pushes[k] * row
            free = point + over
            point = free.clip(low, high)
            over = free - point
            if np.abs(point - before).max() < NEAR:
                break
        return point * self._span

    def start(self, head: Head, wish: NDArray[np.float64]) -> NDArray[np.float64]:
        """A point near `wish` that breaks no rule to the last digit: drawn towards neutral where rounding needs it."""
        point, neutral = self.nearest(wish.clip(self._low, self._high)), head.neutral
        over, way = self._matrix @ point - self._bounds, self._matrix @ (point - neutral)
        share = min([1.0, *(1.0 - over[k] / way[k] for k in range(len(over)) if over[k] > 0.0 and way[k] > 0.0)])
        return neutral + max(share, 0.0) * (point - neutral) if share < 1.0 else point

    def room(self, place: int, low: Sequence[float], high: Sequence[float]) -> tuple[float, float]:
        """Interval for the joint at `place` while each other joint k is somewhere in `low[k]`..`high[k]`."""
        lowest, highest = float(self._low[place]), float(self._high[place])
        for bound, factor, others, joint in self._rows:
            if joint == place:
                left = bound - sum(other * (high[k] if other > 0.0 else low[k]) for k, other in others)
                lowest, highest = (
                    (lowest, min(highest, left / factor)) if factor > 0.0 else (max(lowest, left / factor), highest)
                )
        return lowest, highest

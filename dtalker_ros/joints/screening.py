"""What of the frames that come may reach a joint. Whatever may not is said once, and counted."""

from collections import Counter

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dtalker_ros.joints.frame_buffer import AHEAD_NS, BEHIND_NS


class Screening:
    """Checks the frames of one topic."""

    def __init__(self, topic: str, count: int, lowest: float, highest: float, slack: float) -> None:
        """`count` values in `lowest`..`highest`; those beyond by up to `slack` are cut, others are no frame."""
        self._topic, self._count = topic, count
        self._lowest, self._highest, self._slack = lowest, highest, slack
        self.refused: Counter[str] = Counter()
        """How many frames were refused, by reason."""
        self._said: list[str] = []

    def passed(self, stamp_ns: int, now_ns: int, values: ArrayLike) -> NDArray[np.float64] | None:
        """The values, (`count`,) float64 within the range; None where they are no frame."""
        row, reason = self._checked(stamp_ns, now_ns, values)
        if reason:
            self.refused[reason] += 1
            if self.refused[reason] == 1:
                self._said.append(f"{self._topic}: {reason}: such frames move no joint")
        return None if reason else row.clip(self._lowest, self._highest)

    def sayings(self) -> list[str]:
        """What is to be said now: each reason when it comes up first."""
        said, self._said = self._said, []
        return said

    def _checked(self, stamp_ns: int, now_ns: int, values: ArrayLike) -> tuple[NDArray[np.float64], str]:
        row = np.zeros(0)
        try:
            row = np.asarray(values, np.float64)
        except (TypeError, ValueError):
            return row, "values that are no numbers"
        if row.shape != (self._count,):
            return row, f"other than {self._count} values"
        if not np.isfinite(row).all():
            return row, "NaN or infinite values"
        if row.min() < self._lowest - self._slack or row.max() > self._highest + self._slack:
            return row, f"values far beyond {self._lowest:g}..{self._highest:g}"
        if stamp_ns > now_ns + AHEAD_NS:
            return row, f"stamps more than {AHEAD_NS / 1e9:g} s ahead of this node's clock"
        if stamp_ns < now_ns - BEHIND_NS:
            return row, f"stamps more than {BEHIND_NS / 1e9:g} s behind this node's clock"
        return row, ""

"""Frames of the 20 ms grid as rows to publish: at 50 Hz as they are, below that interpolated in time."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from dtalker_model.output.pose import at_rest
from dtalker_model.rates import FRAME_RATE_HZ

_SECOND_NS = 1_000_000_000
_LONGEST_STEP_NS = 2 * _SECOND_NS // FRAME_RATE_HZ


Pose = tuple[int, NDArray[np.float32], NDArray[np.float32]]
"""Stamp, weights and head."""


@dataclass(frozen=True)
class Shown:
    """One row to publish."""

    stamp_ns: int
    """When it is to be shown."""
    sequence: int
    """Number since the start; frames that were dropped leave a gap."""
    weights: NDArray[np.float32]
    """(52,), 0..1."""
    ready_ns: int
    """When the audio for it was there and due."""
    head: NDArray[np.float32] = field(default_factory=at_rest)
    """(5,), rad, in the order of `POSE_NAMES`."""


class PublishRate:
    """Resamples frames to `rate_hz` (1..50) with linear interpolation; sequence numbers follow the stamps."""

    def __init__(self, rate_hz: float) -> None:
        self.rate_hz = rate_hz
        self._step_ns = Fraction(_SECOND_NS) / Fraction(rate_hz)
        self._first_ns: int | None = None
        self._first_sequence = 0
        self._count = 0
        self._before: Pose | None = None

    def set_rate(self, rate_hz: float) -> None:
        """Go on at another rate; the sequence is not broken."""
        if rate_hz != self.rate_hz:
            self.rate_hz, self._step_ns = rate_hz, Fraction(_SECOND_NS) / Fraction(rate_hz)
            self._restart(self._first_sequence + self._count)

    def begin(self) -> None:
        """The next stamps do not go on from those before, and nothing is missing in between."""
        self._before = None
        self._restart(self._first_sequence + self._count)

    def push(
        self, stamp_ns: int, weights: NDArray[np.float32], ready_ns: int, head: NDArray[np.float32] | None = None
    ) -> Iterator[Shown]:
        """The rows that `weights` and `head` (at rest where None), shown at `stamp_ns`, complete."""
        now: Pose = (stamp_ns, weights, at_rest() if head is None else head)
        before = self._before
        if before is not None and not 0 < stamp_ns - before[0] <= _LONGEST_STEP_NS:
            self._jump(stamp_ns - before[0])
            before = None
        self._before = now
        if self._first_ns is None:
            self._first_ns = stamp_ns
        while (due_ns := self._due_ns(self._first_ns)) <= stamp_ns:
            _, row, turned = now if due_ns == stamp_ns or before is None else _between(before, now, due_ns)
            yield Shown(due_ns, self._first_sequence + self._count, row, ready_ns, turned)
            self._count += 1

    def _due_ns(self, first_ns: int) -> int:
        return first_ns + int(self._count * self._step_ns)

    def _jump(self, step_ns: int) -> None:
        """The stamps jumped: rows that would have been between are missing, and the numbers show it."""
        missing = max(0, int(Fraction(step_ns) / self._step_ns) - 1) if step_ns > 0 else 0
        self._restart(self._first_sequence + self._count + missing)

    def _restart(self, sequence: int) -> None:
        self._first_ns, self._first_sequence, self._count = None, sequence, 0


def _between(before: Pose, after: Pose, time_ns: int) -> Pose:
    share = np.float32((time_ns - before[0]) / (after[0] - before[0]))
    return time_ns, before[1] + share * (after[1] - before[1]), before[2] + share * (after[2] - before[2])

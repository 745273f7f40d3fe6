"""Whether a clock was set, told by a clock that never is."""

from collections.abc import Callable

from dtalker_ros.timing.pace import MS

STEP_NS = 50 * MS
"""Clocks that drift apart by less than this from one look to the next are being adjusted, not set."""
DOUBT_NS = 5 * MS
"""Both clocks must be read within this, else the reading says nothing."""
TRIES = 3


class ClockWatch:
    """Compares `clock_ns` with `steady_ns` again and again."""

    def __init__(self, clock_ns: Callable[[], int], steady_ns: Callable[[], int]) -> None:
        self._clock_ns, self._steady_ns = clock_ns, steady_ns
        self._offset_ns = self._read()

    def step_ns(self) -> int:
        """By how much the clock was set since the last call, 0 nearly always, nanoseconds."""
        offset_ns = self._read()
        if offset_ns is None:
            return 0
        step_ns = 0 if self._offset_ns is None else offset_ns - self._offset_ns
        self._offset_ns = offset_ns
        return step_ns if abs(step_ns) >= STEP_NS else 0

    def _read(self) -> int | None:
        """How far the clocks are apart; None where the process was held up between reading one and the other."""
        for _ in range(TRIES):
            before_ns = self._steady_ns()
            now_ns = self._clock_ns()
            after_ns = self._steady_ns()
            if after_ns - before_ns <= DOUBT_NS:
                return now_ns - after_ns
        return None

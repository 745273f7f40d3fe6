"""Samples against the clock: how fast audio comes, compared with what its sample rate says."""

from collections import deque
from itertools import pairwise

from dtalker_ros.timing.pace import MS, is_pause

WINDOW_NS = 1_500 * MS
"""So long audio must have come regularly before its speed is told."""
FEWEST = 9
"""In so many messages at least."""
CHECK_NS = 200 * MS
PARTS = 3
"""The speed must be the same in so many parts of the window..."""
ALIKE = 0.15
"""...within this share: a clock is steady, synthesis is not."""


class RateWatch:
    """Measures the speed of a regular stream."""

    def __init__(self) -> None:
        self.speed: float | None = None
        """Seconds of audio a second; None where the stream is not regular, or not for long enough yet."""
        self._arrivals: deque[tuple[int, int]] = deque()
        self._sum_ns = 0
        self._checked_ns = 0

    def note(self, arrival_ns: int, duration_ns: int) -> None:
        """Take in a chunk of `duration_ns` that arrived at `arrival_ns`."""
        pause_ns = arrival_ns - self._arrivals[-1][0] if self._arrivals else 0
        if is_pause(pause_ns, duration_ns):
            self.begin()
        self._arrivals.append((arrival_ns, self._sum_ns))
        self._sum_ns += duration_ns
        while arrival_ns - self._arrivals[0][0] > WINDOW_NS:
            self._arrivals.popleft()
            if arrival_ns - self._checked_ns >= CHECK_NS:
                self._checked_ns = arrival_ns
                self.speed = self._measure() if len(self._arrivals) >= FEWEST else None

    def begin(self) -> None:
        """Forget what was measured: another stream begins."""
        self._arrivals.clear()
        self._sum_ns, self._checked_ns, self.speed = 0, 0, None

    def _measure(self) -> float | None:
        marks = [self._arrivals[i * (len(self._arrivals) - 1) // PARTS] for i in range(PARTS + 1)]
        whole = _speed(marks[0], marks[-1])
        parts = [_speed(begin, end) for begin, end in pairwise(marks)]
        return whole if all(abs(part - whole) <= ALIKE * whole for part in parts) else None


def _speed(begin: tuple[int, int], end: tuple[int, int]) -> float:
    return (end[1] - begin[1]) / max(1, end[0] - begin[0])

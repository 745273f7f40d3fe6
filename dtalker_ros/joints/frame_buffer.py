"""Frames that wait for their time: each joint looks ahead by its own lead, and sees what lies between two frames."""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence

AHEAD_NS = 6_000_000_000
"""Frames further ahead belong to another clock: a talker's playout delay is 5 s at most."""
BEHIND_NS = 1_000_000_000
"""Frames further behind are not looked at."""
LOSS_NS = 300_000_000
"""Without a frame for so long, there is none."""


class FrameBuffer:
    """Rows of J values by the time at which they are to be shown. All times are nanoseconds of one clock."""

    def __init__(self) -> None:
        self._times: list[int] = []
        self._rows: list[Sequence[float]] = []
        self._arrival_ns: int | None = None

    def push(self, stamp_ns: int, now_ns: int, row: Sequence[float]) -> None:
        """Take a row that arrives now. One that is out of order gets its place; one with the same time is replaced."""
        self._arrival_ns = now_ns
        place = bisect_left(self._times, stamp_ns)
        if place < len(self._times) and self._times[place] == stamp_ns:
            self._rows[place] = row
        else:
            self._times.insert(place, stamp_ns)
            self._rows.insert(place, row)

    def fresh(self, now_ns: int) -> bool:
        """Whether frames come, or are still to be shown."""
        if self._arrival_ns is None:
            return False
        self._arrival_ns = min(self._arrival_ns, now_ns)  # the clock may be set back
        return now_ns - max(self._arrival_ns, self._times[-1] if self._times else 0) <= LOSS_NS

    def forget(self, now_ns: int, delay_ns: int = 0) -> None:
        """Let go of what was shown `delay_ns` ago, and of what lies too far ahead since the clock was set back."""
        past = max(bisect_right(self._times, now_ns - delay_ns) - 1, 0)
        ahead = bisect_right(self._times, now_ns + AHEAD_NS)
        self._times, self._rows = self._times[past:ahead], self._rows[past:ahead]

    def at(self, place: int, time_ns: int) -> float:
        """Value number `place` of the row at `time_ns`; 0 where there is none.

        It goes straight between two rows, and is level before the first, after the last and across a loss.
        """
        if not self._times:
            return 0.0
        after = bisect_right(self._times, time_ns)
        before = max(after - 1, 0)
        value = self._rows[before][place]
        if after in (0, len(self._times)) or (span := self._times[after] - self._times[before]) > LOSS_NS:
            return value
        return value + (self._rows[after][place] - value) * (time_ns - self._times[before]) / span

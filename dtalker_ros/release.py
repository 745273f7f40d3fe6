"""Frames leave one by one, though a resampler or a large chunk brings out several at once."""

from collections import deque

from dtalker_ros.publish_rate import Shown
from dtalker_ros.timing.pace import MS

MEMORY_ROWS = 25
"""The lead that all of the last rows had can be kept: half a second."""
LARGEST_LEAD_NS = 14 * MS
"""A larger lead is not used: when it ends, there would be a pause."""
HASTE_NS = 6 * MS
"""Rows may leave so much earlier than the lead that can be kept: a little jitter is no reason to wait."""


class Release:
    """Holds back rows that are ready earlier before their stamps than others are."""

    def __init__(self) -> None:
        self._waiting: deque[Shown] = deque()
        self._leads_ns: deque[int] = deque(maxlen=MEMORY_ROWS)

    def add(self, rows: list[Shown], now_ns: int) -> None:
        """Take in `rows`, in order, which are ready now."""
        self._waiting.extend(rows)
        self._leads_ns.extend(min(max(0, row.stamp_ns - now_ns), LARGEST_LEAD_NS) for row in rows)

    def leave(self, now_ns: int) -> list[Shown]:
        """The rows whose time has come."""
        rows = []
        while self._waiting and self._due_ns(self._waiting[0]) <= now_ns:
            rows.append(self._waiting.popleft())
        return rows

    def leave_all(self) -> list[Shown]:
        """The rows that wait."""
        rows, self._waiting = list(self._waiting), deque()
        return rows

    def next_ns(self) -> int | None:
        """When the next row leaves; None where none waits."""
        return self._due_ns(self._waiting[0]) if self._waiting else None

    def _due_ns(self, row: Shown) -> int:
        return row.stamp_ns - min(self._leads_ns) - HASTE_NS

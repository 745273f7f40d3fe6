"""A progress bar on stderr, for people: it appears only in a terminal."""

import shutil
import sys
import time
from types import TracebackType

REFRESH_S = 0.1


class Progress:
    """Context manager around long work. `total` of 0 or None is an unknown amount."""

    def __init__(self, label: str, total: float | None, unit: str) -> None:
        self._label, self._total, self._unit = label, total, unit
        self._shown = sys.stderr.isatty()
        self._next_s = 0.0

    def __enter__(self) -> "Progress":
        self.update(0)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._shown:
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)

    def update(self, done: float) -> None:
        """Show that `done` of the total is done; cheap when called often."""
        now_s = time.monotonic()
        if not self._shown or now_s < self._next_s:
            return
        self._next_s = now_s + REFRESH_S
        line = self.line(done, shutil.get_terminal_size().columns - 1)
        print(f"\r\x1b[K{line}", end="", file=sys.stderr, flush=True)

    def line(self, done: float, columns: int) -> str:
        """The text of the bar, at most `columns` long."""
        if not self._total:
            return f"{self._label} {done:.0f} {self._unit}"[:columns]
        part = min(1.0, max(0.0, done / self._total))
        head, tail = f"{self._label} [", f"] {part:4.0%} {done:.0f}/{self._total:.0f} {self._unit}"
        room = min(40, columns - len(head) - len(tail))
        bar = ("#" * round(part * room)).ljust(max(0, room), ".")
        return f"{head}{bar}{tail}"[:columns]

"""What the page's server logs: each text on one line, and of one kind no more than a person could read.

Anybody who reaches the port chooses paths and headers, and how many of them.
"""

import logging
import threading
import time

from dtalker_model.printable import printable

LINES = 20
PERIOD_S = 10.0
"""Of one kind, so many lines in this time."""
LONGEST_LINE = 500
_OTHERS = ("aiohttp.server", "aiohttp.web", "asyncio")
"""Loggers that speak about connections, too."""


class OneLineEach(logging.Filter):
    """Makes messages printable and counts those that are too many, to be told with the next one."""

    def __init__(self) -> None:
        super().__init__()
        self._kinds: dict[str, list[float]] = {}
        self._unsaid: dict[str, int] = {}
        self._lock = threading.Lock()

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether `record` is to be logged; its text is made ready for that."""
        kind = str(record.msg)
        with self._lock:
            now_s = time.monotonic()
            lately = [said_s for said_s in self._kinds.get(kind, []) if now_s - said_s < PERIOD_S]
            if len(lately) >= LINES:
                self._unsaid[kind] = self._unsaid.get(kind, 0) + 1
                return False
            self._kinds[kind] = [*lately, now_s]
            unsaid = self._unsaid.pop(kind, 0)
        more = f" ({unsaid} more like this)" if unsaid else ""
        record.msg, record.args = printable(record.getMessage(), LONGEST_LINE) + more, ()
        return True


LOG = logging.getLogger("dtalker.view")
_filter = OneLineEach()
LOG.addFilter(_filter)


def bound_others() -> None:
    """Hold the libraries' own loggers to the same."""
    for name in _OTHERS:
        logging.getLogger(name).addFilter(_filter)

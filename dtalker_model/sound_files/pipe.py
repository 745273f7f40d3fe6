"""Bytes that come once: standard input, a named pipe, a device. Waiting for them can always be ended."""

import os
import select
import stat
import sys
from collections.abc import Callable
from pathlib import Path

from dtalker_model.errors import AudioError

STDIN = "-"
NOTICED_S = 0.2
"""The wait for bytes is interrupted this often to see whether it should end."""
PIECE_BYTES = 1 << 16


def comes_once(path: Path) -> bool:
    """Whether `path` is ``-`` or no regular file; raises `OSError` where it is missing."""
    return str(path) == STDIN or not stat.S_ISREG(path.stat().st_mode)


class Pipe:
    """Reads `path` (``-``: standard input) as its bytes come, until they end or `stopped` says so."""

    def __init__(self, path: Path, stopped: Callable[[], bool]) -> None:
        """Raises `OSError`, and `AudioError` for a terminal."""
        self._stopped = stopped
        self._seen = b""
        # A named pipe whose writer has not come yet would hold up `open` itself.
        is_stdin = str(path) == STDIN
        self._fd = os.dup(0) if is_stdin else os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
        if os.isatty(self._fd):
            self.close()
            raise AudioError("is a terminal: pipe a sound file into it")

    def read(self) -> bytes:
        """The next bytes, at least one; none at the end."""
        if self._seen:
            data, self._seen = self._seen, b""
            return data
        while not self._stopped():
            if sys.platform == "win32" or select.select([self._fd], [], [], NOTICED_S)[0]:
                try:
                    return os.read(self._fd, PIECE_BYTES)
                except BlockingIOError:
                    continue
        return b""

    def unread(self, data: bytes) -> None:
        """Let the next `read` return `data`."""
        self._seen = data + self._seen

    def close(self) -> None:
        """Read no more; may be called again."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

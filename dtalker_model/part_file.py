"""A file that neither a crash nor a full disk leaves half written under its final name."""

import contextlib
import os
import stat
import sys
from pathlib import Path

from dtalker_model.errors import SinkError


class PartFile:
    """Writes whole records to `out`: a path, or ``-`` for stdout. Raises `SinkError`.

    A regular file grows as ``NAME.part`` and gets its name in `close`. After a failed `write` the whole records so far
    stay in ``NAME.part``. Devices and pipes are written to directly. A reader that goes away is a `BrokenPipeError`.
    """

    def __init__(self, out: str, keep_ending: bool = False) -> None:
        """`keep_ending`: the part is called ``STEM.part.ENDING``, for programs that look at the ending."""
        self.records = 0
        """Whole records that `write` counted."""
        self.failed = False
        self._out = out
        self._keep_ending = keep_ending
        self._part: Path | None = None
        self._fd = self._opened()

    def write(self, data: bytes, counted: bool = True, lines: bool = True) -> None:
        """Append `data`, all of it before this returns. A record is a line, or else (`lines` false) the whole."""
        written = 0
        try:
            while written < len(data):
                written += os.write(self._fd, data[written:])
        except BrokenPipeError:
            self.failed = True
            raise
        except OSError as error:
            self.failed = True
            whole = data.rfind(b"\n", 0, written) + 1 if lines else 0
            self.records += data.count(b"\n", 0, whole) if counted else 0
            self._cut(written - whole)
            raise SinkError(f"{self.cannot_write(error)}{self.left_over}") from error
        if counted:
            self.records += data.count(b"\n") if lines else 1

    def tell(self) -> int:
        """Bytes so far; of a regular file."""
        return os.lseek(self._fd, 0, os.SEEK_CUR)

    def cut_to(self, size: int) -> None:
        """Forget everything beyond `size` bytes, where the file is a regular one."""
        self._cut(self.tell() - size)

    def close(self, complete: bool = True) -> None:
        """Give the file its name if it is `complete` and nothing failed, else leave the part where it has records."""
        try:
            if complete and not self.failed:
                self._finish()
        except OSError as error:
            self.failed = True
            raise SinkError(f"{self.cannot_write(error)}{self.left_over}") from error
        finally:
            if self._out != "-":
                os.close(self._fd)
            if self._part is not None and self.records == 0:
                self._part.unlink(missing_ok=True)

    def cannot_write(self, error: Exception) -> SinkError:
        """The error to raise for `error`, without what is left."""
        reason = error.strerror if isinstance(error, OSError) else str(error)
        return SinkError(f"cannot write {self._out}: {reason}")

    @property
    def left_over(self) -> str:
        """What a message about a failure says of the records so far; empty where there are none."""
        if self._part is None or self.records == 0:
            return ""
        return f"; the {self.records} frames so far are in {self._part}"

    def _opened(self) -> int:
        if self._out == "-":
            sys.stdout.flush()
            return sys.stdout.fileno()
        path = Path(self._out)
        try:
            if path.exists() and not stat.S_ISREG(path.stat().st_mode):
                return os.open(path, os.O_WRONLY)
            name = f"{path.stem}.part{path.suffix}" if self._keep_ending else f"{path.name}.part"
            self._part = path.with_name(name)
            return os.open(self._part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o666)
        except (OSError, ValueError) as error:  # ValueError: a path without a name
            raise self.cannot_write(error) from error

    def _cut(self, surplus: int) -> None:
        if self._part is not None and surplus > 0:
            with contextlib.suppress(OSError):
                size = self.tell() - surplus
                os.ftruncate(self._fd, size)
                os.lseek(self._fd, size, os.SEEK_SET)

    def _finish(self) -> None:
        if self._part is not None:
            os.fsync(self._fd)  # some file systems notice only now that they are full
            os.replace(self._part, self._out)
            self._part = None


def write_whole(out: str, data: bytes) -> None:
    """Write `data` to `out`, which has it all or is as it was. Raises `SinkError`."""
    file = PartFile(out, keep_ending=True)
    try:
        file.write(data, lines=False)
    finally:
        file.close()

"""Frames as CSV, written so that neither a crash nor a full disk leaves half a file under the final name."""

import contextlib
import os
import stat
import sys
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Protocol

import numpy as np
import numpy.typing as npt

from dtalker_model.blendshapes import ARKIT_NAMES
from dtalker_model.errors import DtalkerError, SinkError

HEADER = ",".join(("time_s", *ARKIT_NAMES)) + "\n"
_ROW = ",".join(["%.2f"] + ["%.5f"] * len(ARKIT_NAMES)) + "\n"


class TimedWeights(Protocol):
    """What a row needs of a `Frame`."""

    @property
    def time_s(self) -> float: ...
    @property
    def weights(self) -> npt.NDArray[np.float32]: ...


def csv_rows(frames: Sequence[TimedWeights]) -> str:
    """One line for each frame: its time in seconds and its 52 weights in 0..1."""
    return "".join([_ROW % (frame.time_s, *frame.weights.tolist()) for frame in frames])


class FrameCsv:
    """Context manager that writes frames to `out`: a path, or ``-`` for stdout.

    A regular file grows as ``NAME.part`` and gets its name when complete. When writing or reading fails, or the user
    interrupts, the whole rows so far stay in ``NAME.part`` and the error says so. Devices and pipes are written to
    directly. Raises `SinkError`.
    """

    def __init__(self, out: str) -> None:
        self.frames = 0
        self._out = out
        self._part: Path | None = None
        self._fd = self._opened()

    def __enter__(self) -> "FrameCsv":
        try:
            self._write(HEADER.encode())
        except OSError:
            self._close()
            raise
        return self

    def write(self, frames: Sequence[TimedWeights]) -> None:
        """Append `frames`; whole rows reach the file before this returns."""
        if frames:
            self._write(csv_rows(frames).encode())
            self.frames += len(frames)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if error is None:
                self._finish()
        except OSError as failure:
            raise SinkError(f"{self._cannot_write(failure)}{self._what_is_left()}") from failure
        finally:
            self._close()
        if isinstance(error, (DtalkerError, KeyboardInterrupt)):
            error.args = (f"{error}{self._what_is_left()}",)

    def _opened(self) -> int:
        if self._out == "-":
            sys.stdout.flush()
            return sys.stdout.fileno()
        path = Path(self._out)
        try:
            if path.exists() and not stat.S_ISREG(path.stat().st_mode):
                return os.open(path, os.O_WRONLY)
            self._part = path.with_name(path.name + ".part")
            return os.open(self._part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o666)
        except (OSError, ValueError) as error:  # ValueError: a path without a name
            raise self._cannot_write(error) from error

    def _write(self, data: bytes) -> None:
        written = 0
        try:
            while written < len(data):
                written += os.write(self._fd, data[written:])
        except BrokenPipeError:
            raise
        except OSError as error:
            self._cut_half_row(written, data)
            raise self._cannot_write(error) from error

    def _cut_half_row(self, written: int, data: bytes) -> None:
        if self._part is not None:
            whole = data.rfind(b"\n", 0, written) + 1
            self.frames += data.count(b"\n", 0, whole) if data != HEADER.encode() else 0
            with contextlib.suppress(OSError):
                os.ftruncate(self._fd, os.lseek(self._fd, 0, os.SEEK_CUR) - (written - whole))

    def _finish(self) -> None:
        if self._part is not None:
            os.fsync(self._fd)  # some file systems notice only now that they are full
            os.replace(self._part, self._out)
            self._part = None

    def _close(self) -> None:
        if self._out != "-":
            os.close(self._fd)
        if self._part is not None and self.frames == 0:
            self._part.unlink(missing_ok=True)

    def _cannot_write(self, error: Exception) -> SinkError:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        return SinkError(f"cannot write {self._out}: {reason}")

    def _what_is_left(self) -> str:
        if self._part is None or self.frames == 0:
            return ""
        return f"; the {self.frames} frames so far are in {self._part}"

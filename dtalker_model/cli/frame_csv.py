"""The CSV of ``dtalker render --out``: an error or an interruption says where the whole rows so far are."""

from collections.abc import Sequence
from types import TracebackType

from dtalker_model.errors import DtalkerError
from dtalker_model.part_file import PartFile
from dtalker_model.sinks.protocol import TimedWeights
from dtalker_model.sinks.records.csv_file import HEADER, csv_rows


class FrameCsv:
    """Context manager that writes frames to `out`: a path, or ``-`` for stdout. See `PartFile`; raises `SinkError`."""

    def __init__(self, out: str) -> None:
        self._file = PartFile(out)

    @property
    def frames(self) -> int:
        """Frames written so far."""
        return self._file.records

    def __enter__(self) -> "FrameCsv":
        try:
            self._file.write(HEADER.encode(), counted=False)
        except OSError:
            self._file.close()
            raise
        return self

    def write(self, frames: Sequence[TimedWeights]) -> None:
        """Append `frames`; whole rows reach the file before this returns."""
        if frames:
            self._file.write(csv_rows(frames).encode())

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        told = self._file.failed
        self._file.close(complete=error is None)
        if isinstance(error, (DtalkerError, KeyboardInterrupt)) and not told:
            error.args = (f"{error}{self._file.left_over}",)

"""CSV: a header, then a row for each frame with its time in seconds, its 52 weights and the pose of the head.

The pose comes last, so that whoever reads 53 columns reads on, and has the names that `training fit-joints` knows.
"""

from collections.abc import Sequence
from pathlib import Path

from dtalker_model.blendshapes import ARKIT_NAMES
from dtalker_model.output.pose import POSE_NAMES
from dtalker_model.part_file import PartFile
from dtalker_model.sinks.protocol import StreamInfo, TimedWeights

HEADER = ",".join(("time_s", *ARKIT_NAMES, *POSE_NAMES)) + "\n"
_WEIGHTS = ",".join(["%.5f"] * (len(ARKIT_NAMES) + len(POSE_NAMES))) + "\n"
_ROW = "%.2f," + _WEIGHTS
_FINE_ROW = "%.6f," + _WEIGHTS


def csv_rows(frames: Sequence[TimedWeights], row: str = _ROW) -> str:
    """One line for each frame: its time in seconds, its 52 weights in 0..1, and its head's pose in rad."""
    return "".join([row % (frame.time_s, *frame.weights.tolist(), *frame.head.tolist()) for frame in frames])


class CsvSink:
    """``csv:FILE``, or ``csv:-`` for stdout."""

    address = None

    def __init__(self, target: str, label: str = "csv", rate_hz: float | None = None) -> None:
        self.label, self.rate_hz = label, rate_hz
        self._target = target
        self._row = _ROW if rate_hz is None else _FINE_ROW
        self._file: PartFile | None = None

    @property
    def path(self) -> Path | None:
        return None if self._target == "-" else Path(self._target)

    def open(self, info: StreamInfo) -> None:
        self._file = PartFile(self._target)
        self._row = _ROW if self.rate_hz is None and (100 / info.frame_rate_hz).is_integer() else _FINE_ROW
        self._file.write(HEADER.encode(), counted=False)

    def write(self, frame: TimedWeights) -> None:
        assert self._file is not None
        self._file.write(csv_rows((frame,), self._row).encode())

    def close(self) -> None:
        if self._file is not None:
            self._file.close()

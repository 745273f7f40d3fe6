"""JSON lines: one object for each frame, weights by their ARKit names, the pose of the head by its own."""

import json
from pathlib import Path

from dtalker_model.output.pose import POSE_NAMES
from dtalker_model.part_file import PartFile
from dtalker_model.sinks.protocol import StreamInfo, TimedWeights

DIGITS = 5


class JsonLinesSink:
    """``jsonl:FILE``, or ``jsonl:-`` for stdout: ``{"frame": 0, "time_s": 0.0, "weights": {"jawOpen": 0.1, ...},
    "head": {"yaw": 0.05, ...}}``, the head in rad.
    """

    address = None

    def __init__(self, target: str, label: str = "jsonl", rate_hz: float | None = None) -> None:
        self.label, self.rate_hz = label, rate_hz
        self._target = target
        self._file: PartFile | None = None
        self._names: tuple[str, ...] = ()

    @property
    def path(self) -> Path | None:
        return None if self._target == "-" else Path(self._target)

    def open(self, info: StreamInfo) -> None:
        self._names = info.names
        self._file = PartFile(self._target)

    def write(self, frame: TimedWeights) -> None:
        assert self._file is not None
        weights = {name: round(value, DIGITS) for name, value in zip(self._names, frame.weights.tolist())}
        head = {name: round(value, DIGITS) for name, value in zip(POSE_NAMES, frame.head.tolist())}
        row = {"frame": self._file.records, "time_s": round(frame.time_s, 6), "weights": weights, "head": head}
        self._file.write(json.dumps(row).encode() + b"\n")

    def close(self) -> None:
        if self._file is not None:
            self._file.close()

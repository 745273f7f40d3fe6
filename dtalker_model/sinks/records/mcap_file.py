"""MCAP with ROS 2 messages: opens in Foxglove, plays with ``ros2 bag play TAKE.mcap``.

Holds ``dtalker/msg/Blendshapes`` on ``/blendshapes``, ``dtalker/msg/Head`` on ``/head`` and, once,
``dtalker/msg/FaceInfo`` on ``/dtalker/info``.
"""

import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

from dtalker_model.errors import SinkError
from dtalker_model.output.pose import POSE_NAMES
from dtalker_model.part_file import PartFile
from dtalker_model.sinks.needed import needed
from dtalker_model.sinks.protocol import StreamInfo, TimedWeights
from dtalker_model.sinks.records.mcap_schema import (
    BLENDSHAPES_TEXT,
    BLENDSHAPES_TYPE,
    HEAD_TEXT,
    HEAD_TYPE,
    INFO_TEXT,
    INFO_TYPE,
)

CHUNK_BYTES = 16_384
"""About a second of frames: no more than this is lost when the power goes."""

_CHUNK, _DATA_END = b"\x06", b"\x0f"
_MAGIC = b"\x89MCAP0\r\n"
_END = struct.pack("<BQI", 0x0F, 4, 0) + struct.pack("<BQQQI", 0x02, 20, 0, 0, 0) + _MAGIC
"""Data end, and a footer that says: there is no summary, read from the start."""


class McapSink:
    """``mcap:FILE``."""

    address = None

    def __init__(self, target: str, label: str = "mcap", rate_hz: float | None = None) -> None:
        self.label, self.rate_hz = label, rate_hz
        self.path = Path(target)
        self._info = StreamInfo(0)
        self._writer: Any = None
        self._schema: Any = None
        self._head_schema: Any = None
        self._stream: _RecordStream | None = None
        self._frames = 0

    def open(self, info: StreamInfo) -> None:
        library = needed("mcap_ros2.writer", "mcap-ros2-support")
        self._info = info
        self._stream = _RecordStream(str(self.path), lambda: self._frames)
        self._writer = library.Writer(self._stream, chunk_size=CHUNK_BYTES)
        schema = self._writer.register_msgdef(INFO_TYPE, INFO_TEXT)
        self._schema = self._writer.register_msgdef(BLENDSHAPES_TYPE, BLENDSHAPES_TEXT)
        self._head_schema = self._writer.register_msgdef(HEAD_TYPE, HEAD_TEXT)
        self._write("/dtalker/info", schema, info.begun_ns, _face_info(info))

    def write(self, frame: TimedWeights) -> None:
        message: dict[str, Any] = {"sequence": self._frames, "weights": frame.weights.tolist()}
        head: dict[str, Any] = {"sequence": self._frames, **dict(zip(POSE_NAMES, frame.head.tolist()))}
        time_ns = self._info.begun_ns + round(frame.time_s * 1e9)
        self._write("/head", self._head_schema, time_ns, head)
        self._frames += 1  # a recording that is cut between the two has a frame less
        self._write("/blendshapes", self._schema, time_ns, message)

    def _write(self, topic: str, schema: Any, time_ns: int, message: dict[str, Any]) -> None:
        seconds, nanoseconds = divmod(time_ns, 1_000_000_000)
        stamp = {"sec": seconds, "nanosec": nanoseconds}
        message["header"] = {"stamp": stamp, "frame_id": self._info.face}
        self._writer.write_message(topic, schema, message, log_time=time_ns, sequence=message.get("sequence", 0))

    def close(self) -> None:
        if self._stream is None:
            return
        try:
            if self._writer is not None and not self._stream.file.failed:
                self._writer.finish()
        finally:
            self._stream.close()


def _face_info(info: StreamInfo) -> dict[str, Any]:
    return {
        "names": list(info.names),
        "frame_rate_hz": info.frame_rate_hz,
        "lookahead_ms": info.lookahead_ms,
        "playout_delay_ms": info.lookahead_ms,
        "model": info.model,
        "model_sha256": info.model_sha256,
        "licence": info.licence,
        "identities": list(info.identities),
        "emotions": list(info.emotions),
        "steps": info.steps,
        "step_counts": list(info.step_counts),
    }


class _RecordStream:
    """What the MCAP library writes to. It hands over whole records, so that each end of a write is a good place to
    cut: after a failure the file ends there, readable, in ``NAME.part.mcap``.
    """

    def __init__(self, out: str, frames: Callable[[], int]) -> None:
        """`frames` tells how many frames are in the file once the chunk at hand is."""
        self._frames = frames
        self.file = PartFile(out, keep_ending=True)
        self._size = 0
        self._ended = False
        self._ends = [(0, 0), (0, 0)]
        """Sizes of the file where it may be cut, and the frames before them."""

    def write(self, data: bytes) -> int:
        try:
            self.file.write(data, counted=False, lines=False)
        except SinkError as error:
            self._end_early()
            reason = error.__cause__ if isinstance(error.__cause__, OSError) else error
            raise SinkError(f"{self.file.cannot_write(reason)}{self.file.left_over}") from error
        self._size += len(data)
        if data[:1] == _CHUNK:
            self.file.records = self._frames()
        if data[:1] == _DATA_END:
            self._ended = True
        if not self._ended:
            self._ends = [self._ends[1], (self._size, self.file.records)]
        return len(data)

    def tell(self) -> int:
        return self._size

    def flush(self) -> None:
        """Nothing is held back."""

    def close(self) -> None:
        self.file.close()

    def _end_early(self) -> None:
        """End the file after the last whole record, or the one before where there is no room even for that."""
        for size, frames in reversed(self._ends):
            self.file.cut_to(size)
            self.file.records = frames
            try:
                self.file.write(_END, counted=False, lines=False)
                return
            except SinkError:
                continue

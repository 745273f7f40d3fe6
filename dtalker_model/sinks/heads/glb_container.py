"""The binary form of glTF 2.0 (``.glb``): a JSON description and one block of bytes."""

import json
import stat
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from dtalker_model.avatar.document import check_document
from dtalker_model.errors import SinkError

_MAGIC, _VERSION = b"glTF", 2
_JSON, _BINARY = b"JSON", b"BIN\0"
_TYPES = {5120: np.int8, 5121: np.uint8, 5122: np.int16, 5123: np.uint16, 5125: np.uint32, 5126: np.float32}
_COMPONENTS = {"SCALAR": 1, "VEC2": 2, "VEC3": 3, "VEC4": 4, "MAT4": 16}
FLOAT = 5126
LARGEST_BYTES = 500_000_000
"""Of a head; it is held in memory."""


@dataclass
class Glb:
    """A glTF asset; `binary` is buffer 0."""

    json: dict[str, Any]
    binary: bytes

    @staticmethod
    def read(path: Path) -> "Glb":
        """The asset in `path`; raises `SinkError` where it is no self-contained ``.glb``."""
        try:
            about = path.stat()
            fault = "" if stat.S_ISREG(about.st_mode) else "no regular file"
            fault = fault or (f"of more than {LARGEST_BYTES:,} bytes" if about.st_size > LARGEST_BYTES else "")
            data = b"" if fault else path.read_bytes()
        except OSError as error:
            raise SinkError(f"cannot read the head {path}: {error.strerror}") from error
        if fault:
            raise SinkError(f"cannot read the head {path}: it is {fault}")
        try:
            return Glb.parse(data)
        except (ValueError, KeyError, struct.error, RecursionError) as error:
            raise SinkError(f"the head {path} is no .glb file of glTF 2.0 ({error})") from error

    @staticmethod
    def parse(data: bytes) -> "Glb":
        """The asset in `data`; raises `ValueError` or `struct.error`."""
        magic, version, _ = struct.unpack_from("<4sII", data)
        if magic != _MAGIC or version != _VERSION:
            raise ValueError("another kind of file")
        chunks: dict[bytes, bytes] = {}
        at = 12
        while at < len(data):
            length, kind = struct.unpack_from("<I4s", data, at)
            chunks.setdefault(kind, data[at + 8 : at + 8 + length])
            at += 8 + length
        asset = json.loads(chunks[_JSON])
        check_document(asset)
        if any("uri" in buffer for buffer in asset.get("buffers", [])):
            raise ValueError("its data is in another file")
        return Glb(asset, chunks.get(_BINARY, b""))

    def to_bytes(self) -> bytes:
        """The file's content."""
        text = json.dumps(self.json, separators=(",", ":")).encode()
        text += b" " * (-len(text) % 4)
        binary = self.binary + b"\0" * (-len(self.binary) % 4)
        total = 12 + 8 + len(text) + 8 + len(binary)
        head = struct.pack("<4sII", _MAGIC, _VERSION, total)
        return head + struct.pack("<I4s", len(text), _JSON) + text + struct.pack("<I4s", len(binary), _BINARY) + binary

    def add_floats(self, values: npt.NDArray[np.float32], kind: str = "SCALAR") -> int:
        """Append `values` (n,) or (n, components) to the buffer; the new accessor's index."""
        self.binary += b"\0" * (-len(self.binary) % 4)
        data = np.ascontiguousarray(values, "<f4").tobytes()
        views, accessors = self.json.setdefault("bufferViews", []), self.json.setdefault("accessors", [])
        views.append({"buffer": 0, "byteOffset": len(self.binary), "byteLength": len(data)})
        accessor = {"bufferView": len(views) - 1, "componentType": FLOAT, "count": len(values), "type": kind}
        if kind == "SCALAR" and len(values):
            accessor |= {"min": [float(values.min())], "max": [float(values.max())]}
        accessors.append(accessor)
        self.binary += data
        self.json.setdefault("buffers", [{}])[0]["byteLength"] = len(self.binary)
        return len(accessors) - 1

    def array(self, index: int) -> npt.NDArray[Any]:
        """Values of an accessor, (count, components); normalised integers as floats."""
        accessor = self.json["accessors"][index]
        kind, width = np.dtype(_TYPES[accessor["componentType"]]), _COMPONENTS[accessor["type"]]
        values = np.zeros((accessor["count"], width), kind)
        if "bufferView" in accessor:
            values[:] = self._view(accessor, kind, width, accessor["count"])
        if "sparse" in accessor:
            sparse = accessor["sparse"]
            row_kind = np.dtype(_TYPES[sparse["indices"]["componentType"]])
            rows = self._view(sparse["indices"], row_kind, 1, sparse["count"])
            values[rows[:, 0]] = self._view(sparse["values"], kind, width, sparse["count"])
        if accessor.get("normalized"):
            return np.maximum(values.astype(np.float32) / np.iinfo(kind.name).max, -1)
        return values

    def _view(self, at: dict[str, Any], kind: np.dtype[Any], width: int, count: int) -> npt.NDArray[Any]:
        view = self.json["bufferViews"][at["bufferView"]]
        start = view.get("byteOffset", 0) + at.get("byteOffset", 0)
        stride = view.get("byteStride", kind.itemsize * width)
        strides = (stride, kind.itemsize)
        return np.ndarray((count, width), kind, self.binary, start, strides)

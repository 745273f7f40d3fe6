"""What crosses the WebSocket: binary frames and audio, and the page's JSON messages, checked field by field.

Binary, little-endian: uint32 kind, uint32 stream, uint32 number, uint32 zero, float64 time_s, then the payload.
A frame (kind 1) carries its sequence number, 52 float32 and the 5 of the head; audio (kind 2) its sample rate and int16
mono samples; the page's microphone (kind 3) likewise, without a stream.
"""

import json
import math
import struct
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from dtalker_model.errors import DtalkerError

FRAME, AUDIO, MICROPHONE = 1, 2, 3
HEADER = struct.Struct("<IIIId")
MAX_MESSAGE_BYTES = 64 * 1024
"""Largest message that a page may send: four seconds of 8 kHz audio, far more than any control needs."""
MAX_CHANGES = 200
MICROPHONE_HZ = (8_000, 192_000)


class MessageError(DtalkerError, ValueError):
    """A message from a page that makes no sense."""


@dataclass(frozen=True)
class Message:
    """A page's request.

    Attributes:
        kind: ``set``, ``play``, ``stop``, ``loop`` or ``microphone``.
        number: the page's own number of it, for the answer.
        changes: of ``set``, setting names and values; whether they are allowed is for the engine to say.
        on: of ``loop`` and ``microphone``.
        from_s: of ``play``.
    """

    kind: str
    number: int = 0
    changes: dict[str, Any] | None = None
    on: bool = False
    from_s: float = 0.0


FIELDS: dict[str, set[str]] = {
    "set": {"changes"},
    "play": {"from_s"},
    "stop": set(),
    "loop": {"on"},
    "microphone": {"on"},
}
"""The kinds of message and the fields of each, beside ``type`` and ``id``."""

OPTIONAL = {"from_s"}


def frame_message(
    stream: int, sequence: int, time_s: float, weights: npt.NDArray[np.float32], head: npt.NDArray[np.float32]
) -> bytes:
    """A face: `weights` (52,) in 0..1 and `head` (5,) in rad, to be shown `time_s` seconds into `stream`."""
    values = np.concatenate([weights, head]).astype("<f4")
    return HEADER.pack(FRAME, stream, sequence & 0xFFFFFFFF, 0, time_s) + values.tobytes()


def audio_message(stream: int, sample_rate_hz: int, time_s: float, samples: npt.NDArray[np.int16]) -> bytes:
    """Mono audio to be heard `time_s` seconds into `stream`."""
    return HEADER.pack(AUDIO, stream, sample_rate_hz, 0, time_s) + samples.astype("<i2").tobytes()


def microphone_samples(data: bytes) -> tuple[npt.NDArray[np.int16], int]:
    """Samples (n,) and sample rate in Hz of a page's microphone; raises `MessageError`."""
    if len(data) <= HEADER.size or (len(data) - HEADER.size) % 2:
        raise MessageError(f"a binary message of {len(data)} bytes is no audio")
    kind, _, rate_hz, _, _ = HEADER.unpack_from(data)
    low_hz, high_hz = MICROPHONE_HZ
    if kind != MICROPHONE or not low_hz <= rate_hz <= high_hz:
        raise MessageError(
            f"binary message of kind {kind} at {rate_hz} Hz; expected {MICROPHONE}, {low_hz} to {high_hz}"
        )
    return np.frombuffer(data, "<i2", offset=HEADER.size).astype(np.int16), rate_hz


def parse(text: str) -> Message:
    """The request in a page's JSON `text`; raises `MessageError`."""
    try:
        fields = json.loads(text, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise MessageError(f"not JSON: {error}") from None
    if not isinstance(fields, dict):
        raise MessageError(f"expected an object, received {type(fields).__name__}")
    kind, number = fields.pop("type", None), fields.pop("id", 0)
    if not isinstance(kind, str) or kind not in FIELDS:
        raise MessageError(f"unknown type {str(kind)[:40]!r}; known: {', '.join(FIELDS)}")
    if set(fields) - FIELDS[kind]:
        raise MessageError(f"{kind}: unknown field {sorted(set(fields) - FIELDS[kind])[0][:40]!r}")
    if FIELDS[kind] - OPTIONAL - set(fields):
        raise MessageError(f"{kind}: needs the field {sorted(FIELDS[kind] - OPTIONAL)[0]!r}")
    if not _is_whole(number):
        raise MessageError("id: expected a whole number")
    return Message(kind, number, **{name: _checked(name, value) for name, value in fields.items()})


def _checked(name: str, value: Any) -> Any:
    if name == "changes" and not (isinstance(value, dict) and 0 < len(value) <= MAX_CHANGES):
        raise MessageError(f"changes: expected an object of 1 to {MAX_CHANGES} settings")
    if name == "on" and not isinstance(value, bool):
        raise MessageError("on: expected true or false")
    if name == "from_s":
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= 1e6:
            raise MessageError("from_s: expected seconds from 0")
        return float(value)
    return value


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**53


def _no_constant(name: str) -> float:
    raise ValueError(f"{name} is not a number of JSON")


def to_json(kind: str, /, **fields: Any) -> str:
    """A message for the page; numbers that JSON lacks become null."""
    return json.dumps({"type": kind, **_finite(fields)}, separators=(",", ":"), allow_nan=False)


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _finite(entry) for key, entry in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(entry) for entry in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value

"""Lengths that the writer of a header did not know, in formats other than WAV: what must stand there in their place."""

import re
import struct
from collections.abc import Callable

HEAD_BYTES = 4096
"""Of a file; no header that has one of these fields is longer before its samples."""

Patch = dict[int, bytes]
"""Bytes by the offset at which they belong."""


def true_sizes(head: bytes, size: int) -> Patch:
    """What to put over `head`, the first `HEAD_BYTES` of a file of `size` bytes, so that it is read to its end."""
    return next((patch(head, size) for pattern, patch in _FORMATS if pattern.match(head)), {})


def _au(head: bytes, size: int) -> Patch:
    order = ">" if head[:4] == b".snd" else "<"
    data_at, announced = struct.unpack_from(f"{order}II", head, 4)
    room = size - data_at
    return {8: struct.pack(f"{order}I", min(room, 0xFFFFFFFF))} if announced == 0 < room else {}


def _aiff(head: bytes, size: int) -> Patch:
    """A chunk of samples that says it has none, and no chunk behind it: libsndfile reads on where its size is 0."""
    at = head.find(b"SSND")
    if at < 0 or struct.unpack_from(">I", head, at + 4)[0] > 8 or size <= at + 16:
        return {}
    after = re.match(rb"[A-Z()\xa9 ]{4}\x00", head[at + 16 :])
    return {} if after else {at + 4: bytes(4)}


def _caf(head: bytes, size: int) -> Patch:
    at = head.find(b"data", 8)
    return _long_size(head, at + 4, ">q", size - at - 12) if at > 0 else {}


def _w64(head: bytes, size: int) -> Patch:
    """Its sizes count the 24 bytes of the chunk's own header."""
    at = head.find(b"data\xf3\xac\xd3\x11\x8c\xd1\x00\xc0\x4f\x8e\xdb\x8a")
    return _long_size(head, at + 16, "<q", size - at) if at > 0 else {}


def _long_size(head: bytes, at: int, form: str, room: int) -> Patch:
    """`room` in place of the 64 bits at `at`, where those are no length or one beyond the file."""
    announced = struct.unpack_from(form, head, at)[0] if len(head) >= at + 8 else room
    return {} if 0 < announced <= room else {at: struct.pack(form, room)}


_FORMATS: tuple[tuple[re.Pattern[bytes], Callable[[bytes, int], Patch]], ...] = (
    (re.compile(rb"(?:\.snd|dns\.)[\x00-\xff]{20}"), _au),
    (re.compile(rb"FORM[\x00-\xff]{4}AIF[FC]"), _aiff),
    (re.compile(rb"caff\x00\x01\x00\x00"), _caf),
    (re.compile(rb"riff\x2e\x91\xcf\x11"), _w64),
)

"""The header of a RIFF/WAVE file or stream: what its samples are, and how many bytes of them it announces."""

import io
import re
import struct
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from dtalker_model.errors import AudioError

SIGNATURE = re.compile(rb"(?:RIFF|RIFX|RF64)[\s\S]{4}WAVE(?=fmt |ds64|JUNK|junk|bext|LIST|fact|PAD |FLLR)")
"""A header's beginning, also in the midst of a stream: 128 bits that no PCM has by chance."""
SIGNATURE_BYTES = 16
UNKNOWN_FROM = 2_000_000_000
"""Writers that cannot seek announce 0, or one of many sizes from here on, in place of a length."""
LONGEST_HEADER = 16_000_000

_PCM, _FLOAT, _ALAW, _ULAW, _EXTENSIBLE = 1, 3, 6, 7, 0xFFFE
_SUBTYPES = {
    (_PCM, 8): "PCM_U8",
    (_PCM, 16): "PCM_16",
    (_PCM, 24): "PCM_24",
    (_PCM, 32): "PCM_32",
    (_FLOAT, 32): "FLOAT",
    (_FLOAT, 64): "DOUBLE",
    (_ALAW, 8): "ALAW",
    (_ULAW, 8): "ULAW",
}


@dataclass(frozen=True)
class WaveFormat:
    """What the samples are."""

    sample_rate_hz: int
    channels: int
    codec: int
    """Format tag: 1 is PCM, 3 float."""
    bits: int
    big_endian: bool = False

    @property
    def subtype(self) -> str | None:
        """libsndfile's name of samples that stand for themselves; None for codecs with blocks or tables."""
        return _SUBTYPES.get((self.codec, self.bits))

    @property
    def block_bytes(self) -> int:
        """Bytes of one sample of all channels."""
        return self.channels * self.bits // 8

    @property
    def text(self) -> str:
        """For people."""
        return f"{self.sample_rate_hz} Hz with {self.channels} channel(s) of {self.bits} bits"

    def decode(self, data: bytes) -> npt.NDArray[np.float32]:
        """Whole samples as (samples, channels) in -1..1, floats as they are."""
        if not data:
            return np.zeros((0, self.channels), np.float32)
        import soundfile  # a robot that publishes no WAV needs none

        pcm, _ = soundfile.read(
            io.BytesIO(data),
            dtype="float32",
            always_2d=True,
            samplerate=self.sample_rate_hz,
            channels=self.channels,
            format="RAW",
            subtype=self.subtype,
            endian="BIG" if self.big_endian else "LITTLE",
        )
        return pcm


@dataclass(frozen=True)
class WaveHeader:
    """A header that is complete."""

    format: WaveFormat
    data_at: int
    """Offset of the first sample's byte."""
    announced: int
    """Bytes of samples as the header has it."""

    @property
    def data_bytes(self) -> int | None:
        """Bytes of samples; None where the writer did not know (a size of 0 means that, mostly)."""
        return self.announced if 0 < self.announced < UNKNOWN_FROM else None


def is_wave(data: bytes) -> bool:
    """Whether `data` begins like a RIFF/WAVE file."""
    return data[:4] in (b"RIFF", b"RIFX", b"RF64") and data[8:12] == b"WAVE"


def begins_like_wave(data: bytes) -> bool:
    """The same of `data` that may end in the midst of the first twelve bytes."""
    return data[:4] in (b"RIFF", b"RIFX", b"RF64") and b"WAVE".startswith(data[8:12])


def read_header(data: bytes) -> WaveHeader | None:
    """The header that `data` begins with; None where more bytes are needed. Raises `AudioError` where it is damaged."""
    order = ">" if data[:4] == b"RIFX" else "<"
    at, found, long_bytes = 12, None, None
    while len(data) >= at + 8:
        name, size = data[at : at + 4], struct.unpack_from(f"{order}I", data, at + 4)[0]
        if name == b"data":
            if found is None:
                raise AudioError("the WAV header has no format before its samples")
            return WaveHeader(found, at + 8, long_bytes if size == 0xFFFFFFFF and long_bytes else size)
        body = data[at + 8 : at + 8 + size]
        at += 8 + size + size % 2
        if at > LONGEST_HEADER:
            break
        if name in (b"fmt ", b"ds64") and len(body) < size:
            return None
        if name == b"fmt ":
            found = _format(body, order)
        if name == b"ds64" and size >= 16:
            long_bytes = struct.unpack_from("<Q", body, 8)[0]
    if at > LONGEST_HEADER:
        raise AudioError("the WAV header is damaged: it names no samples")
    return None


def _format(body: bytes, order: str) -> WaveFormat:
    if len(body) < 16:
        raise AudioError(f"the WAV header is damaged: {len(body)} bytes of format")
    codec, channels, rate_hz, _, _, bits = struct.unpack_from(f"{order}HHIIHH", body)
    if codec == _EXTENSIBLE and len(body) >= 26:
        codec = struct.unpack_from(f"{order}H", body, 24)[0]
    if channels == 0 or rate_hz == 0:
        raise AudioError(f"the WAV header is damaged: {channels} channels at {rate_hz} Hz")
    return WaveFormat(rate_hz, channels, codec, bits, order == ">")

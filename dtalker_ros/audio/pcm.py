"""Raw PCM: the names of sample formats that publishers use, and bytes or numbers in them as a numpy array."""

import re
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dtalker_model.errors import AudioError
from dtalker_model.hearing.audio import LOUDEST_FLOAT, MAX_CHANNELS


@dataclass(frozen=True)
class SampleFormat:
    """How one sample lies in memory."""

    kind: str
    """'S' signed integer, 'U' unsigned integer, 'F' float."""
    bits: int
    """Bits of one sample: 8, 16, 24, 32 or 64."""
    big_endian: bool = False

    @property
    def width_bytes(self) -> int:
        """Bytes of one sample."""
        return self.bits // 8

    @property
    def name(self) -> str:
        """The name GStreamer gives it, such as S16LE; 8-bit formats have no byte order."""
        order = "" if self.bits == 8 else "BE" if self.big_endian else "LE"
        return f"{self.kind}{self.bits}{order}"


S16LE = SampleFormat("S", 16)
"""What nearly everybody publishes."""


@dataclass(frozen=True)
class AudioFormat:
    """What bytes are when the message itself does not say."""

    sample_rate_hz: int = 16_000
    channels: int = 1
    form: SampleFormat = S16LE


UNDECLARED = AudioFormat()

_KNOWN = {("S", 8), ("U", 8), ("S", 16), ("S", 24), ("S", 32), ("F", 32), ("F", 64)}
_PATTERN = re.compile(r"(?:pcm[-_ ]?)?(s|u|f|int|uint|float)(8|16|24|32|64)[-_ ]?(le|be)?")


def sample_format(name: str) -> SampleFormat:
    """The format called `name`: S16LE, F32LE, U8, pcm-s16, int16, float32 and the like, in any case.

    Raises `AudioError` for a name that is not PCM or not known.
    """
    match = _PATTERN.fullmatch(name.strip().lower())
    key = None if match is None else ("S" if match[1] == "int" else match[1][0].upper(), int(match[2]))
    if match is None or key not in _KNOWN:
        raise AudioError(f"unknown sample format {name!r}: use one of S8, U8, S16LE, S16BE, S24LE, S32LE, F32LE, F64LE")
    return SampleFormat(*key, match[3] == "be")


def samples_of_bytes(data: bytes, form: SampleFormat, channels: int) -> NDArray[np.generic]:
    """`data` in `form` as an array (samples, channels) of int16, int32, float32 or float64 in native byte order.

    8-bit samples become int16, 24-bit samples int32, both at full scale. Raises `AudioError` when the bytes are
    no whole number of samples for all channels.
    """
    step = form.width_bytes * channels
    if len(data) % step:
        raise AudioError(
            f"{len(data)} bytes of {form.name} with {channels} channel(s) are no whole number of samples of {step} "
            "bytes: check audio_format and audio_channels, and that the publisher sends raw PCM"
        )
    if form.bits == 8:
        return widen_8_bit(np.frombuffer(data, np.uint8 if form.kind == "U" else np.int8)).reshape(-1, channels)
    if form.bits == 24:
        return _widen_24_bit(data, form.big_endian).reshape(-1, channels)
    order = ">" if form.big_endian else "<"
    code = {"S": "i", "F": "f"}[form.kind]
    array = np.frombuffer(data, f"{order}{code}{form.width_bytes}")
    return array.astype(array.dtype.newbyteorder("="), copy=False).reshape(-1, channels)


def widen_8_bit(samples: NDArray[np.generic]) -> NDArray[np.int16]:
    """int8 or uint8 samples (any shape; unsigned ones rest at 128) as int16 at full scale."""
    centre = 128 if samples.dtype == np.uint8 else 0
    return ((samples.astype(np.int16) - centre) * 256).astype(np.int16)


def _widen_24_bit(data: bytes, big_endian: bool) -> NDArray[np.int32]:
    triples = np.frombuffer(data, np.uint8).reshape(-1, 3)
    padded = np.zeros((len(triples), 4), np.uint8)
    padded[:, 1:] = triples[:, ::-1] if big_endian else triples  # the low byte stays 0: full scale, little endian
    return padded.view("<i4").reshape(-1).astype(np.int32, copy=False)


def interleaved(array: NDArray[np.generic], channels: int) -> NDArray[np.generic]:
    """A flat array as (samples, channels) of a type that the core takes; raises `AudioError`."""
    if array.dtype in (np.int8, np.uint8):
        array = widen_8_bit(array)
    if array.dtype not in (np.int16, np.int32, np.float32, np.float64):
        raise AudioError(f"samples of type {array.dtype}, expected 16- or 32-bit integers or floats")
    if array.size % channels:
        raise AudioError(f"{array.size} samples do not divide into {channels} channels: check audio_channels")
    return array.reshape(-1, channels)


def checked_channels(channels: int) -> int:
    """`channels` as an int; raises `AudioError` where there are none or too many."""
    if not 1 <= channels <= MAX_CHANNELS:
        raise AudioError(f"{channels} channels are out of range, expected 1 to {MAX_CHANNELS}")
    return int(channels)


def check_samples(pcm: NDArray[np.generic]) -> None:
    """Raise `AudioError` for float samples that are not finite or far outside -1..1; (samples, channels)."""
    if pcm.dtype.kind != "f" or pcm.size == 0:
        return
    peak = float(np.max(np.abs(pcm)))
    if not np.isfinite(peak):
        bad = int(pcm.size - np.count_nonzero(np.isfinite(pcm)))
        raise AudioError(f"{bad} of {pcm.size} samples are NaN or infinite: check the publisher")
    if peak > LOUDEST_FLOAT:
        raise AudioError(f"float samples reach {peak:g}, expected -1..1: divide 16-bit samples by 32768 first")

"""Any PCM in, mono float32 at 16 kHz out, chunk by chunk."""

from __future__ import annotations

import numpy as np
import soxr

from dtalker_model.errors import AudioError
from dtalker_model.rates import SAMPLE_RATE_HZ

MIN_RATE_HZ, MAX_RATE_HZ = 8_000, 192_000
MAX_CHUNK_S = 600
MAX_CHANNELS = 64
FULL_SCALE = {"int16": 32_768.0, "int32": 2_147_483_648.0, "float32": 1.0, "float64": 1.0}
LOUDEST_FLOAT = 8.0
"""Float PCM beyond this cannot be meant as -1..1; a little overshoot (mixing, normalising) can."""

RESAMPLER_QUALITY = "LQ"
"""soxr's 16-bit grade: 98 dB of stop band. At 48 kHz it holds back 20 ms, its higher grades 36 ms and more."""


def to_mono(pcm: np.ndarray) -> np.ndarray:
    """Mix PCM down to mono float32 in -1..1.

    Args:
        pcm: int16, int32 (full scale), float32 or float64 (-1..1), shape (samples,) or (samples, channels).

    Returns:
        float32 of shape (samples,).

    Raises:
        AudioError: the type, shape, length or content cannot be used; the message says what was received.
    """
    if not isinstance(pcm, np.ndarray) or pcm.dtype.name not in FULL_SCALE:
        received = pcm.dtype.name if isinstance(pcm, np.ndarray) else type(pcm).__name__
        raise AudioError(f"PCM must be a numpy array of {', '.join(FULL_SCALE)}; received {received}")
    if pcm.ndim not in (1, 2) or (pcm.ndim == 2 and not 1 <= pcm.shape[1] <= MAX_CHANNELS):
        raise AudioError(
            f"PCM must have shape (samples,) or (samples, channels up to {MAX_CHANNELS}); received {pcm.shape}"
        )
    if len(pcm) == 0:
        raise AudioError("empty audio chunk: push at least one sample")
    mono = pcm.astype(np.float32) if pcm.ndim == 1 else pcm.mean(axis=1, dtype=np.float32)
    mono *= np.float32(1.0 / FULL_SCALE[pcm.dtype.name])
    check_level(float(np.abs(mono).max()))
    return mono


def check_level(loudest: float) -> None:
    """Raise `AudioError` where `loudest`, the largest magnitude of float PCM, is no level of sound in -1..1."""
    if not np.isfinite(loudest):
        raise AudioError("audio contains NaN or infinite samples: check the source; this chunk was not accepted")
    if loudest > LOUDEST_FLOAT:
        raise AudioError(
            f"float PCM must be in -1..1; received {loudest:g}: divide 16-bit values by 32768, or pass int16"
        )


def check_rate(sample_rate_hz: int) -> int:
    """`sample_rate_hz` as an int, or AudioError when it is not a whole number in 8000..192000."""
    valid = isinstance(sample_rate_hz, (int, float, np.integer, np.floating)) and not isinstance(sample_rate_hz, bool)
    if not valid or not MIN_RATE_HZ <= sample_rate_hz <= MAX_RATE_HZ or int(sample_rate_hz) != sample_rate_hz:
        raise AudioError(
            f"sample rate must be a whole number of Hz in {MIN_RATE_HZ}..{MAX_RATE_HZ}; received {sample_rate_hz!r}"
        )
    return int(sample_rate_hz)


class Resampler:
    """A stream of PCM at any rate to mono float32 at 16 kHz. The rate may change from chunk to chunk."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Forget the stream."""
        self._rate_hz = SAMPLE_RATE_HZ
        self._stream: soxr.ResampleStream | None = None

    def push(self, pcm: np.ndarray, sample_rate_hz: int) -> np.ndarray:
        """Accept a chunk; return the 16 kHz samples that are complete by now. See `to_mono` for types and errors."""
        rate_hz = check_rate(sample_rate_hz)
        if len(pcm) > MAX_CHUNK_S * rate_hz:
            raise AudioError(
                f"a chunk may hold {MAX_CHUNK_S} s at most; received {len(pcm) / rate_hz:.0f} s: push it in pieces"
            )
        mono = to_mono(pcm)
        tail = self._change_rate(rate_hz) if rate_hz != self._rate_hz else None
        samples = mono if self._stream is None else self._stream.resample_chunk(mono)
        return samples if tail is None else np.concatenate([tail, samples])

    def flush(self) -> np.ndarray:
        """The samples that the filter still holds; afterwards the stream is fresh."""
        tail = self._drain()
        self.reset()
        return tail

    def _change_rate(self, rate_hz: int) -> np.ndarray:
        tail = self._drain()
        self._rate_hz = rate_hz
        self._stream = None
        if rate_hz != SAMPLE_RATE_HZ:
            self._stream = soxr.ResampleStream(rate_hz, SAMPLE_RATE_HZ, 1, dtype="float32", quality=RESAMPLER_QUALITY)
        return tail

    def _drain(self) -> np.ndarray:
        empty = np.zeros(0, np.float32)
        return empty if self._stream is None else self._stream.resample_chunk(empty, last=True)

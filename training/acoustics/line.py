"""Lines between a microphone and an ear: bands and codecs. None of them moves audio in time or changes its length."""

from __future__ import annotations

import io

import numpy as np
import soundfile
import soxr
from scipy.fft import irfft, next_fast_len, rfft

from dtalker_model.rates import SAMPLE_RATE_HZ

TELEPHONE_HZ = (300.0, 3400.0)
HIGH_PASS_ORDER, LOW_PASS_ORDER = 4, 10
MU = 255.0
OPUS_KBPS = (6.0, 256.0)
"""Bit rates of libsndfile's Opus at compression levels 1 and 0; between them it is linear."""


def band_pass(audio: np.ndarray, low_hz: float, high_hz: float) -> np.ndarray:
    """(samples,) between two frequencies: Butterworth magnitudes, 3 dB down at both, without delay.

    Args:
        low_hz: 0 lets everything below `high_hz` pass.
    """
    size = next_fast_len(2 * len(audio))
    hz = np.fft.rfftfreq(size, 1 / SAMPLE_RATE_HZ)
    gain = 1 / np.sqrt(1 + (hz / high_hz) ** (2 * LOW_PASS_ORDER))
    if low_hz > 0:
        gain /= np.sqrt(1 + (low_hz / np.maximum(hz, 1e-3)) ** (2 * HIGH_PASS_ORDER))
    return irfft(rfft(audio, size) * gain, size)[: len(audio)]


def mu_law(audio: np.ndarray) -> np.ndarray:
    """(samples,) in -1..1 through 8 kHz and 8 bits of mu-law (ITU-T G.711); float32."""
    narrow = np.clip(soxr.resample(audio, SAMPLE_RATE_HZ, SAMPLE_RATE_HZ // 2), -1, 1)
    coded = np.round(127 * np.sign(narrow) * np.log1p(MU * np.abs(narrow)) / np.log1p(MU)) / 127
    decoded = np.sign(coded) * np.expm1(np.abs(coded) * np.log1p(MU)) / MU
    return _of_length(soxr.resample(decoded, SAMPLE_RATE_HZ // 2, SAMPLE_RATE_HZ), len(audio))


def opus(audio: np.ndarray, kbps: float) -> np.ndarray:
    """(samples,) in -1..1 through Opus at `kbps` kilobits a second, 6 to 256; float32."""
    least, most = OPUS_KBPS
    coded = io.BytesIO()
    compression = (most - kbps) / (most - least)
    soundfile.write(coded, audio, SAMPLE_RATE_HZ, format="OGG", subtype="OPUS", compression_level=compression)
    coded.seek(0)
    return _of_length(soundfile.read(coded, dtype="float32")[0], len(audio))


def _of_length(audio: np.ndarray, samples: int) -> np.ndarray:
    return np.pad(audio[:samples], (0, max(samples - len(audio), 0))).astype(np.float32)

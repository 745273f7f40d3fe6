"""Rooms."""

from __future__ import annotations

import numpy as np
from scipy.fft import irfft, next_fast_len, rfft

from dtalker_model.rates import SAMPLE_RATE_HZ


def reverberate(audio: np.ndarray, draw: np.random.Generator, t60_s: float) -> np.ndarray:
    """Convolve with exponentially decaying noise behind the direct sound; (samples,) in and out.

    Args:
        t60_s: time in which the room's sound falls by 60 dB.
    """
    times_s = np.arange(int(t60_s * SAMPLE_RATE_HZ)) / SAMPLE_RATE_HZ
    response = draw.normal(size=len(times_s)) * np.exp(-6.9 * times_s / t60_s)
    response *= draw.uniform(0.1, 0.6) / np.sqrt((response**2).sum())
    response[0] = 1.0
    size = next_fast_len(len(audio) + len(response))
    return irfft(rfft(audio, size) * rfft(response, size), size)[: len(audio)]

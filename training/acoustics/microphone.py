"""Microphones and their inputs: colour, level, offset, clipping."""

from __future__ import annotations

import numpy as np
from scipy.fft import irfft, next_fast_len, rfft

from dtalker_model.rates import SAMPLE_RATE_HZ
from training.acoustics.noise import speech_rms

LEAST_RMS = 1e-5
"""What is softer than -100 dBFS is silence, which no input is turned up for."""


def equalise(audio: np.ndarray, draw: np.random.Generator, tilt_db: float, band_gain_db: float) -> np.ndarray:
    """Slope the spectrum of (samples,) by `tilt_db` from 100 Hz to 7 kHz, with up to three broad peaks or dips.

    Args:
        band_gain_db: twice the standard deviation of their height.
    """
    size = next_fast_len(len(audio))
    octaves = np.log2(np.clip(np.fft.rfftfreq(size, 1 / SAMPLE_RATE_HZ), 50.0, 8000.0) / 840.0)
    gain_db = tilt_db * octaves / 6.1
    for _ in range(draw.integers(0, 4)):
        width = draw.uniform(0.3, 1.2)
        peak = np.exp(-(((octaves - draw.uniform(-3, 3)) / width) ** 2))
        gain_db = gain_db + draw.normal(0, band_gain_db / 2) * peak
    return irfft(rfft(audio, size) * 10 ** (gain_db / 20), size)[: len(audio)]


def at_level(audio: np.ndarray, level_dbfs: float) -> np.ndarray:
    """`audio` with its speech (`speech_rms`) at `level_dbfs`, full scale being a constant 1; silence stays."""
    rms = speech_rms(audio)
    return audio * (10 ** (level_dbfs / 20) / rms) if rms > LEAST_RMS else audio


def digitised(audio: np.ndarray, offset: float) -> np.ndarray:
    """Float32 of `audio` with a DC `offset`, as a share of full scale, clipped to -1..1."""
    return np.clip(audio + offset, -1, 1).astype(np.float32)

"""Noise and babble at a signal-to-noise ratio."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.fft import irfft, next_fast_len, rfft

from dtalker_model.rates import FRAME_SAMPLES, SAMPLE_RATE_HZ

SPEECH_RANGE_DB = 25.0
"""Frames that lie further below the loud ones are pauses: they do not count in the level of speech."""
LOWEST_NOISE_HZ, KNEE_HZ = 20.0, 50.0
"""Noise begins at the first; its slope begins at the second, or brown noise would be all below what anyone hears."""
FEWEST_TALKERS, MOST_TALKERS = 3, 6


def speech_rms(audio: np.ndarray) -> float:
    """Root mean square of (samples,) over its frames of 20 ms that are not pauses; 0 for digital silence."""
    framed = np.pad(audio, (0, -len(audio) % FRAME_SAMPLES)).reshape(-1, FRAME_SAMPLES)
    power = np.square(framed, dtype=np.float64).mean(axis=1)
    return float(np.sqrt(power[power >= np.percentile(power, 95) * 10 ** (-SPEECH_RANGE_DB / 10)].mean()))


def coloured(samples: int, draw: np.random.Generator, slope: float) -> np.ndarray:
    """Gaussian noise (samples,) whose amplitude falls with frequency to the power of `slope`: 0 white, 1 brown."""
    size = next_fast_len(samples)
    hz = np.fft.rfftfreq(size, 1 / SAMPLE_RATE_HZ)
    spectrum = rfft(draw.normal(size=size)) * (hz >= LOWEST_NOISE_HZ) / np.maximum(hz, KNEE_HZ) ** slope
    return irfft(spectrum, size)[:samples]


def babble(samples: int, draw: np.random.Generator, voices: Sequence[np.ndarray]) -> np.ndarray:
    """Some of `voices` at once, (samples,): each from somewhere in its clip, again and again, within 3 dB of alike.

    Args:
        voices: mono audio of at least `FEWEST_TALKERS` talkers, 16 kHz.
    """
    talkers = draw.integers(FEWEST_TALKERS, min(MOST_TALKERS, len(voices)) + 1)
    mixed = np.zeros(samples)
    for k in draw.choice(len(voices), talkers, replace=False):
        level = 10 ** (draw.uniform(-3, 3) / 20) / max(speech_rms(voices[k]), 1e-6)
        begin = draw.integers(len(voices[k]))
        mixed += level * np.take(voices[k], np.arange(begin, begin + samples), mode="wrap")
    return mixed


def add_at_snr(audio: np.ndarray, noise: np.ndarray, snr_db: float) -> np.ndarray:
    """`audio` with `noise` of the same length, which is `snr_db` below the level of the speech (`speech_rms`)."""
    rms = np.sqrt(np.square(noise, dtype=np.float64).mean())
    return audio + noise * (speech_rms(audio) * 10 ** (-snr_db / 20) / max(rms, 1e-9))

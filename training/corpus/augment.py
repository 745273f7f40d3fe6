"""Augmentation of audio: what another room, microphone, voice or level would have done to the same speech."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import soxr
from scipy.fft import irfft, next_fast_len, rfft

from dtalker_model.rates import SAMPLE_RATE_HZ


@dataclass(frozen=True)
class Augmentation:
    """Ranges from which each variant of a clip draws.

    Attributes:
        speed: how much faster the audio plays; pitch and formants move with it.
        gain_db: change of level.
        tilt_db: slope of the spectrum, from 100 Hz to 7 kHz.
        band_gain_db: up to three broad peaks or dips.
        cutoff_hz: low-pass, applied to a quarter of the variants (telephones, resamplers).
        noise_snr_db: level of added noise below the speech.
        reverb_t60_s: decay of a room, applied to a third of the variants.
    """

    speed: tuple[float, float] = (0.85, 1.18)
    gain_db: tuple[float, float] = (-18.0, 12.0)
    tilt_db: tuple[float, float] = (-8.0, 8.0)
    band_gain_db: float = 6.0
    cutoff_hz: tuple[float, float] = (3400.0, 6000.0)
    noise_snr_db: tuple[float, float] = (8.0, 50.0)
    reverb_t60_s: tuple[float, float] = (0.1, 0.5)


def augment(audio: np.ndarray, draw: np.random.Generator, ranges: Augmentation) -> tuple[np.ndarray, float]:
    """One variant of mono 16 kHz audio, and the speed it was played at (1.1: a tenth faster)."""
    speed = float(draw.uniform(*ranges.speed))
    audio = soxr.resample(audio, round(SAMPLE_RATE_HZ * speed), SAMPLE_RATE_HZ, quality="MQ")
    if draw.random() < 1 / 3:
        audio = _reverberate(audio, draw, draw.uniform(*ranges.reverb_t60_s))
    audio = _equalise(audio, draw, ranges)
    audio = audio * 10 ** (draw.uniform(*ranges.gain_db) / 20)
    return np.clip(_add_noise(audio, draw, draw.uniform(*ranges.noise_snr_db)), -1, 1).astype(np.float32), speed


def _equalise(audio: np.ndarray, draw: np.random.Generator, ranges: Augmentation) -> np.ndarray:
    size = next_fast_len(len(audio))
    hz = np.fft.rfftfreq(size, 1 / SAMPLE_RATE_HZ)
    octaves = np.log2(np.clip(hz, 50.0, 8000.0) / 840.0)
    gain_db = draw.uniform(*ranges.tilt_db) * octaves / 6.1
    for _ in range(draw.integers(0, 4)):
        width = draw.uniform(0.3, 1.2)
        gain_db = gain_db + draw.normal(0, ranges.band_gain_db / 2) * np.exp(
            -(((octaves - draw.uniform(-3, 3)) / width) ** 2)
        )
    if draw.random() < 1 / 4:
        gain_db = gain_db - 60.0 / (1 + np.exp(-(hz - draw.uniform(*ranges.cutoff_hz)) / 100.0))
    return irfft(rfft(audio, size) * 10 ** (gain_db / 20), size)[: len(audio)]


def _reverberate(audio: np.ndarray, draw: np.random.Generator, t60_s: float) -> np.ndarray:
    """Convolve with exponentially decaying noise behind the direct sound."""
    times_s = np.arange(int(t60_s * SAMPLE_RATE_HZ)) / SAMPLE_RATE_HZ
    response = draw.normal(size=len(times_s)) * np.exp(-6.9 * times_s / t60_s)
    response *= draw.uniform(0.1, 0.6) / np.sqrt((response**2).sum())
    response[0] = 1.0
    size = next_fast_len(len(audio) + len(response))
    return irfft(rfft(audio, size) * rfft(response, size), size)[: len(audio)]


def _add_noise(audio: np.ndarray, draw: np.random.Generator, snr_db: float) -> np.ndarray:
    """White to brown noise at `snr_db` below the loud parts of the speech."""
    colour = draw.uniform(0.0, 1.0)
    size = next_fast_len(len(audio))
    spectrum = rfft(draw.normal(size=size))
    spectrum /= np.maximum(np.arange(len(spectrum)), 1.0) ** colour
    noise = irfft(spectrum, size)[: len(audio)]
    speech = np.sqrt(np.percentile(audio**2, 95)) + 1e-6
    return audio + noise / (noise.std() + 1e-9) * speech * 10 ** (-snr_db / 20) * 0.5

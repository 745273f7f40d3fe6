"""Voices and rooms that the recordings lack, made from log-mel features: what the listener must not be misled by.

All is done to mel power after its floor was taken off, so a voice that is made softer sinks into the floor as it would.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dtalker_model.hearing.features import HIGHEST_HZ, LOWEST_HZ, MEL_BANDS, POWER_FLOOR, hz_to_mel

_EDGES_MEL = np.linspace(hz_to_mel(LOWEST_HZ), hz_to_mel(HIGHEST_HZ), MEL_BANDS + 2)
BANDS_HZ = 700.0 * (10.0 ** (_EDGES_MEL[1:-1] / 2595.0) - 1.0)
BANDS_OCTAVES = np.log2(BANDS_HZ / 840.0)


@dataclass(frozen=True)
class VoiceChange:
    """Ranges from which changes are drawn, alike for all crops of a group: one voice in one room.

    Attributes:
        tract: largest natural logarithm of a change of all frequencies, half of the time; else a fifth of it.
        gain_db: change of level.
        tilt_db: slope of the spectrum, from 100 Hz to 7 kHz.
        band_gain_db: twice the standard deviation of up to three broad peaks or dips.
        noise_snr_db: level of added noise below the loud parts of the speech.
        tempo: largest natural logarithm of a change of tempo; drawn for each crop.
        masked_bands: widest stretch of mel bands that is hidden; drawn for each crop.
    """

    tract: float = 0.08
    gain_db: tuple[float, float] = (-20.0, 8.0)
    tilt_db: float = 3.0
    band_gain_db: float = 2.0
    noise_snr_db: tuple[float, float] = (25.0, 60.0)
    tempo: float = 0.12
    masked_bands: int = 4


@dataclass(frozen=True)
class Changed:
    """A voice and a room.

    Attributes:
        frequency: factor of all frequencies; copies of a voice at another speed are other voices.
        gain_db: (64,) by band. noise_db: (64,) noise by band, relative to the loud parts of the speech.
    """

    frequency: float
    gain_db: np.ndarray
    noise_db: np.ndarray


def draw_change(draw: np.random.Generator, ranges: VoiceChange) -> Changed:
    """One voice and one room."""
    tract = ranges.tract * (1.0 if draw.random() < 0.5 else 0.2)
    frequency = float(np.exp(draw.uniform(-tract, tract)))
    gain_db = draw.uniform(*ranges.gain_db) + draw.uniform(-ranges.tilt_db, ranges.tilt_db) * BANDS_OCTAVES / 6.1
    for _ in range(draw.integers(0, 4)):
        centre, width = draw.uniform(-3, 3), draw.uniform(0.3, 1.2)
        gain_db = gain_db + draw.normal(0, ranges.band_gain_db / 2) * np.exp(-(((BANDS_OCTAVES - centre) / width) ** 2))
    colour_db = 3.0 * draw.uniform(-1.0, 1.5) * BANDS_OCTAVES
    level_db = 10 * np.log10(np.mean(10 ** (colour_db / 10)))
    return Changed(frequency, gain_db, colour_db - level_db - draw.uniform(*ranges.noise_snr_db))


def change(log_mel: np.ndarray, to: Changed, draw: np.random.Generator) -> np.ndarray:
    """Log-mel (T, 128) of the same words in another voice and room; float32."""
    windows = at_frequency(log_mel.reshape(len(log_mel), -1, MEL_BANDS).astype(np.float32), to.frequency)
    power = np.maximum(np.exp(windows) - POWER_FLOOR, 0)
    loud = np.percentile(power.mean(axis=(1, 2)), 90)
    noise = (loud * 10 ** (to.noise_db / 10)).astype(np.float32) * draw.standard_exponential(power.shape, np.float32)
    power = (power + noise) * (10 ** (to.gain_db / 10)).astype(np.float32)
    return np.log(power + np.float32(POWER_FLOOR)).reshape(log_mel.shape)


def at_frequency(windows: np.ndarray, factor: float) -> np.ndarray:
    """Log-mel (T, windows, 64) with all frequencies times `factor`; the outermost bands go on beyond the edges."""
    if abs(factor - 1) < 1e-3:
        return windows
    step = _EDGES_MEL[1] - _EDGES_MEL[0]
    return read_at(windows, (hz_to_mel(BANDS_HZ / factor) - _EDGES_MEL[1]) / step, axis=-1)


def read_at(x: np.ndarray, position: np.ndarray, axis: int) -> np.ndarray:
    """`x` at fractional positions along an axis, linearly interpolated, held at its ends."""
    position = np.clip(position, 0, x.shape[axis] - 1)
    left = np.minimum(position.astype(int), max(x.shape[axis] - 2, 0))
    right = np.minimum(left + 1, x.shape[axis] - 1)
    shape = [1] * x.ndim
    shape[axis] = -1
    mix = (position - left).astype(np.float32).reshape(shape)
    return np.take(x, left, axis) * (1 - mix) + np.take(x, right, axis) * mix


def hide_bands(log_mel: np.ndarray, widest: int, draw: np.random.Generator) -> None:
    """Replace a random stretch of up to `widest` bands of (T, 128) by the mean, in place."""
    width = int(draw.integers(0, widest + 1))
    low = int(draw.integers(0, MEL_BANDS - width))
    log_mel.reshape(len(log_mel), -1, MEL_BANDS)[..., low : low + width] = log_mel.mean()

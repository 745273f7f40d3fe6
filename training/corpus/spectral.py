"""Augmentation of features: another vocal tract, a hidden band, a little noise."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dtalker_model.hearing.features import MEL_BANDS


@dataclass(frozen=True)
class Disturbance:
    """Ranges of what is done to the log-mel of a crop.

    Attributes:
        band_shift: largest relative warp of the mel axis, a crude change of the vocal tract's length.
        masked_bands: widest stretch of mel bands that is hidden.
        noise: standard deviation of noise on the log-mel.
    """

    band_shift: float = 0.15
    masked_bands: int = 8
    noise: float = 0.1


def disturb(features: np.ndarray, draw: np.random.Generator, ranges: Disturbance) -> np.ndarray:
    """A disturbed copy of log-mel features (T, 128) float32."""
    windows = _warp(
        features.reshape(len(features), -1, MEL_BANDS), 1 + draw.uniform(-ranges.band_shift, ranges.band_shift)
    )
    width = int(draw.integers(0, ranges.masked_bands + 1))
    low = int(draw.integers(0, MEL_BANDS - width))
    windows[..., low : low + width] = windows.mean()
    noise = draw.standard_normal(features.shape, np.float32) * np.float32(ranges.noise)
    return windows.reshape(features.shape) + noise


def _warp(windows: np.ndarray, factor: float) -> np.ndarray:
    """Read the last axis at `factor` times its own positions, linearly interpolated."""
    source = np.clip(np.arange(MEL_BANDS) * factor, 0, MEL_BANDS - 1.001)
    left = source.astype(int)
    mix = (source - left).astype(np.float32)
    return windows[..., left] * (1 - mix) + windows[..., left + 1] * mix

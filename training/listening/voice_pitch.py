"""The pitch of a voice, by autocorrelation and a best path: what teaches the listener to hear melody.

After Boersma (1993): the autocorrelation of a window, divided by that of the window function, peaks at the period. The
path through the peaks of all frames that is strong and smooth is the pitch; where even that is weak, there is no voice.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.fft import irfft, next_fast_len, rfft

from dtalker_model.rates import FRAME_SAMPLES, SAMPLE_RATE_HZ

LOWEST_HZ, HIGHEST_HZ = 65.0, 620.0
WINDOW_SAMPLES = 800
CANDIDATES = 6
OCTAVE_COST = 0.03
"""Strength that an octave lower costs: every multiple of a period is a peak."""
JUMP_COST = 0.6
"""Strength that an octave of change between frames costs."""
VOICED, UNVOICED = 0.6, 0.35
"""Strength of a voice at least, and of its absence at most; in between nobody knows."""

NO_PITCH, UNKNOWN = -1, -2


@dataclass(frozen=True)
class Pitch:
    """Of T frames: octaves (T,) float32, log2 of Hz, and strength (T,) float32, about 0 (noise) to 1 (tone)."""

    octaves: np.ndarray
    strength: np.ndarray


def track_pitch(audio: np.ndarray) -> Pitch:
    """The pitch around the middle of each frame of mono 16 kHz audio; the last frame is padded with silence."""
    T = -(-len(audio) // FRAME_SAMPLES)
    correlation = _autocorrelation(audio, T)
    first, last = round(SAMPLE_RATE_HZ / HIGHEST_HZ), round(SAMPLE_RATE_HZ / LOWEST_HZ)
    periods = np.arange(first, last + 1)
    score = correlation[:, first : last + 1] - OCTAVE_COST * np.log2(periods / first)
    peak = np.zeros(score.shape, bool)
    peak[:, 1:-1] = (score[:, 1:-1] > score[:, :-2]) & (score[:, 1:-1] >= score[:, 2:])
    best = np.argsort(np.where(peak, -score, 1.0), axis=1, kind="stable")[:, :CANDIDATES]
    strengths = np.where(np.take_along_axis(peak, best, axis=1), np.take_along_axis(score, best, axis=1), -1.0)
    octaves = np.log2(SAMPLE_RATE_HZ / periods[best])
    chosen = best_path(strengths, octaves)[:, None]
    period = periods[np.take_along_axis(best, chosen, axis=1)]
    strength = np.take_along_axis(correlation, period, axis=1)[:, 0]
    return Pitch(np.take_along_axis(octaves, chosen, axis=1)[:, 0].astype(np.float32), strength.astype(np.float32))


def best_path(strengths: np.ndarray, octaves: np.ndarray) -> np.ndarray:
    """Candidate of each frame (T,) of the strongest smooth path through strengths and octaves, each (T, K)."""
    T, K = strengths.shape
    total, came_from = strengths[0], np.zeros((T, K), int)
    for t in range(1, T):
        reach = total - JUMP_COST * np.abs(octaves[t][:, None] - octaves[t - 1])
        came_from[t] = reach.argmax(axis=1)
        total = strengths[t] + reach.max(axis=1)
    path = np.zeros(T, int)
    path[-1] = total.argmax()
    for t in range(T - 1, 0, -1):
        path[t - 1] = came_from[t, path[t]]
    return path


def pitch_classes(octaves: np.ndarray, strength: np.ndarray, classes: int) -> np.ndarray:
    """Class 0 .. classes - 1 of each frame's pitch, evenly spaced in octaves, `NO_PITCH` or `UNKNOWN`; int64."""
    low, high = np.log2(LOWEST_HZ), np.log2(HIGHEST_HZ)
    label = np.clip(np.round((octaves - low) / (high - low) * (classes - 1)), 0, classes - 1).astype(np.int64)
    return np.where(strength > VOICED, label, np.where(strength < UNVOICED, NO_PITCH, UNKNOWN))


def _autocorrelation(audio: np.ndarray, frames: int) -> np.ndarray:
    """Normalised, of a window around the middle of each frame: (frames, longest period + 1)."""
    padded = np.pad(audio.astype(np.float64), (WINDOW_SAMPLES // 2, WINDOW_SAMPLES + FRAME_SAMPLES))
    begin = FRAME_SAMPLES * np.arange(frames)[:, None] + FRAME_SAMPLES // 2
    windows = padded[begin + np.arange(WINDOW_SAMPLES)]
    shape = np.hanning(WINDOW_SAMPLES)
    size, kept = next_fast_len(2 * WINDOW_SAMPLES), round(SAMPLE_RATE_HZ / LOWEST_HZ) + 1

    def correlate(x: np.ndarray) -> np.ndarray:
        found = irfft(np.abs(rfft(x, size)) ** 2, size)[..., :kept]
        return found / (found[..., :1] + 1e-12)

    return correlate((windows - windows.mean(axis=1, keepdims=True)) * shape) / correlate(shape)

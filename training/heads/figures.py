"""How heads move, in figures: spectrum, range, correlation with loudness and pitch, saccades.

The same functions measure recordings and what a head model makes of the same voices. A clip's rest is its median. Its
spectrum is one periodogram under a Hann window as long as the clip, read at the same frequencies whatever the length
and the frame rate, so that it can be averaged.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

TURN_NAMES = ("yaw", "pitch", "roll")
BANDS_HZ = (0.2, 0.25, 0.315, 0.4, 0.5, 0.63, 0.8, 1.0, 1.25, 1.6, 2.0, 2.5, 3.15, 4.0)
"""Middles of third octaves."""
_PARTS = 5
"""Frequencies at which a third octave is read."""
_NOTHING = 1e-12
"""Of a head that is still, rad^2/Hz."""
_LEAST = 20
"""Frames that a correlation needs."""


@dataclass(frozen=True, eq=False)
class Heads:
    """Heads of some clips, recorded or made.

    Attributes:
        turns: of each clip (N, 3), rad, at `fps`.
        loudness: of each clip (N,), at the same times, 0 in silence.
        octaves: of each clip (N,): log2 of the voice's pitch in Hz, NaN where there is none.
        fps: frames a second.
    """

    turns: Sequence[np.ndarray]
    loudness: Sequence[np.ndarray]
    octaves: Sequence[np.ndarray]
    fps: float


def spectral_densities(clips: Sequence[np.ndarray], fps: float, frequencies_hz: np.ndarray) -> np.ndarray:
    """Mean cross-spectral density (F, n, n), rad^2/Hz, one-sided, of clips (N, n)."""
    total = np.zeros((len(frequencies_hz), clips[0].shape[1], clips[0].shape[1]), complex)
    for clip in clips:
        window = np.hanning(len(clip))
        phases = np.exp(-2j * np.pi * np.outer(frequencies_hz, np.arange(len(clip)) / fps))
        lines = phases @ (window[:, None] * (clip - np.median(clip, axis=0)))
        total += np.einsum("fi,fj->fij", lines, lines.conj()) * 2 / (fps * np.square(window).sum())
    return total / len(clips)


def band_levels_db(clips: Sequence[np.ndarray], fps: float) -> np.ndarray:
    """Power density (bands, n) of clips (N, n) in third octaves, dB relative to 1 rad^2/Hz."""
    parts = 2.0 ** (np.linspace(-1, 1, _PARTS) * (_PARTS - 1) / _PARTS / 6)
    frequencies_hz = np.outer(BANDS_HZ, parts).ravel()
    power = np.einsum("fii->fi", spectral_densities(clips, fps, frequencies_hz)).real
    return 10 * np.log10(power.reshape(len(BANDS_HZ), _PARTS, -1).mean(axis=1) + _NOTHING)


def ranges_rad(clips: Sequence[np.ndarray]) -> np.ndarray:
    """Mean distance (n,) between the 5th and the 95th percentile of clips (N, n)."""
    return np.mean([np.percentile(c, 95, axis=0) - np.percentile(c, 5, axis=0) for c in clips], axis=0)


def correlations(heads: Heads) -> dict[str, list[float]]:
    """Mean over clips of r, by turn: of loudness and of pitch with the turn itself and with its speed."""
    rows: dict[str, list[np.ndarray]] = {}
    for turns, loud, octaves in zip(heads.turns, heads.loudness, heads.octaves):
        speed = np.abs(np.gradient(turns, axis=0))
        for name, heard, where in (("loudness", loud, loud > 0), ("pitch", octaves, np.isfinite(octaves))):
            if where.sum() >= _LEAST and heard[where].std() > 0:
                rows.setdefault(name, []).append(_with_each(heard[where], turns[where]))
                rows.setdefault(f"{name}, speed", []).append(_with_each(heard[where], speed[where]))
    return {name: np.mean(values, axis=0).tolist() for name, values in rows.items()}


def _with_each(heard: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """r (n,) of heard (N,) with each of columns (N, n); 0 with one that does not move."""
    a, b = heard - heard.mean(), columns - columns.mean(axis=0)
    return np.asarray((a @ b) / np.sqrt((a @ a) * np.square(b).sum(axis=0) + _NOTHING**2))


def figures(heads: Heads) -> dict[str, object]:
    """All of it, by name; lists are in the order of `TURN_NAMES`."""
    levels = band_levels_db(heads.turns, heads.fps)
    return {
        "clips": len(heads.turns),
        "seconds": round(sum(map(len, heads.turns)) / heads.fps, 1),
        "spectrum_db": {f"{hz:g}": np.round(row, 2).tolist() for hz, row in zip(BANDS_HZ, levels)},
        "range_rad": np.round(ranges_rad(heads.turns), 4).tolist(),
        "correlation": {name: np.round(r, 3).tolist() for name, r in correlations(heads).items()},
    }

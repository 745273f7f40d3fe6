"""Metrics on measured motion: lip vertex error and correlation.

Predictions are read at the recording's own frame times; a coefficient that the source did not observe is set to the
recording's on both sides. Vertices come from the linear basis ``face_basis_ict.npz`` and are in metres.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from training.corpus import Motion, at_recording_times

CM2_TO_M2 = 1e-4


@dataclass(frozen=True)
class Pair:
    """A recording and a prediction at the same times: weights (N, 52), and observed (N, 52) bool of the recording."""

    recording: np.ndarray
    prediction: np.ndarray
    observed: np.ndarray

    @property
    def error(self) -> np.ndarray:
        """prediction - recording, zero where unobserved."""
        return np.where(self.observed, self.prediction - self.recording, 0.0).astype(np.float32)


def pair(motion: Motion, prediction: np.ndarray) -> Pair:
    """Match predicted frames (T, 52) at 50 Hz with a recording; rows not observed or not predicted are dropped."""
    matched, reached = at_recording_times(prediction, motion)
    keep = reached & motion.observed.any(axis=1)
    return Pair(motion.weights[keep], matched[keep], motion.observed[keep])


def lip_basis_cm(folder: Path) -> np.ndarray:
    """Displacement of each lip vertex by each blendshape, (52, 958 * 3) float32, in cm."""
    with np.load(folder / "face_basis_ict.npz") as basis:
        return basis["delta_cm"][:, basis["lip_vertices"]].astype(np.float32).reshape(52, -1)


def squared_lip_error_m2(pairs: Sequence[Pair], basis_cm: np.ndarray) -> np.ndarray:
    """Per frame the largest squared L2 error over the lip vertices, in m2; frames of all pairs pooled (CodeTalker)."""
    errors = []
    for p in pairs:
        vertices = (p.error @ basis_cm).reshape(len(p.error), -1, 3)
        errors.append((vertices**2).sum(axis=-1).max(axis=-1) * CM2_TO_M2)
    return np.concatenate(errors)


def lve(pairs: Sequence[Pair], basis_cm: np.ndarray) -> float:
    """Lip vertex error in 1e-5 m2."""
    return float(squared_lip_error_m2(pairs, basis_cm).mean() * 1e5)


def correlation(pairs: Sequence[Pair], coefficients: Sequence[int]) -> float:
    """Pearson's r of the mean of `coefficients`, all frames pooled; NaN where the source did not observe them."""
    if not all(p.observed[:, coefficients].any() for p in pairs):
        return float("nan")
    recorded = np.concatenate([p.recording[:, coefficients].mean(axis=1) for p in pairs])
    predicted = np.concatenate([p.prediction[:, coefficients].mean(axis=1) for p in pairs])
    if recorded.std() < 1e-6 or predicted.std() < 1e-6:
        return float("nan")
    return float(np.corrcoef(recorded, predicted)[0, 1])

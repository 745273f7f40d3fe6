"""How a face moves over time: upper-face dynamics, amplitudes, jerk, and diversity over seeds.

| our name                      | what                                                                      | unit    |
| ----------------------------- | ------------------------------------------------------------------------- | ------- |
| FDD                           | CodeTalker's facial dynamics deviation, signed: errors of clips cancel    | 1e-7 m2 |
| FDD_abs                       | the same with the absolute value of each clip's deviation                 | 1e-7 m2 |
| amp_COEFFICIENT               | standard deviation within a clip over the recording's: 1 is as recorded   | -       |
| jerk, jerk_mouth, jerk_upper  | mean absolute jerk of the observed coefficients over the recording's      | -       |
| diversity                     | standard deviation of the vertices over seeds                             | mm      |
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from dtalker_model.blendshapes import LOWER_FACE, UPPER_FACE
from training.corpus.face_basis import squared_displacement_m2
from training.evaluation.bootstrap import Figure
from training.evaluation.metrics import LEAST_DEVIATION, Pair

REGIONS = {"mouth": LOWER_FACE, "upper": UPPER_FACE}
"""Coefficients of the mouth, and of what is above it."""


def sees_upper_face(pairs: Sequence[Pair]) -> bool:
    """Whether the recordings observe any coefficient of the upper face; without it EVE and FDD mean nothing."""
    return any(p.observed[:, UPPER_FACE].any() for p in pairs)


def dynamics_m2(weights: np.ndarray, upper_cm: np.ndarray) -> float:
    """Standard deviation over time of each vertex's squared displacement from neutral, mean over vertices, in m2."""
    return float(squared_displacement_m2(weights, upper_cm).std(axis=0, dtype=np.float64).mean())


def fdd(pairs: Sequence[Pair], upper_cm: np.ndarray) -> tuple[Figure, Figure]:
    """Dynamics of the recording minus those of the prediction, mean over clips, in 1e-7 m2; positive: too calm.

    Args:
        pairs: one a clip; each clip weighs the same.
        upper_cm: (52, V * 3) basis of the upper face, in cm.

    Returns:
        the signed figure, and the mean of the clips' absolute deviations.
    """
    deviations = np.array([dynamics_m2(p.recording, upper_cm) - dynamics_m2(p.completed, upper_cm) for p in pairs])
    clips = np.ones(len(pairs))
    signed, absolute = (Figure(np.stack([1e7 * d, clips], axis=1)) for d in (deviations, np.abs(deviations)))
    return signed, absolute


def jerk(weights: np.ndarray, observed: np.ndarray, times_s: np.ndarray) -> float:
    """Sum of absolute third differences of observed coefficients; spans with a gap in time are left out.

    Args:
        weights, observed: (N, K). times_s: (N,).
    """
    if len(weights) < 4:
        return 0.0
    steady = np.ptp(np.stack([np.diff(times_s)[k : len(times_s) - 3 + k] for k in range(3)]), axis=0) < 1e-3
    whole = np.logical_and.reduce([observed[k : len(observed) - 3 + k] for k in range(4)])
    return float(np.abs(np.diff(weights.astype(np.float64), n=3, axis=0) * whole * steady[:, None]).sum())


def jerk_ratio(pairs: Sequence[Pair], coefficients: Sequence[int] | None = None) -> Figure:
    """Mean absolute jerk of the prediction over the recording's, both at the recording's frame times.

    Args:
        coefficients: whose jerk counts; None for all.
    """
    chosen = slice(None) if coefficients is None else list(coefficients)
    sums = [[jerk(w[:, chosen], p.observed[:, chosen], p.times_s) for w in (p.prediction, p.recording)] for p in pairs]
    return Figure(np.array(sums).reshape(-1, 2))


def amplitude_ratio(pairs: Sequence[Pair], coefficients: Sequence[int]) -> Figure:
    """Standard deviation within a clip of the mean of `coefficients`, predicted over recorded; clips weigh by frames.

    NaN where the recordings do not observe it, or it hardly moves there.
    """
    sums = np.zeros((len(pairs), 3))
    for row, p in enumerate(pairs):
        seen = p.observed[:, coefficients].all(axis=1)
        if seen.any():
            both = [w[seen][:, coefficients].mean(axis=1, dtype=np.float64).std() for w in (p.prediction, p.recording)]
            sums[row] = seen.sum() * np.array([*both, 1.0])
    return Figure(sums, _moving_ratio)


def _moving_ratio(sums: np.ndarray) -> np.ndarray:
    predicted, recorded, frames = np.moveaxis(sums, -1, 0)
    moving = recorded > LEAST_DEVIATION * frames
    return np.where(moving, predicted / np.where(moving, recorded, 1.0), np.nan)


def diversity(seeds: Sequence[Sequence[np.ndarray]], gram_mm2: np.ndarray) -> Figure:
    """Standard deviation of the vertices over seeds, in mm: root of the variance's mean over vertices and frames.

    Args:
        seeds: per clip the weights (T, 52) of each of K >= 2 seeds.
        gram_mm2: (52, 52) of the face basis.
    """
    sums = []
    for weights in seeds:
        stacked = np.stack(weights).astype(np.float64)
        away = stacked - stacked.mean(axis=0)
        variance = np.einsum("ktc,cd,ktd->t", away, gram_mm2, away, optimize=True) / (len(weights) - 1)
        sums.append([variance.sum(), len(variance)])
    return Figure(np.array(sums).reshape(-1, 2), lambda s: np.sqrt(s[..., 0] / s[..., 1]))

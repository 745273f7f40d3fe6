"""How a face moves over time: upper-face dynamics, jitter, and diversity over seeds.

| our name  | papers                                                                                | unit    |
| --------- | ------------------------------------------------------------------------------------- | ------- |
| FDD       | CodeTalker's facial dynamics deviation, signed: errors of clips cancel                | 1e-7 m2 |
| FDD_abs   | the same with the absolute value of each clip's deviation                             | 1e-7 m2 |
| jitter    | mean absolute jerk of the observed coefficients over the recording's: 1 is as recorded | -       |
| diversity | standard deviation of the vertices over seeds                                         | mm      |
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from dtalker_model.blendshapes import UPPER_FACE
from training.corpus.face_basis import squared_displacement_m2
from training.evaluation.bootstrap import Figure
from training.evaluation.metrics import Pair


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
        weights, observed: (N, 52). times_s: (N,).
    """
    if len(weights) < 4:
        return 0.0
    steady = np.ptp(np.stack([np.diff(times_s)[k : len(times_s) - 3 + k] for k in range(3)]), axis=0) < 1e-3
    whole = np.logical_and.reduce([observed[k : len(observed) - 3 + k] for k in range(4)])
    return float(np.abs(np.diff(weights.astype(np.float64), n=3, axis=0) * whole * steady[:, None]).sum())


def jitter(pairs: Sequence[Pair]) -> Figure:
    """Mean absolute jerk of the prediction over the recording's, both at the recording's frame times."""
    sums = [[jerk(w, p.observed, p.times_s) for w in (p.prediction, p.recording)] for p in pairs]
    return Figure(np.array(sums).reshape(-1, 2))


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

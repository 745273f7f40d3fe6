"""Do faces move like faces? The Frechet distance between windows of one second, predicted and recorded.

A window is one second of the coefficients of a region at the recording's own rate, half a second after the one before.
Windows are described by their first 16 principal components in the recordings; two normal distributions are compared:

    |m1 - m2|^2 + tr(C1 + C2 - 2 (C1 C2)^(1/2)), over tr(C2) of the recordings.

0 is as recorded, 1 is a face that is frozen at the recordings' mean. Components that recordings hardly have are not
seen, so jitter is not: for that there is the jerk ratio (`dynamics.py`). There are no intervals: clips that are drawn
twice make any two distributions differ more, and percentiles of draws would lie above the figure.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np

from training.evaluation.bootstrap import Figure
from training.evaluation.metrics import Pair

WINDOW_S = 1.0
COMPONENTS = 16
FEWEST = 2 * COMPONENTS
"""With fewer windows a covariance of so many components means nothing."""


def windows(values: np.ndarray, times_s: np.ndarray, seen: np.ndarray) -> np.ndarray:
    """Windows (W, frames * K) of values (N, K); those with a gap in time, or a frame not `seen` (N,), are left out."""
    if len(times_s) < 2:
        return np.zeros((0, values.shape[1]))
    step_s = float(np.median(np.diff(times_s)))
    frames = round(WINDOW_S / step_s)
    found = []
    for begin in range(0, len(values) - frames + 1, max(frames // 2, 1)):
        part = slice(begin, begin + frames)
        steady = np.ptp(times_s[part]) < (frames - 0.5) * step_s
        found += [values[part].ravel()] if steady and seen[part].all() else []
    return np.array(found).reshape(-1, frames * values.shape[1])


def frechet(pairs: Sequence[Pair], coefficients: Sequence[int]) -> Figure:
    """Frechet distance of the windows of `coefficients`, as above; NaN where they are not observed or too few.

    Args:
        pairs: one a clip, or a piece of one; windows do not reach from one to the next.
    """
    known = [c for c in coefficients if all(p.observed[:, c].any() for p in pairs)]
    both = [[_windows_of(p, side, known) for p in pairs] for side in ("prediction", "recording")] if known else []
    if not both or sum(map(len, both[1])) < FEWEST:
        return Figure(np.zeros((len(pairs), 2)), lambda sums: np.full(sums.shape[:-1], np.nan))
    recorded = np.concatenate(both[1])
    mean = recorded.mean(axis=0)
    axes = np.linalg.svd(recorded - mean, full_matrices=False)[2][:COMPONENTS].T
    moments = [[_moments((w - mean) @ axes) for w in clips] for clips in both]
    of_sums: Callable[[np.ndarray], np.ndarray] = partial(_distance, components=axes.shape[1])
    return Figure(np.concatenate([np.sum(clips, axis=0) for clips in moments])[None], of_sums)


def _windows_of(pair: Pair, side: str, coefficients: Sequence[int]) -> np.ndarray:
    values = getattr(pair, side)[:, coefficients].astype(np.float64)
    return windows(values, pair.times_s, np.logical_and.reduce(pair.observed[:, coefficients], axis=1))


def _moments(x: np.ndarray) -> np.ndarray:
    """Number, sums and sums of products of (W, K): 1 + K + K * K numbers."""
    return np.concatenate([[len(x)], x.sum(axis=0), (x.T @ x).ravel()])


def _distance(sums: np.ndarray, components: int) -> np.ndarray:
    """The distance from the moments of both sides, predicted first: (..., 2 * (1 + K + K * K)) -> (...)."""
    (m1, c1), (m2, c2) = (_normal(part, components) for part in np.split(sums, 2, axis=-1))
    roots = np.sqrt(np.maximum(np.linalg.eigvals(c1 @ c2).real, 0)).sum(axis=-1)
    spread = np.trace(c2, axis1=-2, axis2=-1)
    apart = ((m1 - m2) ** 2).sum(axis=-1) + np.trace(c1, axis1=-2, axis2=-1) + spread - 2 * roots
    return np.maximum(apart, 0) / spread


def _normal(sums: np.ndarray, components: int) -> tuple[np.ndarray, np.ndarray]:
    """Mean (..., K) and covariance (..., K, K)."""
    n = sums[..., :1]
    mean = sums[..., 1 : 1 + components] / n
    square = (sums[..., 1 + components :] / n).reshape(*sums.shape[:-1], components, components)
    return mean, square - mean[..., :, None] * mean[..., None, :]

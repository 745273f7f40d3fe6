"""Metrics on measured motion: vertex errors of lips and upper face, and correlation.

Predictions are read at the recording's own frame times; a coefficient that the source did not observe is set to the
recording's on both sides. Vertices come from the linear basis of `training.corpus.face_basis` and are in metres.

| our name | papers                                                             | unit    |
| -------- | ------------------------------------------------------------------ | ------- |
| LVE      | CodeTalker's lip vertex error: maximum over lip vertices, squared  | 1e-5 m2 |
| EVE      | EmoTalk's emotional vertex error: the same over the upper face     | 1e-5 m2 |
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from training.corpus.clips import Motion, at_recording_times
from training.corpus.face_basis import squared_displacement_m2
from training.evaluation.bootstrap import Figure

LEAST_DEVIATION = 0.01
"""A coefficient whose standard deviation in the recordings is smaller does not move: nothing correlates with it."""

BLOCK_FRAMES = 300
"""Long recordings are cut into pieces of about 10 s, so that one clip of two minutes still gives an interval."""


@dataclass(frozen=True)
class Pair:
    """A recording and a prediction at the same times.

    Attributes:
        recording, prediction: weights (N, 52).
        observed: (N, 52) bool, what the recording knows.
        times_s: (N,) seconds on the audio's clock.
    """

    recording: np.ndarray
    prediction: np.ndarray
    observed: np.ndarray
    times_s: np.ndarray

    @property
    def error(self) -> np.ndarray:
        """prediction - recording, zero where unobserved."""
        return np.where(self.observed, self.prediction - self.recording, 0.0).astype(np.float32)

    @property
    def completed(self) -> np.ndarray:
        """The prediction with the recording's weights where unobserved, (N, 52) float32."""
        return (self.recording + self.error).astype(np.float32)

    def __getitem__(self, rows: Any) -> Pair:
        """The chosen rows: a slice or a mask."""
        return Pair(self.recording[rows], self.prediction[rows], self.observed[rows], self.times_s[rows])


def pair(motion: Motion, prediction: np.ndarray) -> Pair:
    """Match predicted frames (T, 52) at 50 Hz with a recording; rows not observed or not predicted are dropped."""
    matched, reached = at_recording_times(prediction, motion)
    keep = reached & motion.observed.any(axis=1)
    return Pair(motion.weights, matched, motion.observed, motion.times_s)[keep]


def one_late(motion: Motion) -> Pair:
    """A recording against itself one of its own frames late, exactly: row i is compared with row i - 1."""
    both = motion.observed[1:] & motion.observed[:-1]
    return Pair(motion.weights[1:], motion.weights[:-1], both, motion.times_s[1:])[both.any(axis=1)]


def blocks(pairs: Sequence[Pair]) -> list[Pair]:
    """The same frames, with long recordings in pieces of at most 300 frames: what a bootstrap draws."""
    return [p[k : k + BLOCK_FRAMES] for p in pairs for k in range(0, len(p.recording), BLOCK_FRAMES)]


def vertex_error(pairs: Sequence[Pair], basis_cm: np.ndarray) -> Figure:
    """Largest squared L2 error of a frame over the vertices of `basis_cm` (52, V * 3), mean over all frames, 1e-5 m2.

    LVE over the lips, EVE over the upper face.
    """
    largest = [squared_displacement_m2(p.error, basis_cm).max(axis=1) * 1e5 for p in pairs]
    return Figure(np.array([[x.sum(dtype=np.float64), len(x)] for x in largest]).reshape(-1, 2))


def lve(pairs: Sequence[Pair], basis_cm: np.ndarray) -> float:
    """Lip vertex error in 1e-5 m2."""
    return vertex_error(pairs, basis_cm).value


def correlation_figure(pairs: Sequence[Pair], coefficients: Sequence[int]) -> Figure:
    """Pearson's r of the mean of `coefficients`, all frames pooled; NaN where the recordings do not move or know it."""
    if not all(p.observed[:, coefficients].any() for p in pairs):
        return Figure(np.zeros((len(pairs), 6)), _pearson)
    columns = []
    for p in pairs:
        x, y = (w[:, coefficients].mean(axis=1, dtype=np.float64) for w in (p.recording, p.prediction))
        columns.append([len(x), x.sum(), y.sum(), (x * x).sum(), (y * y).sum(), (x * y).sum()])
    return Figure(np.array(columns), _pearson)


def correlation(pairs: Sequence[Pair], coefficients: Sequence[int]) -> float:
    """Pearson's r of the mean of `coefficients`, all frames pooled; NaN where it is not defined."""
    return correlation_figure(pairs, coefficients).value


def _pearson(sums: np.ndarray) -> np.ndarray:
    n, x, y, xx, yy, xy = np.moveaxis(sums, -1, 0)
    var_x, var_y = xx / n - (x / n) ** 2, yy / n - (y / n) ** 2
    moving = (var_x > LEAST_DEVIATION**2) & (var_y > 1e-12)
    return np.where(moving, (xy / n - x * y / n**2) / np.sqrt(np.where(moving, var_x * var_y, 1.0)), np.nan)

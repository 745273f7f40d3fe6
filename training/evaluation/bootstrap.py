"""Figures with confidence intervals: each is a function of sums over clips, and clips are drawn with replacement."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

DRAWS = 1000
LEVEL = 0.95
SEED = 0


def ratio(sums: np.ndarray) -> np.ndarray:
    """First sum over the second: the pooled mean where the columns are a total and a count."""
    return sums[..., 0] / sums[..., 1]


@dataclass(frozen=True)
class Figure:
    """A figure and its uncertainty.

    Attributes:
        sums: (clips, K), what each clip adds.
        of_sums: the figure, (...), for sums (..., K); NaN where it is not defined.
    """

    sums: np.ndarray
    of_sums: Callable[[np.ndarray], np.ndarray] = ratio

    @property
    def value(self) -> float:
        """The figure over all clips."""
        with np.errstate(invalid="ignore", divide="ignore"):
            return float(self.of_sums(self.sums.sum(axis=0)))

    @cached_property
    def draws(self) -> np.ndarray:
        """The figure for `DRAWS` samples of the clips with replacement, seeded; empty for fewer than two clips."""
        clips = len(self.sums)
        if clips < 2:
            return np.zeros(0)
        counts = np.random.default_rng(SEED).multinomial(clips, np.full(clips, 1 / clips), DRAWS)
        with np.errstate(invalid="ignore", divide="ignore"):
            return self.of_sums(counts @ self.sums)

    @property
    def interval(self) -> tuple[float, float]:
        """Limits of the 95% interval (percentiles); NaN for fewer than two clips."""
        return interval(self.draws)


def interval(draws: np.ndarray) -> tuple[float, float]:
    """The central 95% of bootstrap draws; NaN where there are none."""
    draws = draws[np.isfinite(draws)]
    if len(draws) == 0:
        return float("nan"), float("nan")
    low, high = np.percentile(draws, [50 * (1 - LEVEL), 50 * (1 + LEVEL)])
    return float(low), float(high)


def mean_figure(figures: Sequence[Figure]) -> tuple[float, tuple[float, float]]:
    """Mean of a figure over sources, each weighing the same, and its interval; sources without the figure are left out.

    A source whose clips give no interval counts as exact; where none gives one, the mean has none.
    """
    known = [f for f in figures if np.isfinite(f.value)]
    if not known:
        return float("nan"), (float("nan"), float("nan"))
    if not any(len(f.draws) for f in known):
        return float(np.mean([f.value for f in known])), (float("nan"), float("nan"))
    draws = [_shuffled(f, k) if len(f.draws) else np.full(DRAWS, f.value) for k, f in enumerate(known)]
    return float(np.mean([f.value for f in known])), interval(np.mean(draws, axis=0))


def _shuffled(figure: Figure, seed: int) -> np.ndarray:
    """Draws in another order: sources with as many clips were drawn alike, and must be independent in a mean."""
    return np.random.default_rng(seed).permutation(figure.draws)

"""Do the lips do what is said? In mm from where they rest on the linear face, whoever speaks and whatever tracker.

All 52 weights count, also those that no source observed: a viewer sees them all. What is measured is linear in them:

| our name | what                                                                       | landmarks of the 68       |
| -------- | -------------------------------------------------------------------------- | ------------------------- |
| gap      | how much further apart than at rest the lips' inner edges are, vertically  | 61 62 63 against 67 66 65 |
| drop     | how far the lower lip's inner edge is below its place at rest              | 67 66 65                  |
| width    | how much further apart than at rest the corners of the mouth are, sideways | 48 against 54             |
| rounding | mouthFunnel + mouthPucker                                                  | -                         |

At rest the lower lip lies at the edge of the upper teeth, which no blendshape moves: `drop` is its distance from them.

| figure         | what                                                                               |
| -------------- | ---------------------------------------------------------------------------------- |
| closed_1mm     | share of /p b m/ whose smallest gap is at most 1 mm                                |
| closed_2mm     | the same within 2 mm: nearly closed, seen from some way off                        |
| looks_shut     | share of open vowels (aa ae ao ay aw) whose gap is under 2 mm at their middle      |
| teeth          | share of /f v/ whose smallest drop is at most 2 mm: the lower lip is at the teeth  |
| gap_i .. gap_u | median gap at the middle of i (iy ih), e (eh ey), a (aa ae), o (ow ao), u (uw uh)  |
| gap_f          | median gap at /f v/ where the lower lip is nearest the teeth                       |
| rounding       | d' of rounding at the middle of uw uh ow ao w against iy ih ey eh aa ae            |
| spreading      | d' of width at the middle of iy ih ey eh against all other vowels                  |
| biting         | d' of that gap at /f v/ against the smallest at /p b m/: at 0 f looks like p       |

The smallest value of a consonant is looked for within its segment and `MARGIN_S` on either side. d' is the difference
of two means over the root of the mean of the two variances. The lips that a tracker recorded need not meet at a /b/
(RAVDESS leaves 1.1 mm in the median): the recordings' own figures stand beside those of the models.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from dtalker_model.blendshapes import indices
from training.corpus.face_basis import FaceBasis
from training.corpus.phones import PHONES, phone_index
from training.evaluation.bootstrap import Figure

MARGIN_S = 0.01
"""Half a frame on either side of a consonant: the step of the alignment, and every phone has a frame."""
ROUNDING_S = 1e-6
"""A frame that is written as the end of a phone is inside it."""

CLOSED_MM, NEARLY_CLOSED_MM, SHUT_MM, TEETH_MM = 1.0, 2.0, 2.0, 2.0
BIN_MM = 0.05
LOWEST_MM, HIGHEST_MM = -10.0, 40.0
"""Medians are read from a histogram, so that they too are a function of sums."""


def phone_set(names: str) -> frozenset[int]:
    """Indices in `PHONES` of names in ARPAbet, with spaces between them."""
    return frozenset(PHONES.index(name) for name in names.upper().split())


BILABIALS, LABIODENTALS = phone_set("p b m"), phone_set("f v")
OPEN_VOWELS = phone_set("aa ae ao ay aw")
VOWELS = phone_set("aa ae ah ao aw ay eh er ey ih iy ow oy uh uw")
VOWEL_GAPS = {
    "gap_i": phone_set("iy ih"),
    "gap_e": phone_set("eh ey"),
    "gap_a": phone_set("aa ae"),
    "gap_o": phone_set("ow ao"),
    "gap_u": phone_set("uw uh"),
}
ROUND, NOT_ROUND = phone_set("uw uh ow ao w"), phone_set("iy ih ey eh aa ae")
SPREAD = phone_set("iy ih ey eh")

LIP_FIGURES = {
    **dict.fromkeys(("closed_1mm", "closed_2mm", "looks_shut", "teeth"), "share"),
    **dict.fromkeys((*VOWEL_GAPS, "gap_f"), "mm"),
    **dict.fromkeys(("rounding", "spreading", "biting"), "d'"),
}
"""Every figure of lips, in the order in which it is printed, and its unit."""

Phones = Sequence[tuple[str, float, float]]


@dataclass(frozen=True)
class Lips:
    """What the lips do in one clip: seconds, and gap, drop, width in mm and rounding at them, each (N,)."""

    times_s: np.ndarray
    gap_mm: np.ndarray
    drop_mm: np.ndarray
    width_mm: np.ndarray
    rounding: np.ndarray


def lips_of(weights: np.ndarray, times_s: np.ndarray, face: FaceBasis) -> Lips:
    """The lips of a face (N, 52) shown at `times_s` (N,)."""
    rounded = weights[:, indices("mouthFunnel", "mouthPucker")].sum(axis=1)
    return Lips(times_s, weights @ face.gap_mm, weights @ face.drop_mm, weights @ face.width_mm, rounded)


def smallest(values: np.ndarray, times_s: np.ndarray, phones: Phones, wanted: frozenset[int]) -> np.ndarray:
    """The smallest value within each phone of `wanted` and `MARGIN_S` around it; phones without a frame are left out.

    Args:
        values, times_s: (N,). phones: (name, start_s, duration_s).
    """
    return values[frames_of_smallest(values, times_s, phones, wanted)]


def frames_of_smallest(values: np.ndarray, times_s: np.ndarray, phones: Phones, wanted: frozenset[int]) -> np.ndarray:
    """The frames of `smallest`, (phones,) int."""
    found = []
    for name, start_s, duration_s in phones:
        if phone_index(name) in wanted:
            reach_s = duration_s / 2 + MARGIN_S + ROUNDING_S
            inside = np.flatnonzero(np.abs(times_s - (start_s + duration_s / 2)) <= reach_s)
            found += [inside[values[inside].argmin()]] if len(inside) else []
    return np.array(found, int)


def at_middle(values: np.ndarray, times_s: np.ndarray, phones: Phones, wanted: frozenset[int]) -> np.ndarray:
    """The value at the middle of each phone of `wanted` that lies within `times_s`; arguments as for `smallest`."""
    within_s = middles_s(times_s, phones, wanted)
    return np.interp(within_s, times_s, values) if len(within_s) else np.zeros(0)


def middles_s(times_s: np.ndarray, phones: Phones, wanted: frozenset[int]) -> np.ndarray:
    """When each phone of `wanted` is at its middle, in seconds; those outside `times_s` are left out."""
    middles = [start + length / 2 for name, start, length in phones if phone_index(name) in wanted]
    return np.array([t for t in middles if len(times_s) and times_s[0] <= t <= times_s[-1]])


Sums = Mapping[str, np.ndarray]
"""What a clip, or a voice, adds to each of `LIP_FIGURES`."""


def lip_sums(lips: Lips, phones: Phones) -> dict[str, np.ndarray]:
    """What one clip adds to each figure; sums of several clips are those of all."""
    t = lips.times_s
    shut = smallest(lips.gap_mm, t, phones, BILABIALS)
    at_teeth = frames_of_smallest(lips.drop_mm, t, phones, LABIODENTALS)
    nearest, bitten = lips.drop_mm[at_teeth], lips.gap_mm[at_teeth]
    open_mm = at_middle(lips.gap_mm, t, phones, OPEN_VOWELS)
    found = {
        "closed_1mm": _share(shut <= CLOSED_MM),
        "closed_2mm": _share(shut <= NEARLY_CLOSED_MM),
        "looks_shut": _share(open_mm < SHUT_MM),
        "teeth": _share(nearest <= TEETH_MM),
    }
    found |= {name: _histogram(at_middle(lips.gap_mm, t, phones, vowels)) for name, vowels in VOWEL_GAPS.items()}
    found |= {"gap_f": _histogram(bitten), "biting": np.concatenate([_moments(bitten), _moments(shut)])}
    for name, values, yes, no in (
        ("rounding", lips.rounding, ROUND, NOT_ROUND),
        ("spreading", lips.width_mm, SPREAD, VOWELS - SPREAD),
    ):
        found[name] = np.concatenate([_moments(at_middle(values, t, phones, group)) for group in (yes, no)])
    return found


def lip_figures(sums: Sequence[Sums]) -> dict[str, Figure]:
    """All figures of `LIP_FIGURES`; intervals come from drawing rows of `sums`, which are clips or voices."""
    of_sums = {"mm": _median_mm, "d'": d_prime}
    stacked = {name: np.stack([s[name] for s in sums]) for name in LIP_FIGURES}
    return {n: Figure(x, of_sums[u]) if (u := LIP_FIGURES[n]) in of_sums else Figure(x) for n, x in stacked.items()}


def d_prime(sums: np.ndarray) -> np.ndarray:
    """d' of two groups from their sums (..., 6): number, sum and sum of squares of the first, then of the second."""
    first, second = (_mean_and_variance(part) for part in np.split(np.asarray(sums, np.float64), 2, axis=-1))
    return (first[0] - second[0]) / np.sqrt((first[1] + second[1]) / 2)


def _mean_and_variance(sums: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    n, x, xx = np.moveaxis(sums, -1, 0)
    return x / n, np.maximum(xx / n - (x / n) ** 2, 0)


def _moments(values: np.ndarray) -> np.ndarray:
    return np.array([len(values), values.sum(), (values**2).sum()], np.float64)


def _share(right: np.ndarray) -> np.ndarray:
    return np.array([right.sum(), len(right)], np.float64)


def _histogram(values_mm: np.ndarray) -> np.ndarray:
    bins = round((HIGHEST_MM - LOWEST_MM) / BIN_MM)
    inside = np.clip(values_mm, LOWEST_MM, HIGHEST_MM - BIN_MM / 2)
    return np.histogram(inside, bins, (LOWEST_MM, HIGHEST_MM))[0].astype(np.float64)


def _median_mm(counts: np.ndarray) -> np.ndarray:
    """Middle of the bin that holds the median; NaN for no value. (..., bins) -> (...)."""
    running = np.cumsum(counts, axis=-1)
    at = (running < running[..., -1:] / 2).sum(axis=-1)
    return np.where(running[..., -1] > 0, LOWEST_MM + (at + 0.5) * BIN_MM, np.nan)

"""Do the lips meet where they must? Bilabials need closed lips, open vowels open ones. Real speech with aligned phones.

The gap between the lips is the vertical distance of the facing landmarks on their inner edges (61 62 63 against
67 66 65) on the linear face, a linear function of the 52 weights. A face tracker does not measure contact: how far the
lips of its recordings are apart at a /b/ depends on the tracker. So each source has a threshold of its own: the gap at
which its training recordings err alike on bilabials (open) and on open vowels (closed), `separating_gap_mm`.

| source  | threshold | training recordings closed at p b m | at open vowels | the validation recordings |
| ------- | --------- | ----------------------------------- | -------------- | ------------------------- |
| ravdess | 5.0 mm    | 85% of 109                          | 14% of 361     | 92% of 26, 5% of 75       |
| grid    | 1.75 mm   | 97% of 1089                         | 2% of 1181     | 100% of 70, 0% of 62      |

RAVDESS was tracked from 30 pictures a second, and its lips' rolling and `mouthClose` are not observed: hence its 5 mm.
No model can be expected to close more often than the recordings it learned from: their own share stands beside it.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from training.corpus.face_basis import FaceBasis
from training.corpus.phones import PHONES, phone_index
from training.evaluation.bootstrap import Figure
from training.evaluation.metrics import Pair

MEET_MM = {"ravdess": 5.0, "grid": 1.75}
"""Lips nearer than this meet."""

BILABIALS = {PHONES.index(name) for name in ("P", "B", "M")}
OPEN_VOWELS = {PHONES.index(name) for name in ("AA", "AE", "AO", "AY", "AW")}
MARGIN_S = 0.04
"""One frame of the slowest recording on either side of a bilabial: the lips close before the closure is heard."""

Phones = Sequence[tuple[str, float, float]]


def bilabial_gaps_mm(gap_mm: np.ndarray, times_s: np.ndarray, phones: Phones) -> np.ndarray:
    """The smallest gap of each /p b m/, in mm.

    Args:
        gap_mm, times_s: (N,) gap between the lips and when.
        phones: (name, start_s, duration_s); those that no frame falls into are left out.
    """
    found = []
    for name, start_s, duration_s in phones:
        inside = (times_s >= start_s - MARGIN_S) & (times_s <= start_s + duration_s + MARGIN_S)
        if phone_index(name) in BILABIALS and inside.any():
            found.append(gap_mm[inside].min())
    return np.array(found)


def vowel_gaps_mm(gap_mm: np.ndarray, times_s: np.ndarray, phones: Phones) -> np.ndarray:
    """The gap at the middle of each open vowel, in mm; arguments as in `bilabial_gaps_mm`."""
    middles = [start + duration / 2 for name, start, duration in phones if phone_index(name) in OPEN_VOWELS]
    within = [t for t in middles if len(times_s) and times_s[0] <= t <= times_s[-1]]
    return np.interp(within, times_s, gap_mm) if within else np.zeros(0)


def separating_gap_mm(bilabial_mm: np.ndarray, vowel_mm: np.ndarray) -> float:
    """The gap, in steps of 0.25 mm, at which the share of open bilabials is nearest to that of closed vowels."""
    steps = np.arange(0.25, 10.0, 0.25)
    closed, false = ((gaps[:, None] <= steps).mean(axis=0) for gaps in (bilabial_mm, vowel_mm))
    return float(steps[np.argmin(np.abs((1 - closed) - false))])


def closures(pairs: Sequence[Pair], phones: Sequence[Phones], face: FaceBasis, meet_mm: float) -> tuple[Figure, Figure]:
    """Share of /p b m/ in which the predicted lips meet, and of open vowels in which they do too (false closures).

    Args:
        pairs: one a clip. phones: the clips' phones; a clip without is left out.
        face: gives the gap, of observed coefficients alone: what the recording does not know must not close the lips.
        meet_mm: lips nearer than this meet.
    """
    counts = np.zeros((len(pairs), 4))
    for row, (p, spoken) in enumerate(zip(pairs, phones)):
        gap = face.lip_gap_mm(np.where(p.observed, p.prediction, 0))
        at_bilabials, at_vowels = (f(gap, p.times_s, spoken) for f in (bilabial_gaps_mm, vowel_gaps_mm))
        counts[row] = (at_bilabials <= meet_mm).sum(), len(at_bilabials), (at_vowels <= meet_mm).sum(), len(at_vowels)
    return Figure(counts[:, :2]), Figure(counts[:, 2:])

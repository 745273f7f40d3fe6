"""Does a sampler sample? One clip said with several seeds: their spread against the error of their mean, and one alone.

A perfect sampler's samples lie about their mean as the recordings do. With K seeds of variance v (over seeds) about a
mean m, and a recording y, the expected squared error of m is v (1 + 1 / K); so

    calibration = (1 + 1 / K) sum v / sum (m - y)^2

over frames and clips is 1 for a perfect sampler, whatever K, and 0 for a network that does not listen to its noise. It
is measured coefficient by coefficient, for those that move in the recordings, and its means over the mouth's and over
those above it are given. The squared error of a perfect sample is twice that of the mean: the mean has the lower LVE.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial

import numpy as np

from dtalker_model.blendshapes import ARKIT_NAMES, INDEX
from training.corpus.clips import Clip, load_motion
from training.corpus.face_basis import FaceBasis
from training.evaluation.bootstrap import Figure
from training.evaluation.dynamics import REGIONS, diversity
from training.evaluation.metrics import LEAST_DEVIATION, Pair, blocks, correlation_figure, pair, vertex_error
from training.evaluation.predictor import Predictor
from training.evaluation.scores import MAIN_COEFFICIENTS, Row, entry

SEEDS, MEAN_OF = 16, 8
CLIPS = 6
"""Of a source, spread evenly over it: all of them with every seed would take minutes."""
LONGEST_S = 30.0
"""Of a longer clip, its beginning."""

SAMPLING_FIGURES = {
    "diversity": "mm",
    "calibration_mouth": "ratio",
    "calibration_upper": "ratio",
    "LVE_mean8": "1e-5 m2",
    "LVE_sample": "1e-5 m2",
    **{f"{name}_{what}": "r" for name in MAIN_COEFFICIENTS for what in ("mean8", "sample")},
}
"""Every figure of sampling, in the order in which it is printed, and its unit."""


def some(clips: Sequence[Clip]) -> list[Clip]:
    """At most `CLIPS` of the clips, evenly spread."""
    chosen = np.unique(np.linspace(0, len(clips) - 1, min(CLIPS, len(clips))).round().astype(int))
    return [clips[k] for k in chosen]


def sampling_row(names: Mapping[str, str], predictor: Predictor, clips: Sequence[Clip], face: FaceBasis) -> Row:
    """One row: the figures above of `some` of the clips, and ``calibration`` of each coefficient that moves.

    A predictor without noise says everything twice, not `SEEDS` times.
    """
    chosen, seeds = some(clips), SEEDS if predictor.about.steps else 2
    said = [predictor(chosen, seed) for seed in range(seeds)]
    pairs = [[_beginning(pair(load_motion(c), frames)) for frames in spoken] for c, spoken in zip(chosen, zip(*said))]
    figures = {"diversity": diversity([[p.prediction for p in clip] for clip in pairs], face.gram_mm2)}
    spread = calibration(pairs)
    for region, coefficients in REGIONS.items():
        if chosen_here := [c for c in moving(pairs) if c in coefficients]:
            figures[f"calibration_{region}"] = spread(chosen_here)
    figures |= mean_and_sample(pairs, face)
    row: Row = {**names, "clips": len(chosen), "seeds": seeds}
    for name in SAMPLING_FIGURES:
        figure = figures.get(name, Figure(np.zeros((0, 2))))
        row |= entry(name, figure.value, figure.interval)
    return row | {"calibration": {ARKIT_NAMES[c]: round(spread([c]).value, 4) for c in moving(pairs)}}


def _beginning(p: Pair) -> Pair:
    return p[p.times_s <= LONGEST_S]


def moving(pairs: Sequence[Sequence[Pair]]) -> list[int]:
    """Coefficients that the recordings observe, and that move there."""
    first = [clip[0] for clip in pairs]
    recorded, observed = (np.concatenate([getattr(p, side) for p in first]) for side in ("recording", "observed"))
    moved = np.where(observed.all(axis=0), recorded.std(axis=0, dtype=np.float64), 0.0)
    return [int(c) for c in np.flatnonzero(moved > LEAST_DEVIATION)]


def calibration(pairs: Sequence[Sequence[Pair]]) -> Callable[[Sequence[int]], Figure]:
    """The calibration, as above, of the mean over any coefficients.

    Args:
        pairs: for each clip one pair a seed, at least two.
    """
    sums = np.zeros((len(pairs), 2, 52))
    for row, clip in enumerate(pairs):
        said, seen = np.stack([p.prediction for p in clip]).astype(np.float64), clip[0].observed
        correction = (1 + 1 / len(clip)) * said.var(axis=0, ddof=1)
        sums[row, 0] = (correction * seen).sum(axis=0)
        sums[row, 1] = (((said.mean(axis=0) - clip[0].recording) ** 2) * seen).sum(axis=0)
    return lambda coefficients: Figure(sums[:, :, list(coefficients)].reshape(len(sums), -1), _mean_ratio)


def _mean_ratio(sums: np.ndarray) -> np.ndarray:
    over, under = np.split(sums, 2, axis=-1)
    return (over / under).mean(axis=-1)


def mean_and_sample(pairs: Sequence[Sequence[Pair]], face: FaceBasis) -> dict[str, Figure]:
    """LVE and r of the mean of the first `MEAN_OF` seeds, and of each of these alone, pooled."""
    alone = [[clip[k] for clip in pairs] for k in range(min(MEAN_OF, len(pairs[0])))]
    mean = [replace(clip[0], prediction=np.mean([p.prediction for p in clip[:MEAN_OF]], axis=0)) for clip in pairs]
    measures: dict[str, Callable[[Sequence[Pair]], Figure]] = {"LVE": partial(vertex_error, basis_cm=face.lips_cm)}
    for name, parts in MAIN_COEFFICIENTS.items():
        measures[name] = partial(correlation_figure, coefficients=[INDEX[part] for part in parts])
    found = {}
    for name, measure in measures.items():
        found[f"{name}_mean8"] = measure(blocks(mean))
        each = [measure(blocks(seed)) for seed in alone]
        found[f"{name}_sample"] = replace(each[0], sums=np.sum([f.sums for f in each], axis=0))
    return found

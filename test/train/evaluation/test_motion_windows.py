"""The Frechet distance of windows of motion: as recorded, frozen, too small, and jumping between clips."""

from __future__ import annotations

import numpy as np
import pytest

from dtalker_model.blendshapes import INDEX
from training.evaluation.metrics import Pair
from training.evaluation.motion_windows import FEWEST, frechet, windows

JAW, PUCKER, BROW = INDEX["jawOpen"], INDEX["mouthPucker"], INDEX["browInnerUp"]
MOUTH = [JAW, PUCKER]
FPS = 25


def recordings(clips: int = 8, frames: int = 200, seed: int = 0) -> list[np.ndarray]:
    """Smooth random motion of jaw and pucker."""
    draw = np.random.default_rng(seed)
    found = []
    for _ in range(clips):
        weights = np.zeros((frames, 52))
        rough = draw.normal(size=(frames + 20, 2))
        weights[:, MOUTH] = (
            0.4 + np.array([np.convolve(x, np.hanning(20) / 10, "valid") for x in rough.T]).T[:frames] / 5
        )
        found.append(weights)
    return found


def pairs(recorded: list[np.ndarray], predicted: list[np.ndarray]) -> list[Pair]:
    both = zip(recorded, predicted)
    return [Pair(r, p, np.ones_like(r, bool), np.arange(len(r)) / FPS) for r, p in both]


def test_windows_of_a_second_overlap_by_half() -> None:
    values = np.arange(2 * FPS + 13.0)[:, None]
    found = windows(values, np.arange(len(values)) / FPS, np.ones(len(values), bool))
    assert [list(w[[0, -1]]) for w in found] == [[0, 24], [12, 36], [24, 48], [36, 60]]


def test_windows_do_not_cross_what_is_missing() -> None:
    values, times_s, seen = np.zeros((100, 3)), np.arange(100) / FPS, np.ones(100, bool)
    times_s[50:] += 1.0
    seen[80] = False
    assert windows(values, times_s, seen).shape == (3, 75)  # those that begin at 0, 12 and 24
    assert windows(values[:1], times_s[:1], seen[:1]).shape[0] == 0


def test_a_recording_is_as_recorded() -> None:
    assert frechet(pairs(recordings(), recordings()), MOUTH).value == pytest.approx(0, abs=1e-6)


def test_other_motion_of_the_same_kind_is_near_and_a_frozen_face_is_at_one() -> None:
    recorded = recordings(clips=40)
    frozen = [np.tile(np.concatenate(recorded).mean(axis=0), (len(r), 1)) for r in recorded]
    alike = frechet(pairs(recorded, recordings(clips=40, seed=1)), MOUTH).value
    assert frechet(pairs(recorded, frozen), MOUTH).value == pytest.approx(1, abs=0.02) and alike < 0.15


@pytest.mark.parametrize("scale", [0.3, 1.5])
def test_a_face_that_moves_too_little_or_too_much_is_off_by_the_square(scale: float) -> None:
    recorded = recordings()
    mean = np.concatenate([windows(r, np.arange(len(r)) / FPS, np.ones(len(r), bool)) for r in recorded]).mean(axis=0)
    mean = mean.reshape(-1, 52).mean(axis=0)
    found = frechet(pairs(recorded, [mean + scale * (r - mean) for r in recorded]), MOUTH)
    assert found.value == pytest.approx((1 - scale) ** 2, rel=0.03)
    assert np.isnan(found.interval).all()


def test_it_is_not_defined_where_nothing_was_observed_or_too_little() -> None:
    recorded = recordings()
    known = pairs(recorded, recorded)
    for p in known:
        p.observed[:, BROW] = False
    assert np.isnan(frechet(known, [BROW]).value)
    assert frechet(known, [JAW, BROW]).value == pytest.approx(0, abs=1e-6), "what is observed counts"
    few = recordings(clips=1, frames=FPS * FEWEST // 4)
    assert np.isnan(frechet(pairs(few, few), MOUTH).value)

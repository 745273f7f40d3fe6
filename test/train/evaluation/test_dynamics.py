"""Upper-face dynamics, amplitudes, jerk and diversity with known values."""

from __future__ import annotations

import numpy as np
import pytest

from dtalker_model.blendshapes import INDEX
from training.corpus.clips import Motion
from training.evaluation.dynamics import REGIONS, amplitude_ratio, diversity, fdd, jerk, jerk_ratio, sees_upper_face
from training.evaluation.metrics import Pair

BROW, JAW = INDEX["browInnerUp"], INDEX["jawOpen"]


def brow_basis() -> np.ndarray:
    """Two upper-face vertices: the brow lifts the first by 2 cm; nothing moves the second."""
    vertices = np.zeros((52, 2, 3), np.float32)
    vertices[BROW, 0, 1] = 2.0
    return vertices.reshape(52, -1)


def brows(recorded: list[float], predicted: list[float]) -> Pair:
    weights = np.zeros((2, len(recorded), 52), np.float32)
    weights[0, :, BROW], weights[1, :, BROW] = recorded, predicted
    return Pair(weights[0], weights[1], np.ones_like(weights[0], bool), np.arange(len(recorded)) / 25)


def test_fdd_is_the_difference_of_deviations_of_squared_displacement() -> None:
    # Displacements 0 and 2 cm: squared 0 and 4e-4 m2, deviation 2e-4; mean of two vertices 1e-4 = 1000e-7 m2.
    assert fdd([brows([0, 1], [0, 0])], brow_basis())[0].value == pytest.approx(1000, rel=1e-5)
    assert fdd([brows([0, 0], [0, 1])], brow_basis())[0].value == pytest.approx(-1000, rel=1e-5)


def test_clips_cancel_in_signed_fdd_and_not_in_the_absolute() -> None:
    clips = [brows([0, 1], [0, 0]), brows([0, 0, 0, 0], [0, 1, 0, 1])]
    signed, absolute = fdd(clips, brow_basis())
    assert signed.value == pytest.approx(0, abs=1e-6) and absolute.value == pytest.approx(1000, rel=1e-5)


def test_a_constant_offset_still_counts_in_fdd() -> None:
    # |v|^2 of 0 and 2 cm against 2 and 4 cm: deviations 2e-4 and 6e-4 m2, halved by the vertex at rest.
    assert fdd([brows([0, 1], [1, 2])], brow_basis())[0].value == pytest.approx(-2000, rel=1e-5)


def test_unobserved_brows_do_not_count() -> None:
    pair = brows([0, 1], [0, 0])
    pair.observed[:, BROW] = False
    assert fdd([pair], brow_basis())[0].value == 0
    assert sees_upper_face([pair])
    pair.observed[:] = False
    assert not sees_upper_face([pair])


def test_jerk_of_a_cubic_is_six_and_of_a_parabola_nothing() -> None:
    t = np.arange(10.0)
    weights = np.zeros((10, 52))
    weights[:, JAW], weights[:, BROW] = t**3, t**2
    observed = np.ones((10, 52), bool)
    assert jerk(weights, observed, t / 25) == pytest.approx(6 * 7)
    observed[4, JAW] = False  # four of the seven spans of four frames hold frame 4
    assert jerk(weights, observed, t / 25) == pytest.approx(6 * 3)


def test_jerk_does_not_cross_a_gap() -> None:
    weights = np.zeros((8, 52))
    weights[4:, JAW] = 1.0
    times_s = np.array([0, 1, 2, 3, 10, 11, 12, 13]) / 25
    assert jerk(weights, np.ones((8, 52), bool), times_s) == 0
    assert jerk(weights[:3], np.ones((3, 52), bool), times_s[:3]) == 0


def test_jerk_is_a_ratio_to_the_recording() -> None:
    weights = np.random.default_rng(0).random((40, 52)).astype(np.float32)
    motion = Motion(weights, np.ones((40, 52), bool), np.arange(40) / 25)
    pair = Pair(weights, 0.5 * weights, motion.observed, motion.times_s)
    assert jerk_ratio([pair]).value == pytest.approx(0.5, rel=1e-4)
    pair.prediction[:, REGIONS["mouth"]] *= 4
    ratios = {name: jerk_ratio([pair], coefficients).value for name, coefficients in REGIONS.items()}
    assert ratios == pytest.approx({"mouth": 2.0, "upper": 0.5}, rel=1e-4)


def swaying(clips: int, scale: float, offset: float = 0.0) -> list[Pair]:
    """Jaws that sway by as much as they like from clip to clip, predicted `scale` as far about another middle."""
    pairs = []
    for k in range(clips):
        recording = np.zeros((100 + 50 * k, 52))
        recording[:, JAW] = 0.4 + 0.05 * (k + 1) * np.sin(np.arange(len(recording)) / 3)
        prediction = np.zeros_like(recording)
        prediction[:, JAW] = offset * k + scale * recording[:, JAW]
        pairs.append(Pair(recording, prediction, np.ones_like(recording, bool), np.arange(len(recording)) / 25))
    return pairs


def test_amplitude_is_the_deviation_within_a_clip() -> None:
    assert amplitude_ratio(swaying(3, 0.4, offset=0.2), [JAW]).value == pytest.approx(0.4)
    assert amplitude_ratio(swaying(3, 1.7), [JAW]).value == pytest.approx(1.7)
    assert np.isnan(amplitude_ratio(swaying(3, 1.0), [BROW]).value), "it does not move in the recordings"


def test_amplitude_is_measured_where_it_was_observed() -> None:
    (pair,) = swaying(1, 0.5)
    pair.observed[60:, JAW] = False
    pair.prediction[60:, JAW] = 5.0
    assert amplitude_ratio([pair], [JAW]).value == pytest.approx(0.5)
    pair.observed[:, JAW] = False
    assert np.isnan(amplitude_ratio([pair], [JAW]).value)


def test_sides_are_averaged_before_their_amplitude_is_taken() -> None:
    left, right = INDEX["browDownLeft"], INDEX["browDownRight"]
    (pair,) = swaying(1, 1.0)
    pair.recording[:, left] = pair.recording[:, right] = pair.recording[:, JAW]
    pair.prediction[:, left], pair.prediction[:, right] = pair.recording[:, JAW], 1 - pair.recording[:, JAW]
    assert amplitude_ratio([pair], [left, right]).value == pytest.approx(0, abs=1e-9)


def test_diversity_is_the_deviation_of_vertices_in_mm() -> None:
    # One vertex of two moves 20 mm per unit; two seeds 0.1 apart: deviation 0.1 / sqrt(2) * 20 mm = 1.414 mm there,
    # and its root mean square over both vertices is 1 mm.
    flat_mm = brow_basis() * 10
    gram_mm2 = flat_mm @ flat_mm.T / 2
    quiet = np.zeros((5, 52))
    lifted = quiet.copy()
    lifted[:, BROW] = 0.1
    assert diversity([[quiet, lifted]], gram_mm2).value == pytest.approx(1.0)
    assert diversity([[lifted, lifted, lifted]], gram_mm2).value == pytest.approx(0, abs=1e-9)

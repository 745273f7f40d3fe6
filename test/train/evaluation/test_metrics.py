"""Vertex errors and correlations with known values."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from dtalker_model.blendshapes import INDEX
from training.corpus.clips import Motion, corpus_folder, load_motion, read_manifest
from training.corpus.face_basis import load_face_basis, squared_displacement_m2, upper_face_vertices
from training.evaluation.baselines import fitted_floors
from training.evaluation.evaluate import one_frame_late
from training.evaluation.metrics import Pair, blocks, correlation, correlation_figure, lve, one_late, pair, vertex_error

JAW, SMILE = INDEX["jawOpen"], INDEX["mouthSmileLeft"]


def recording(frames: int = 50) -> Motion:
    weights = np.zeros((frames, 52), np.float32)
    weights[:, JAW] = np.sin(np.arange(frames) / 3)
    return Motion(weights, np.ones((frames, 52), bool), np.arange(frames) / 50)


def basis(jaw_cm: float) -> np.ndarray:
    """Two lip vertices; the jaw moves the second one down by `jaw_cm`, the smile the first one sideways by 1 cm."""
    vertices = np.zeros((52, 2, 3), np.float32)
    vertices[JAW, 1, 1], vertices[SMILE, 0, 0] = -jaw_cm, 1.0
    return vertices.reshape(52, -1)


def test_lve_is_the_largest_squared_distance_in_square_metres() -> None:
    motion = recording()
    prediction = motion.weights.copy()
    prediction[:, JAW] += 0.1
    prediction[:, SMILE] += 0.05
    # The jaw's vertex is off by 0.1 * 2 cm = 2 mm, the smile's by 0.5 mm: 4e-6 m2, 0.4 in units of 1e-5 m2.
    assert lve([pair(motion, prediction)], basis(2.0)) == pytest.approx(0.4, rel=1e-4)


def test_unobserved_coefficients_cost_nothing() -> None:
    motion = recording()
    motion.observed[:, JAW] = False
    prediction = pair(motion, np.ones((50, 52), np.float32))
    assert vertex_error([prediction], basis(2.0)).value == pytest.approx(10.0)  # the smile alone, off by 1 cm
    np.testing.assert_array_equal(prediction.completed[:, JAW], motion.weights[:, JAW])


def test_frames_are_pooled_over_clips() -> None:
    exact, off = recording(10), recording(30)
    wrong = off.weights.copy()
    wrong[:, JAW] += 0.1
    pairs = [pair(exact, exact.weights), pair(off, wrong)]
    assert lve(pairs, basis(2.0)) == pytest.approx(0.4 * 30 / 40, rel=1e-4)


def test_blocks_keep_every_frame_and_every_figure() -> None:
    motion = recording(700)
    whole = [pair(motion, np.roll(motion.weights, 5, axis=0))]
    assert [len(p.recording) for p in blocks(whole)] == [300, 300, 100]
    assert lve(blocks(whole), basis(2.0)) == pytest.approx(lve(whole, basis(2.0)))
    assert correlation(blocks(whole), [JAW]) == pytest.approx(correlation(whole, [JAW]))


def test_many_frames_in_parts_are_those_in_one(monkeypatch: pytest.MonkeyPatch) -> None:
    weights = np.random.default_rng(0).random((20, 52), np.float32)
    whole = squared_displacement_m2(weights, basis(2.0))
    monkeypatch.setattr("training.corpus.face_basis.LIMIT_ENTRIES", 6 * 7)
    np.testing.assert_allclose(squared_displacement_m2(weights, basis(2.0)), whole, rtol=1e-5)


def test_correlation_of_a_scaled_copy_is_one_and_of_its_negative_minus_one() -> None:
    motion = recording()
    assert correlation([pair(motion, 0.3 * motion.weights + 0.1)], [JAW]) == pytest.approx(1)
    assert correlation([pair(motion, -motion.weights)], [JAW]) == pytest.approx(-1)
    assert np.isnan(correlation([pair(motion, motion.weights)], [SMILE]))
    still = Motion(motion.weights * 0.01, motion.observed, motion.times_s)
    assert np.isnan(correlation([pair(still, motion.weights)], [JAW]))


def test_correlation_over_clips_is_that_of_all_frames() -> None:
    draw = np.random.default_rng(0)
    pairs = []
    for frames in (20, 35):
        motion = recording(frames)
        pairs.append(pair(motion, motion.weights + draw.normal(size=(frames, 52)).astype(np.float32)))
    x, y = (np.concatenate([getattr(p, side)[:, JAW] for p in pairs]) for side in ("recording", "prediction"))
    assert correlation(pairs, [JAW]) == pytest.approx(np.corrcoef(x, y)[0, 1], abs=1e-5)
    unobserved = Pair(pairs[0].recording, pairs[0].prediction, np.zeros((20, 52), bool), pairs[0].times_s)
    assert np.isnan(correlation_figure([unobserved], [JAW]).value)


def test_one_frame_late_is_exact_at_any_rate() -> None:
    weights = np.zeros((4, 52), np.float32)
    weights[:, JAW] = [0.0, 0.1, 0.3, 0.6]
    motion = Motion(weights, np.ones((4, 52), bool), 0.035 + np.arange(4) / 29.97)
    late = one_late(motion)
    np.testing.assert_allclose(late.error[:, JAW], [-0.1, -0.2, -0.3], atol=1e-6)
    motion.observed[1] = False
    assert len(one_late(motion).recording) == 1  # rows 1 and 2 lack one side


def test_the_upper_face_is_what_eyes_and_brows_move_above_the_nose() -> None:
    neutral, delta = np.zeros((4, 3), np.float32), np.zeros((52, 4, 3), np.float32)
    neutral[:, 1] = 0.0, 1.0, 2.0, 3.0
    delta[INDEX["browInnerUp"], :3, 1] = 0.2, 0.2, 0.05
    delta[INDEX["eyeBlinkLeft"], 3, 1] = -0.1
    delta[JAW] = 1.0
    landmarks = np.zeros(68, int)  # the nose is vertex 0, so that vertex 0 is not above it; vertex 2 moves too little
    np.testing.assert_array_equal(upper_face_vertices(neutral, delta, landmarks), [1, 3])


def test_the_floors_of_the_corpus_readme_are_reproduced(corpus: Path) -> None:
    """The README's ridge was fitted elsewhere; the same method must give nearly the same figures."""
    folder = corpus_folder()
    lips_cm = load_face_basis(folder).lips_cm
    val = [c for c in read_manifest(folder, "val", "ravdess") if c.motion]
    floors = fitted_floors(folder, "ravdess")
    pairs = {name: [pair(load_motion(c), predict(c)) for c in val] for name, predict in floors.items()}
    assert lve(pairs["mean face"], lips_cm) == pytest.approx(4.78, rel=0.02)
    assert lve(pairs["ridge"], lips_cm) == pytest.approx(4.18, rel=0.06)
    assert correlation(pairs["ridge"], [JAW]) == pytest.approx(0.45, abs=0.04)
    assert lve(one_frame_late(val), lips_cm) == pytest.approx(0.22, abs=0.03)

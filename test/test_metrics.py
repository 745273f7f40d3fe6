"""Metrics with known values."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from dtalker_model.blendshapes import INDEX
from training.baselines import Predict, mean_face, one_frame_late, ridge
from training.corpus import Motion, corpus_folder, load_motion, read_manifest
from training.metrics import correlation, lip_basis_cm, lve, pair

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
    assert lve([pair(motion, np.ones((50, 52), np.float32) * motion.weights)], basis(2.0)) == 0.0


def test_frames_are_pooled_over_clips() -> None:
    exact, off = recording(10), recording(30)
    wrong = off.weights.copy()
    wrong[:, JAW] += 0.1
    pairs = [pair(exact, exact.weights), pair(off, wrong)]
    assert lve(pairs, basis(2.0)) == pytest.approx(0.4 * 30 / 40, rel=1e-4)


def test_correlation_of_a_scaled_copy_is_one_and_of_its_negative_minus_one() -> None:
    motion = recording()
    assert correlation([pair(motion, 0.3 * motion.weights + 0.1)], [JAW]) == pytest.approx(1)
    assert correlation([pair(motion, -motion.weights)], [JAW]) == pytest.approx(-1)
    assert np.isnan(correlation([pair(motion, motion.weights)], [SMILE]))


def test_the_floors_of_the_corpus_readme_are_reproduced(corpus: Path) -> None:
    """The README's ridge was fitted elsewhere; the same method must give nearly the same figures."""
    folder = corpus_folder()
    basis_cm = lip_basis_cm(folder)
    train, val = ([c for c in read_manifest(folder, s, "ravdess") if c.motion] for s in ("train", "val"))
    floors: dict[str, Predict] = {"mean": mean_face(train), "ridge": ridge(train), "late": one_frame_late}
    pairs = {name: [pair(load_motion(c), predict(c)) for c in val] for name, predict in floors.items()}
    assert lve(pairs["mean"], basis_cm) == pytest.approx(4.78, rel=0.02)
    assert lve(pairs["ridge"], basis_cm) == pytest.approx(4.18, rel=0.06)
    assert correlation(pairs["ridge"], [JAW]) == pytest.approx(0.45, abs=0.04)
    assert lve(pairs["late"], basis_cm) < 0.3

"""Lip closure with known gaps, and the thresholds on the recordings they were chosen on."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from dtalker_model.blendshapes import INDEX
from training.corpus.clips import read_manifest
from training.corpus.face_basis import FaceBasis, load_face_basis
from training.evaluation.closure import MEET_MM, bilabial_gaps_mm, closures, separating_gap_mm, vowel_gaps_mm
from training.evaluation.evaluate import recorded
from training.evaluation.metrics import Pair

JAW = INDEX["jawOpen"]
TIMES_S = np.arange(100) / 50
PHONES = (("SIL", 0.0, 0.5), ("B", 0.5, 0.1), ("AA1", 0.6, 0.2), ("M", 1.2, 0.1), ("IY", 1.3, 0.3), ("P", 5.0, 0.1))


def jaw_face() -> FaceBasis:
    """A face whose lips are 1 mm apart at rest, and 30 mm further with the jaw open."""
    gap_mm = np.zeros(52)
    gap_mm[JAW] = 30.0
    none, still = np.zeros((52, 3)), np.zeros(52)
    return FaceBasis(none, none, np.zeros((52, 6)), np.zeros((52, 52)), 1.0, gap_mm, still, still)


def test_a_bilabial_has_its_smallest_gap_and_a_vowel_that_of_its_middle() -> None:
    gap_mm = np.full(100, 8.0)
    gap_mm[27], gap_mm[70] = 2.0, 3.0  # 0.54 s, inside /b/; 1.4 s, in neither
    np.testing.assert_array_equal(bilabial_gaps_mm(gap_mm, TIMES_S, PHONES), [2.0, 8.0])  # /p/ is after the end
    gap_mm[35] = 5.0
    np.testing.assert_allclose(vowel_gaps_mm(gap_mm, TIMES_S, PHONES), [5.0])  # 0.7 s, the middle of AA


def test_the_lips_may_close_a_frame_before_the_phone() -> None:
    gap_mm = np.full(100, 8.0)
    gap_mm[23] = 1.0  # 0.46 s
    assert bilabial_gaps_mm(gap_mm, TIMES_S, PHONES)[0] == 1.0
    gap_mm[23], gap_mm[22] = 8.0, 1.0  # 0.44 s is too early
    assert bilabial_gaps_mm(gap_mm, TIMES_S, PHONES)[0] == 8.0


def test_shares_of_closed_bilabials_and_vowels() -> None:
    recording, prediction = np.zeros((2, 100, 52), np.float32)
    prediction[:, JAW] = 0.3  # 10 mm
    prediction[24:33, JAW] = 0.1  # 4 mm at /b/
    pair = Pair(recording, prediction, np.ones((100, 52), bool), TIMES_S)
    closed, false = closures([pair], [PHONES], jaw_face(), meet_mm=5.0)
    assert closed.value == 0.5 and false.value == 0.0
    closed, false = closures([pair], [PHONES], jaw_face(), meet_mm=3.9)
    assert closed.value == 0.0
    shut = Pair(recording, recording, pair.observed, TIMES_S)
    closed, false = closures([shut, shut], [PHONES, ()], jaw_face(), meet_mm=3.9)
    assert closed.value == 1.0 and false.value == 1.0
    assert np.isnan(closures([shut], [()], jaw_face(), meet_mm=3.9)[0].value)


def test_what_is_not_observed_does_not_close_the_lips() -> None:
    recording, prediction = np.zeros((2, 100, 52), np.float32)
    prediction[:, JAW] = 1.0
    observed = np.ones((100, 52), bool)
    observed[:, JAW] = False
    assert closures([Pair(recording, prediction, observed, TIMES_S)], [PHONES], jaw_face(), 1.5)[0].value == 1.0


def test_the_threshold_lies_where_both_errors_are_alike() -> None:
    bilabials, vowels = np.array([1.0, 1.1, 2.9, 4.0]), np.array([2.0, 5.0, 6.0, 7.0])
    assert separating_gap_mm(bilabials, vowels) == 3.0  # one in four wrong on either side


def test_the_threshold_of_ravdess_is_that_of_its_training_recordings(corpus: Path) -> None:
    face = load_face_basis(corpus)
    clips = [c for c in read_manifest(corpus, "train", "ravdess") if c.motion and c.phones]
    gaps: list[list[np.ndarray]] = [[], []]
    for clip in clips:
        (pair,) = recorded([clip])
        gap_mm = face.lip_gap_mm(np.where(pair.observed, pair.recording, 0))
        gaps[0].append(bilabial_gaps_mm(gap_mm, pair.times_s, clip.phones))
        gaps[1].append(vowel_gaps_mm(gap_mm, pair.times_s, clip.phones))
    bilabials, vowels = (np.concatenate(parts) for parts in gaps)
    assert separating_gap_mm(bilabials, vowels) == MEET_MM["ravdess"]
    assert (bilabials <= MEET_MM["ravdess"]).mean() == pytest.approx(0.85, abs=0.01)
    assert (vowels <= MEET_MM["ravdess"]).mean() == pytest.approx(0.14, abs=0.01)

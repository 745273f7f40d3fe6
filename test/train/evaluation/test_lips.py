"""Lips at phones, on synthetic faces that do exactly what is said, or do not."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from dtalker_model.blendshapes import INDEX
from training.corpus.face_basis import FaceBasis, load_face_basis
from training.evaluation.lips import (
    BIN_MM,
    LIP_FIGURES,
    Lips,
    Phones,
    at_middle,
    d_prime,
    lip_figures,
    lip_sums,
    lips_of,
    phone_set,
    smallest,
)

JAW, CLOSE, PUCKER, SMILE = (INDEX[n] for n in ("jawOpen", "mouthClose", "mouthPucker", "mouthSmileLeft"))
TIMES_S = np.arange(150) / 50
SENTENCE: Phones = (
    ("SIL", 0.0, 0.4), ("B", 0.4, 0.1), ("AA1", 0.5, 0.2), ("M", 0.7, 0.1), ("IY0", 0.8, 0.2), ("P", 1.0, 0.1),
    ("UW1", 1.1, 0.2), ("F", 1.3, 0.1), ("EH1", 1.4, 0.2), ("V", 1.6, 0.1), ("OW1", 1.7, 0.2), ("AE1", 1.9, 0.2),
    ("P", 9.0, 0.1),
)  # fmt: skip


def jaw_face() -> FaceBasis:
    """The jaw opens the lips by 30 mm and drops the lower one by as much; a smile widens the mouth by 10 mm."""
    gap_mm, drop_mm, corners_cm = np.zeros(52), np.zeros(52), np.zeros((52, 2, 3))
    gap_mm[JAW] = drop_mm[JAW] = 30.0
    gap_mm[CLOSE], gap_mm[INDEX["mouthUpperUpLeft"]] = -30.0, 10.0
    corners_cm[SMILE, :, 0] = -0.5, 0.5
    flat = np.zeros((52, 3))
    return FaceBasis(flat, flat, corners_cm.reshape(52, 6), np.zeros((52, 52)), 1.0, gap_mm, drop_mm)


def during(*names: str) -> np.ndarray:
    """(T,) bool: frames in phones of these names."""
    spans = [(start, start + length) for name, start, length in SENTENCE if name.rstrip("012") in names]
    return np.any([(TIMES_S >= a - 1e-9) & (TIMES_S < b - 1e-9) for a, b in spans], axis=0)


def speaker() -> np.ndarray:
    """A face that closes at every p b m, brings the lip to the teeth at f v, rounds at u o, and is open elsewhere."""
    weights = np.zeros((150, 52))
    weights[:, JAW] = 0.3  # 9 mm
    weights[during("IY", "EH"), JAW] = 0.1
    weights[during("F", "V"), JAW] = 0.05
    weights[during("B", "M", "P"), JAW] = 0.0
    weights[during("UW", "OW"), PUCKER] = 0.5 + 0.02 * np.sin(np.arange(during("UW", "OW").sum()))
    weights[:, PUCKER] += 0.02 * np.sin(np.arange(150))
    weights[during("IY", "EH"), SMILE] = 0.4
    weights[:, SMILE] += 0.02 * np.cos(np.arange(150))
    return weights


def figures(weights: np.ndarray, phones: Phones = SENTENCE) -> dict[str, float]:
    found = lip_figures([lip_sums(lips_of(weights, TIMES_S, jaw_face()), phones)])
    assert list(found) == list(LIP_FIGURES)
    return {name: figure.value for name, figure in found.items()}


def test_a_face_that_does_what_is_said_has_every_closure_and_none_where_it_should_be_open() -> None:
    found = figures(speaker())
    assert found["closed_1mm"] == found["closed_2mm"] == found["teeth"] == 1.0 and found["looks_shut"] == 0.0
    expected = {"gap_i": 3.0, "gap_e": 3.0, "gap_a": 9.0, "gap_o": 9.0, "gap_u": 9.0}
    assert {name: found[name] for name in expected} == pytest.approx(expected, abs=BIN_MM)
    assert found["rounding"] > 10 and found["spreading"] > 5


def test_a_face_that_never_moves_looks_shut_everywhere() -> None:
    found = figures(np.zeros((150, 52)))
    assert found["closed_1mm"] == found["looks_shut"] == found["teeth"] == 1.0
    assert np.isnan(found["rounding"]) and np.isnan(found["spreading"]), "nothing differs, nothing varies"


def test_a_mouth_that_hangs_open_closes_at_nothing() -> None:
    weights = np.zeros((150, 52))
    weights[:, JAW] = 0.05  # 1.5 mm
    found = figures(weights)
    assert found["closed_1mm"] == 0.0 and found["closed_2mm"] == found["looks_shut"] == found["teeth"] == 1.0
    weights[:, JAW] = 0.1
    found = figures(weights)
    assert found["closed_2mm"] == found["looks_shut"] == found["teeth"] == 0.0


UPPER = INDEX["mouthUpperUpLeft"]


def test_f_is_told_from_p_by_an_upper_lip_that_keeps_out_of_the_way() -> None:
    pressed = speaker()
    pressed[during("F", "V"), JAW] = 0.0
    pressed += 0.001 * np.random.default_rng(0).normal(size=(150, 52))
    bitten = pressed.copy()
    bitten[during("F", "V"), UPPER] += 0.4
    found = {name: figures(weights) for name, weights in (("pressed", pressed), ("bitten", bitten))}
    assert [found[name]["teeth"] for name in found] == [1.0, 1.0]
    assert found["pressed"]["gap_f"] == pytest.approx(0.0, abs=0.2) and abs(found["pressed"]["biting"]) < 5
    assert found["bitten"]["gap_f"] == pytest.approx(4.0, abs=0.2) and found["bitten"]["biting"] > 10


def test_all_52_weights_count_also_those_that_no_tracker_sees() -> None:
    weights = speaker()
    weights[:, JAW], weights[during("B", "M", "P"), CLOSE] = 0.3, 0.3
    assert figures(weights)["closed_1mm"] == 1.0
    assert figures(weights)["teeth"] == 0.0


def test_one_closure_in_three_is_a_third() -> None:
    weights = speaker()
    weights[:45, JAW] = 0.3  # the first two of the three bilabials that there are frames for
    assert figures(weights)["closed_1mm"] == pytest.approx(1 / 3)


def test_the_lips_close_within_half_a_frame_of_the_phone() -> None:
    values = np.full(100, 8.0)
    for frame, found in ((24, 8.0), (25, 1.0), (30, 1.0), (31, 8.0)):
        values[:], values[frame] = 8.0, 1.0
        assert smallest(values, np.arange(100) / 50, (("B", 0.51, 0.09),), phone_set("b")) == [found], frame
    assert len(smallest(values, np.arange(100) / 50, (("B", 0.511, 0.001),), phone_set("b"))) == 1


def test_a_vowel_is_read_at_its_middle_between_frames() -> None:
    values = np.zeros(10)
    values[5], values[6] = 2.0, 4.0
    assert at_middle(values, np.arange(10) / 50, (("B", 0.1, 0.02),), phone_set("b")) == pytest.approx([3.0])
    assert len(at_middle(values, np.arange(10) / 50, (("B", 0.3, 0.02),), phone_set("b"))) == 0


def test_d_prime_is_the_distance_in_deviations() -> None:
    draw = np.random.default_rng(0)
    yes, no = draw.normal(5.0, 2.0, 20000), draw.normal(2.0, 1.0, 10000)
    sums = np.array([len(yes), yes.sum(), (yes**2).sum(), len(no), no.sum(), (no**2).sum()])
    assert d_prime(sums) == pytest.approx(3 / np.sqrt(2.5), rel=0.02)
    np.testing.assert_allclose(d_prime(np.stack([sums, sums[[3, 4, 5, 0, 1, 2]]])), d_prime(sums) * np.array([1, -1]))


def test_medians_of_several_voices_are_those_of_all_their_vowels() -> None:
    def of(gap_mm: float, vowels: int) -> dict[str, np.ndarray]:
        flat = np.full(150, gap_mm)
        return lip_sums(Lips(TIMES_S, flat, flat, flat, flat), [("IY", 0.1 + 0.1 * k, 0.1) for k in range(vowels)])

    found = lip_figures([of(4.0, 3), of(7.0, 2)])["gap_i"]
    assert found.value == pytest.approx(4.0, abs=BIN_MM)
    low, high = found.interval
    assert low == pytest.approx(4.0, abs=BIN_MM) and high == pytest.approx(7.0, abs=BIN_MM)
    assert np.isnan(lip_figures([of(4.0, 0)])["gap_i"].value) and np.isnan(
        lip_figures([of(4.0, 0)])["closed_1mm"].value
    )


def test_the_face_of_the_corpus_opens_drops_and_widens_as_a_face_does(corpus: Path) -> None:
    face = load_face_basis(corpus)
    assert face.gap_mm[JAW] > 20 and face.drop_mm[JAW] > 20 and face.gap_mm[CLOSE] < -20
    assert face.width_mm[SMILE] > 5 and face.width_mm[PUCKER] < -5
    assert face.drop_mm[INDEX["mouthUpperUpLeft"]] < 1 < face.gap_mm[INDEX["mouthUpperUpLeft"]]

"""Calibration, diversity and the mean of seeds for samplers whose answers are known."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from dtalker_model.blendshapes import INDEX
from training.corpus.clips import Clip, Motion
from training.corpus.face_basis import FaceBasis
from training.evaluation import sampling
from training.evaluation.metrics import Pair
from training.evaluation.predictor import About
from training.evaluation.sampling import CLIPS, SEEDS, calibration, mean_and_sample, moving, sampling_row, some

JAW, SMILE, BROW = INDEX["jawOpen"], INDEX["mouthSmileLeft"], INDEX["browInnerUp"]
FRAMES = 1500


def clip(name: str) -> Clip:
    return Clip(Path(), name, "ravdess", "val", "ravdess_09", "happy", f"{name}.flac", FRAMES / 50, "CC0")


def expected(name: str) -> np.ndarray:
    """What the audio of a clip says of its motion: sines of jaw and brow."""
    weights = np.zeros((FRAMES, 52))
    for c in (JAW, BROW):
        weights[:, c] = 0.5 + 0.2 * np.sin(np.arange(FRAMES) / 7 + len(name))
    return weights


def around(name: str, deviation: float, seed: int) -> np.ndarray:
    """One motion that the audio allows: the jaw `deviation` about what it says, the brow a tenth of that."""
    noise = np.random.default_rng([seed, *name.encode()]).normal(size=(FRAMES, 52)) * deviation
    found = expected(name)
    found[:, JAW] += noise[:, JAW]
    found[:, BROW] += 0.1 * noise[:, BROW]
    return found


def recorded(name: str) -> Motion:
    return Motion(around(name, 0.1, 999), np.ones((FRAMES, 52), bool), np.arange(FRAMES) / 50)


class Sampler:
    """Its samples lie `deviation` about what the audio says, as the recordings do at 0.1."""

    ear = live = None

    def __init__(self, deviation: float, steps: int = 2) -> None:
        self.deviation, self.about = deviation, About("sampler", "", 1, steps, 1, "", "")
        self.seeds: list[int] = []

    def __call__(self, clips: Sequence[Clip], seed: int = 0) -> list[np.ndarray]:
        self.seeds.append(seed)
        return [around(c.id, self.deviation, seed) for c in clips]


def face() -> FaceBasis:
    """One lip vertex, which the jaw moves by 1 cm."""
    lips = np.zeros((52, 3), np.float32)
    lips[JAW, 1] = 1.0
    return FaceBasis(lips, lips, np.zeros((52, 6)), lips @ lips.T * 100, 0.0, np.zeros(52))


def pairs(deviation: float, seeds: int = 16) -> list[list[Pair]]:
    clips = [recorded(name) for name in "abc"]
    return [
        [Pair(m.weights, around(name, deviation, k), m.observed, m.times_s) for k in range(seeds)]
        for name, m in zip("abc", clips)
    ]


@pytest.mark.parametrize("seeds", [2, 16])
def test_a_perfect_sampler_is_calibrated_whatever_the_number_of_seeds(seeds: int) -> None:
    found = calibration(pairs(0.1, seeds))
    assert found([JAW]).value == pytest.approx(1, abs=0.1) and found([BROW]).value == pytest.approx(1, abs=0.1)
    low, high = found([JAW]).interval
    assert low <= found([JAW]).value <= high


def test_a_mean_that_is_always_the_same_has_none_and_a_timid_sampler_little() -> None:
    assert calibration(pairs(0.0))([JAW]).value == pytest.approx(0, abs=1e-12)
    assert calibration(pairs(0.05))([JAW]).value == pytest.approx(0.26, abs=0.02)


def test_coefficients_are_averaged_and_not_pooled() -> None:
    found = calibration(pairs(0.1))
    both = (found([JAW]).value + found([BROW]).value) / 2
    assert found([JAW, BROW]).value == pytest.approx(both)


def test_unobserved_frames_do_not_count() -> None:
    clips = pairs(0.1)
    for clip_pairs in clips:
        clip_pairs[0].observed[700:, JAW] = False
        for p in clip_pairs:
            p.prediction[700:, JAW] = 7.0
    assert calibration(clips)([JAW]).value == pytest.approx(1, abs=0.1)


def test_what_does_not_move_in_the_recordings_has_no_calibration() -> None:
    assert moving(pairs(0.1)) == sorted([JAW, BROW])


def test_a_sample_errs_twice_as_much_as_the_mean_of_many() -> None:
    found = mean_and_sample(pairs(0.1), face())
    # The jaw's residual is 0.1 * 1 cm = 1 mm: 1e-6 m2, 0.1 in units of 1e-5 m2; the mean of 8 adds an eighth.
    assert found["LVE_sample"].value == pytest.approx(0.2, rel=0.05)
    assert found["LVE_mean8"].value == pytest.approx(0.1 * 9 / 8, rel=0.05)
    assert found["jawOpen_mean8"].value > found["jawOpen_sample"].value > 0.5


def test_a_row_has_every_figure_and_each_coefficient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sampling, "load_motion", lambda c: recorded(c.id))
    sampler = Sampler(0.1)
    row = sampling_row({"source": "ravdess", "predictor": "model"}, sampler, [clip(n) for n in "abcdefghij"], face())
    assert sampler.seeds == list(range(SEEDS)) and (row["clips"], row["seeds"]) == (CLIPS, SEEDS)
    assert set(row["calibration"]) == {"jawOpen", "browInnerUp"}
    assert row["calibration_mouth"] == row["calibration"]["jawOpen"] == pytest.approx(1, abs=0.1)
    assert row["calibration_upper"] == pytest.approx(1, abs=0.1) and row["mouthSmile_sample"] is None
    assert row["diversity"] == pytest.approx(1.0, rel=0.05)  # 0.1 of a jaw that moves the one vertex by 10 mm
    still = sampling_row({"source": "ravdess", "predictor": "model"}, Sampler(0.0, steps=0), [clip("a")], face())
    assert still["seeds"] == 2 and still["diversity"] == still["calibration_mouth"] == 0  # rounded


def test_some_clips_are_spread_over_all() -> None:
    clips = [clip(str(k)) for k in range(100)]
    assert [c.id for c in some(clips)] == ["0", "20", "40", "59", "79", "99"]
    assert some(clips[:3]) == clips[:3] and some([]) == []

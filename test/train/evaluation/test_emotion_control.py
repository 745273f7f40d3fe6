"""Directions of known angle."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from tiny_corpus import write_corpus

from dtalker_model.blendshapes import INDEX
from training.corpus.clips import Clip
from training.corpus.face_basis import load_face_basis
from training.evaluation.emotion_control import cosine, direction, emotion_control_rows, mean_face

BROW, SMILE = INDEX["browInnerUp"], INDEX["mouthSmileLeft"]


def weights(brow: float, smile: float) -> np.ndarray:
    face = np.zeros(52)
    face[BROW], face[SMILE] = brow, smile
    return face


def square_basis() -> np.ndarray:
    """The brow lifts a vertex by 1 cm, the smile moves it sideways by 1 cm."""
    basis = np.zeros((52, 3))
    basis[BROW, 1], basis[SMILE, 0] = 1.0, 1.0
    return basis


def test_the_cosine_is_that_of_displacements() -> None:
    measured = weights(1, 0)
    assert cosine(weights(0.2, 0), measured, square_basis()) == pytest.approx(1)
    assert cosine(weights(0.3, 0.3), measured, square_basis()) == pytest.approx(np.sqrt(0.5))
    assert cosine(weights(-2, 0), measured, square_basis()) == pytest.approx(-1)
    both = np.stack([weights(1, 0), weights(0, 1)])
    np.testing.assert_allclose(cosine(both, measured, square_basis()), [1, 0])


def test_the_direction_is_that_of_the_mean_difference() -> None:
    differences = np.stack([weights(1, 1), weights(1, -1)])
    assert direction(differences, weights(1, 0), square_basis()).value == pytest.approx(1)


def test_clips_weigh_alike_in_a_mean_face() -> None:
    long, short = np.zeros((90, 52)), np.ones((10, 52))
    np.testing.assert_allclose(mean_face([long, short]), 0.5)


def test_a_model_that_smiles_as_recorded_has_the_measured_direction(tmp_path: Path) -> None:
    folder = write_corpus(tmp_path)
    lines = (folder / "manifest.jsonl").read_text().splitlines()
    sad = next(line for line in lines if '"ravdess_val"' in line)
    happy = sad.replace('"sad"', '"happy"').replace('"motion": "ravdess_val.npz"', '"motion": "ravdess_train.npz"')
    neutral = sad.replace('"emotion": "sad"', '"emotion": "neutral"')
    (folder / "manifest.jsonl").write_text("\n".join([*lines, happy, neutral]) + "\n")

    def smiling(clips: Sequence[Clip]) -> list[np.ndarray]:
        spoken = [np.zeros((clip.frames, 52), np.float32) for clip in clips]
        for clip, frames in zip(clips, spoken):
            frames[:, [SMILE, INDEX["mouthSmileRight"]]] = 0.5 if clip.emotion == "happy" else 0.2
        return spoken

    face = load_face_basis(folder)
    assert emotion_control_rows(smiling, folder, "train", face) == []  # no neutral clips there
    (row,) = emotion_control_rows(smiling, folder, "val", face)
    assert row["clips"] == 1 and row["predictor"] == "emotion control"
    assert row["cosine_mouth_corners"] > 0.9

"""Retrieval by the listener: error rates of known value, and the shipped listener on a clip."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from training.evaluation.retrieval import Ear, equal_error_rate, middle, verification


def test_equal_error_rate_of_known_scores() -> None:
    same = np.array([True, True, True, True, False, False, False, False])
    assert equal_error_rate(np.array([8, 7, 6, 5, 4, 3, 2, 1.0]), same) == 0.0
    assert equal_error_rate(np.array([1, 2, 3, 4, 5, 6, 7, 8.0]), same) == 1.0
    assert equal_error_rate(np.array([8, 7, 6, 2, 5, 3, 1, 0.0]), same) == 0.25
    assert np.isnan(equal_error_rate(np.ones(3), np.ones(3, bool)))


def test_weights_count_as_repetitions() -> None:
    scores, same = np.array([3.0, 1.0, 2.0, 0.0]), np.array([True, True, False, False])
    weights = np.array([3, 1, 1, 3])
    repeated = equal_error_rate(np.repeat(scores, weights), np.repeat(same, weights))
    assert equal_error_rate(scores, same, weights.astype(float)) == repeated == 0.25


def test_scores_by_chance_are_wrong_half_the_time() -> None:
    draw = np.random.default_rng(0)
    assert equal_error_rate(draw.random(4000), draw.random(4000) < 0.5) == pytest.approx(0.5, abs=0.03)


def test_verification_compares_every_two_clips_once() -> None:
    speakers = ["a", "a", "b", "b"]
    similarity = np.array([[1, 0.9, 0.1, 0.2], [0.9, 1, 0.1, 0.1], [0.1, 0.1, 1, 0.8], [0.2, 0.1, 0.8, 1]])
    rate, (low, high) = verification(similarity, speakers)
    assert rate == low == high == 0.0


def test_the_middle_of_a_clip() -> None:
    audio = np.arange(5 * 16000, dtype=np.float32)
    assert len(middle(audio)) == 3 * 16000 and middle(audio)[0] == 16000
    np.testing.assert_array_equal(middle(audio[:100]), audio[:100])


def test_the_shipped_listener_hears_a_clip(demo_wav: Path) -> None:
    ear = Ear("dtalker")
    audio, _ = soundfile.read(demo_wav, dtype="float32")
    heard = ear.hear(audio)
    assert heard.emotion.shape == (len(ear.emotions),) and np.linalg.norm(heard.voice) == pytest.approx(1, abs=1e-4)
    assert np.abs(heard.emotion).max() <= 10.0 + 1e-3  # a cosine over a temperature of 0.1
    again = ear.hear(audio, heard.memory)
    np.testing.assert_allclose(again.voice, heard.voice, atol=1e-5)
    assert not np.allclose(again.emotion, heard.emotion, atol=1e-3), "what is usual for a voice is remembered"

"""Retrieval by the listener: error rates of known value, and the shipped listener on a clip."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile

from training.evaluation.evaluate import retrieval_rows
from training.evaluation.retrieval import Ear, Heard, equal_error_rate, middle, verification


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


class TellsLoudness(Ear):
    """It takes loudness for a voice, and everything for calm."""

    def __init__(self) -> None:
        self.emotions = ("calm", "sad")

    def hear(self, audio: np.ndarray, memory: np.ndarray | None = None) -> Heard:
        angle = 9 * float(np.abs(audio).max())
        return Heard(np.array([1.0, 0.0]), np.array([np.cos(angle), np.sin(angle)]), np.zeros(0))


def write_speakers(folder: Path, manifest: str, source: str, *spoken: tuple[str, str, float]) -> None:
    """Clips of (split, speaker, loudness), two seconds of a tone each."""
    rows = []
    for k, (split, identity, level) in enumerate(spoken):
        name = f"{source}_{k}"
        soundfile.write(folder / f"{name}.flac", level * np.sin(np.arange(32_000) / 9), 16000)
        rows.append({"id": name, "source": source, "split": split, "identity": identity, "emotion": "calm",
                     "audio": f"{name}.flac", "seconds": 2.0, "licence": "CC0"})  # fmt: skip
    (folder / manifest).write_text("".join(json.dumps(row) + "\n" for row in rows))


def test_speakers_are_verified_on_actors_and_voices_that_nobody_trained_on(tmp_path: Path) -> None:
    actors = [("train", "ravdess_1", 0.5), *[("val", f"ravdess_{k}", 0.1 * k) for k in (1, 2, 2, 3, 3)]]
    write_speakers(tmp_path, "manifest.jsonl", "ravdess", *actors)
    assert [r["source"] for r in retrieval_rows(TellsLoudness(), tmp_path, "val")] == ["ravdess"]
    voices = [("train", "so_1", 0.1), *[("val", f"so_{k}", 0.1 * k) for k in (1, 2, 2, 3, 4, 4, *[2] * 12)]]
    write_speakers(tmp_path, "voices.jsonl", "voices", *voices)
    of_actors, of_voices = retrieval_rows(TellsLoudness(), tmp_path, "val")
    assert (of_actors["clips"], of_actors["speakers"], of_actors["emotion_accuracy"]) == (4, 2, 1.0)
    assert (of_voices["clips"], of_voices["speakers"]) == (13, 3), "ten of each; nobody trained on"
    assert of_actors["identity_EER"] == of_voices["identity_EER"] == 0.0 and "emotion_accuracy" not in of_voices
    assert retrieval_rows(None, tmp_path, "val") == []

"""Embeddings that the settings ask for, and what is believed about a voice."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dtalker_model.card import ModelCard
from dtalker_model.settings import Settings
from dtalker_model.speaking import listener as listening
from dtalker_model.speaking.listener import Average, Listener
from dtalker_model.speaking.personalizer import Personalizer

NEUTRAL, HAPPY, SAD = (0.0, 1.0), (2.0, 1.0), (0.0, -3.0)
ALWAYS = np.ones(1, bool)
STEADY_S = 2.0
STEADY = 0.2
"""Part of its way from the prior that an embedding may still go after `STEADY_S` of a steady voice."""


@pytest.fixture
def card() -> ModelCard:
    return ModelCard(
        name="test",
        description="",
        identities={"default": (1.0, 0.0), "ann": (0.0, 1.0)},
        emotions={"happy": HAPPY, "neutral": NEUTRAL, "sad": SAD},
        steps=2,
        sha256="",
        parameters=0,
        training_data=(),
        licence="",
        listener_identities=("ann", "bob"),
        listener_emotions=("sad", "neutral", "bored"),
    )


@pytest.fixture
def personalizer(card: ModelCard) -> Personalizer:
    return Personalizer(card)


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        (Settings(emotion="neutral", intensity=2.0), NEUTRAL),
        (Settings(emotion="happy"), HAPPY),
        (Settings(emotion="happy", intensity=0.0), NEUTRAL),
        (Settings(emotion="happy", intensity=2.0), (4.0, 1.0)),
        (Settings(emotion="mix", emotion_weights={"happy": 0.5}), (1.0, 1.0)),
        (Settings(emotion="mix", emotion_weights={"happy": 1.0, "sad": 1.0}), (1.0, -1.0)),
        (Settings(emotion="mix"), NEUTRAL),
        (Settings(emotion="live"), NEUTRAL),
    ],
)
def test_emotions_mix_around_neutral(personalizer: Personalizer, settings: Settings, expected: tuple) -> None:
    np.testing.assert_allclose(personalizer.emotion(settings, None), [expected], atol=1e-6)


def test_live_follows_what_is_beyond_doubt_and_unknown_names_count_as_default(personalizer: Personalizer) -> None:
    settings = Settings(identity="live", emotion="live")
    who, mood = np.array([[0.75, 0.25]], np.float32), np.array([[0.9, 0.1, 0.0]], np.float32)
    np.testing.assert_allclose(personalizer.identity(settings, who), [[0.5, 0.5]], atol=1e-6)
    np.testing.assert_allclose(personalizer.emotion(settings, mood), [[0.0, -2.2]], atol=1e-6)
    np.testing.assert_allclose(personalizer.identity(settings, who[:, ::-1]), [[1.0, 0.0]], atol=1e-6)
    np.testing.assert_allclose(personalizer.emotion(settings, mood - 0.4), [NEUTRAL], atol=1e-6)


@pytest.mark.parametrize(
    ("heard", "expected"),
    [
        ([1.0, 0.0, 0.0], SAD),
        ([0.0, 1.0, 0.0], NEUTRAL),
        ([0.5, 0.3, 0.2], (5.0, 7.0)),
        ([0.75, 0.25, 0.0], (2.5, 2.0)),
    ],
)
def test_a_mood_in_doubt_is_one_that_nobody_told(card: ModelCard, heard: list[float], expected: tuple) -> None:
    doubts = Personalizer(replace(card, unlabelled=(5.0, 7.0)))
    found = doubts.emotion(Settings(emotion="live"), np.array([heard], np.float32))
    np.testing.assert_allclose(found, [expected], atol=1e-6)


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        (Settings(emotion="happy", live_share=0.0), HAPPY),
        (Settings(emotion="happy", live_share=1.0), SAD),
        (Settings(emotion="happy", live_share=0.5), (1.0, -1.0)),
        (Settings(emotion="happy", live_share=0.5, intensity=2.0), (2.0, -3.0)),
        (Settings(emotion="live", live_share=0.25), SAD),
        (Settings(emotion="mix", emotion_weights={"happy": 0.5}, live_share=0.5), (0.5, -1.0)),
    ],
)
def test_the_chosen_and_the_inferred_emotion_blend(
    personalizer: Personalizer, settings: Settings, expected: tuple
) -> None:
    sad = np.tile(np.array([1.0, 0.0, 0.0], np.float32), (3, 1))
    np.testing.assert_allclose(personalizer.emotion(settings, sad), np.tile(expected, (3, 1)), atol=1e-6)


def test_without_a_listener_the_chosen_emotion_holds(personalizer: Personalizer) -> None:
    settings = Settings(emotion="happy", live_share=1.0)
    assert settings.listens and not Settings(emotion="happy").listens
    np.testing.assert_allclose(personalizer.emotion(settings, None), [HAPPY])


def test_a_fixed_identity_is_its_own_embedding(personalizer: Personalizer) -> None:
    np.testing.assert_allclose(personalizer.identity(Settings(identity="ann"), None), [[0, 1]])


def test_a_belief_begins_at_the_prior_and_grows_with_trust() -> None:
    average = Average(np.array([1.0, 0.0]))
    logits = np.array([[0.0, 100.0]])
    half = average.follow(logits, ALWAYS, np.array([0.5]), time_constant_s=1.0)
    np.testing.assert_allclose(half, [[0.5, 0.5]], atol=1e-6)
    whole = average.follow(logits, ALWAYS, np.array([1.0]), time_constant_s=1.0)
    np.testing.assert_allclose(whole, [[0.0, 1.0]], atol=1e-6)


def test_silence_changes_no_belief() -> None:
    average = Average(np.array([1.0, 0.0]))
    heard = average.follow(np.array([[0.0, 1.0]]), ALWAYS, np.array([0.8]), 1.0)
    after = average.follow(np.array([[50.0, 0.0]] * 5), np.zeros(5, bool), np.full(5, 0.8), 1.0)
    np.testing.assert_array_equal(after, np.repeat(heard, 5, axis=0))


def test_a_new_voice_outweighs_the_old_after_its_time_constant() -> None:
    average, trust = Average(np.array([0.5, 0.5])), np.ones(200)
    speech = np.ones(200, bool)
    average.follow(np.tile([4.0, 0.0], (200, 1)), speech, trust, time_constant_s=1.0)
    after = average.follow(np.tile([0.0, 4.0], (200, 1)), speech, trust, time_constant_s=1.0)
    crossed = int(np.argmax(after[:, 1] > 0.5))
    assert crossed / 50 == pytest.approx(np.log(2), abs=0.05), "half of the weight is new after ln 2 time constants"


class SteadyVoice:
    """In place of the listener's graph: the same logits in every frame."""

    def __init__(self, path: Path, inputs: dict[str, int], threads: int = 1) -> None:
        assert inputs == {"features": 128, "pace": 1}

    def initial_state(self, batch: int = 1) -> dict[str, np.ndarray]:
        return {}

    def run(self, inputs: dict[str, np.ndarray], state: Any) -> tuple[list[np.ndarray], Any]:
        T = inputs["features"].shape[1]
        outputs = ([3.0, 0.0], [2.0, 0.0, -1.0], [1.0])
        return [np.tile(np.array(row, np.float32), (1, T, 1)) for row in outputs], state


@pytest.mark.parametrize("time_constant_s", [0.1, 1.0, 10.0])
def test_a_steady_voice_is_settled_after_two_seconds_and_silence_changes_nothing(
    personalizer: Personalizer, monkeypatch: pytest.MonkeyPatch, time_constant_s: float
) -> None:
    monkeypatch.setattr(listening, "Graph", SteadyVoice)
    listener = Listener(Path("none"), ("default", "ann"), ("sad", "neutral", "bored"))
    settings = Settings(identity="live", emotion="live")

    def embeddings(seconds: float, speech: float) -> np.ndarray:
        T = round(50 * seconds)
        who, mood = listener.listen(np.zeros((T, 128), np.float32), np.full(T, speech, np.float32), time_constant_s)
        return np.hstack([personalizer.identity(settings, who), personalizer.emotion(settings, mood)])

    silent = embeddings(1.0, speech=0.0)
    np.testing.assert_array_equal(silent, np.tile(silent[:1], (50, 1)))
    heard = embeddings(60.0, speech=1.0)
    left = np.linalg.norm(heard[-1] - heard, axis=1) / np.linalg.norm(heard[-1] - silent[0])
    assert left[0] > 0.9
    assert left[round(50 * STEADY_S) :].max() <= STEADY
    assert (np.diff(left) <= 1e-6).all(), "towards its end all the way"
    paused = embeddings(5.0, speech=0.0)
    np.testing.assert_array_equal(paused, np.tile(heard[-1:], (250, 1)))

"""Moods and settings say the same to the model, and a mixture of moods is the mixture of what the model is told."""

from typing import Any

import numpy as np
import pytest

from dtalker_model.card import DEFAULT_MODEL, model_path, read_card
from dtalker_model.settings import Settings
from dtalker_model.speaking.personalizer import Personalizer
from dtalker_ros.expression.mood import LISTENING, mixed, mood_of, settings_of

CARD = read_card(model_path(DEFAULT_MODEL))
PERSONALIZER = Personalizer(CARD)
HEARD = np.random.default_rng(0).dirichlet(np.full(len(CARD.listener_emotions), 0.2), 5).astype(np.float32)
"""What a listener might believe in five frames."""
SETTINGS: list[dict[str, Any]] = [
    {},
    {"emotion": "happy", "intensity": 1.7},
    {"emotion": "sad", "live_share": 0.3, "intensity": 0.5},
    {"emotion": "live"},
    {"emotion": "live", "intensity": 2.0, "live_share": 0.5},
    {"emotion": "mix", "emotion_weights": {"angry": 0.25, "calm": 0.25, "neutral": 0.1}},
    {"emotion": "mix", "emotion_weights": {"angry": 1.0, "calm": 1.0}, "live_share": 0.2},
    {"emotion": "neutral", "live_share": 0.5},
    {"emotion": "surprised", "intensity": 0.0},
]


def embedding(settings: Settings) -> np.ndarray:
    return PERSONALIZER.emotion(settings, HEARD) + np.zeros((len(HEARD), 1), np.float32)


@pytest.mark.parametrize("said", SETTINGS)
def test_a_mood_gives_the_embedding_of_its_settings(said: dict[str, Any]) -> None:
    settings = Settings(**said)
    again = settings.replace(**settings_of(mood_of(settings), settings.listens))
    np.testing.assert_allclose(embedding(again), embedding(settings), atol=1e-4)
    assert again.listens == settings.listens


@pytest.mark.parametrize("share", [0.0, 0.3, 1.0])
@pytest.mark.parametrize("first", SETTINGS[1:7])
def test_a_mixture_lies_between(first: dict[str, Any], share: float) -> None:
    a, b = Settings(**first), Settings(emotion="fearful", intensity=2.0)
    between = Settings(**settings_of(mixed(mood_of(a), mood_of(b), share), False))
    np.testing.assert_allclose(embedding(between), (1 - share) * embedding(a) + share * embedding(b), atol=1e-4)


def test_who_listens_goes_on_listening_unseen() -> None:
    assert settings_of({"sad": 1.0}, listens=True)["live_share"] == LISTENING
    assert settings_of({}, listens=True) == {
        "emotion": "mix",
        "emotion_weights": {},
        "intensity": 0.0,
        "live_share": LISTENING,
    }

"""`dtalker-open`: the shipped model for commercial use, and what it cannot do."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

import dtalker_model
from dtalker_model import ModelError, SettingError, Talker
from dtalker_model.card import model_path, read_card
from dtalker_model.enrolment import Enrolment

CARD = read_card(model_path("dtalker-open"))


@pytest.fixture
def talker() -> Talker:
    return dtalker_model.load("dtalker-open", blink=False, idle=False)


def test_it_saw_no_data_that_forbid_commercial_use() -> None:
    assert "NC" not in CARD.licence
    assert "commercial use with attribution" in CARD.licence
    assert {row["source"] for row in CARD.training_data} == {"facegood", "grid", "voices"}
    assert not [row for row in CARD.training_data if "NC" in row["licence"]]
    assert not [name for name in CARD.identities if "ravdess" in name]


def test_no_expression_is_said_to_be_measured() -> None:
    assert {e for e, origin in CARD.emotion_sources.items() if origin == "measured"} == {"neutral"}


def test_it_talks_and_shows_every_emotion(talker: Talker, demo_wav: Path) -> None:
    pcm, rate_hz = soundfile.read(demo_wav, dtype="float32")
    faces = {}
    for emotion in CARD.emotions:
        talker.reset()
        talker.set(emotion=emotion)
        faces[emotion] = np.mean([f.weights for f in talker.push(pcm, rate_hz) + talker.flush()], axis=0)
    jaw = dtalker_model.ARKIT_NAMES.index("jawOpen")
    assert faces["neutral"][jaw] > 0.03
    apart = [np.linalg.norm(faces[e] - faces["neutral"]) for e in CARD.emotions if e != "neutral"]
    assert min(apart) > 0.05


def test_live_is_refused_because_it_has_no_listener(talker: Talker) -> None:
    for setting in ({"emotion": "live"}, {"identity": "live"}, {"live_share": 0.5}):
        with pytest.raises(SettingError, match="this model has no listener: choose identity and emotion by name"):
            talker.set(**setting)


def test_it_cannot_enroll() -> None:
    with pytest.raises(ModelError, match="'dtalker-open' has no listener and cannot enroll voices"):
        Enrolment(model_path("dtalker-open"))

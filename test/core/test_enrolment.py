"""Enrolment: what of a recording becomes a voice, and that the voice is used. With the shipped model."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from voices_rig import library_file

import dtalker_model
from dtalker_model import AudioError, ModelError, SettingError
from dtalker_model.card import model_path, read_card, write_card
from dtalker_model.enrolment import MIN_SPEECH_S, Enrolment
from dtalker_model.rates import SAMPLE_RATE_HZ
from dtalker_model.talker import load_engine
from dtalker_model.voices.voices import Voice
from dtalker_model.voices.voices_library import VoiceLibrary

__all__ = ["library_file"]

TOLERANCE = 1e-5


@pytest.fixture(scope="module")
def speech(demo_wav: Path) -> np.ndarray:
    return soundfile.read(demo_wav, dtype="float32")[0]


def heard(*pieces: np.ndarray, rate_hz: int = SAMPLE_RATE_HZ) -> Enrolment:
    """An enrolment that has heard `pieces`."""
    enrolment = Enrolment()
    for piece in pieces:
        enrolment.push(piece, rate_hz)
    return enrolment


def faces(pcm: np.ndarray, **changes: Any) -> np.ndarray:
    talker = dtalker_model.load(**changes)
    return np.stack([frame.weights for frame in talker.push(pcm, SAMPLE_RATE_HZ) + talker.flush()])


def test_a_voice_mixes_the_models_own_by_what_is_believed(speech: np.ndarray) -> None:
    enrolment = heard(speech)
    voice = enrolment.voice("anna")
    for belief, library, embedding in zip(
        enrolment.belief(), (enrolment.card.identities, enrolment.card.emotions), (voice.identity, voice.emotion)
    ):
        assert sum(belief.values()) == pytest.approx(1, abs=1e-5)
        mixture = sum(share * np.array(library[name]) for name, share in belief.items())
        np.testing.assert_allclose(embedding, mixture, atol=TOLERANCE)
    assert (voice.model, voice.model_sha256) == (enrolment.card.name, enrolment.card.sha256)
    assert 4 < voice.speech_s < 10
    assert enrolment.heard_s == pytest.approx(10, abs=0.1)


def test_any_chunking_gives_the_same_voice(speech: np.ndarray) -> None:
    whole = heard(speech).voice("anna")
    pieces = heard(*np.array_split(speech, [100, 160, 5_000, 60_000, 60_001])).voice("anna")
    assert pieces.speech_s == whole.speech_s
    np.testing.assert_allclose(pieces.identity, whole.identity, atol=TOLERANCE)
    np.testing.assert_allclose(pieces.emotion, whole.emotion, atol=TOLERANCE)


def test_silence_before_and_after_changes_little(speech: np.ndarray) -> None:
    """The network's own memory has heard the silence, so the voice is near rather than the same."""
    silence = np.zeros(3 * SAMPLE_RATE_HZ, np.float32)
    alone, among = heard(speech).voice("anna"), heard(silence, speech, silence).voice("anna")
    assert among.speech_s == pytest.approx(alone.speech_s, abs=0.5)
    distance = np.linalg.norm(np.subtract(among.identity, alone.identity))
    assert distance < 0.2 * np.linalg.norm(alone.identity)


def test_what_is_no_speech_does_not_count(speech: np.ndarray) -> None:
    silence = np.zeros(20 * SAMPLE_RATE_HZ, np.float32)
    noise = 0.1 * np.random.default_rng(0).standard_normal(20 * SAMPLE_RATE_HZ).astype(np.float32)
    for sound in (silence, noise):
        with pytest.raises(AudioError, match=r"^0\.\d s of speech in 20\.0 s of audio, at least 3 s are needed"):
            heard(sound).voice("anna")
    with pytest.raises(AudioError, match=r"^[12]\.\d s of speech in 22\.0 s of audio"):
        heard(speech[: 2 * SAMPLE_RATE_HZ], silence).voice("anna")


def test_three_seconds_of_speech_are_enough(speech: np.ndarray) -> None:
    enrolment = Enrolment()
    for second in np.split(speech, 10):
        enrolment.push(second, SAMPLE_RATE_HZ)
        if enrolment.speech_s >= MIN_SPEECH_S:
            break
    assert enrolment.speech_s < MIN_SPEECH_S + 1
    assert len(enrolment.voice("anna").identity) == len(enrolment.card.identities["default"])


def test_audio_that_cannot_be_used_is_refused() -> None:
    with pytest.raises(AudioError, match="NaN"):
        heard(np.full(1600, np.nan, np.float32))
    with pytest.raises(AudioError, match="sample rate"):
        heard(np.zeros(1600, np.float32), rate_hz=4_000)


def test_a_model_without_a_listener_enrolls_nobody(tmp_path: Path) -> None:
    shipped, copy = model_path("dtalker"), tmp_path / "deaf.onnx"
    shutil.copyfile(shipped, copy)
    write_card(replace(read_card(shipped), name="deaf", listener_sha256=""), copy)
    with pytest.raises(ModelError, match="model 'deaf' has no listener and cannot enroll voices"):
        Enrolment(copy)


def test_a_stored_voice_speaks_with_its_embeddings(library_file: Path, speech: np.ndarray) -> None:
    """The voice is given embeddings that have a name of their own: both names must show the same face."""
    pcm = speech[: 2 * SAMPLE_RATE_HZ]
    expected = faces(pcm, identity="grid_s1", emotion="happy", intensity=1.5)
    card = read_card(model_path("dtalker"))
    twin = Voice("twin", card.name, card.sha256, card.identities["grid_s1"], card.emotions["happy"], 5.0, "2026-11-21")
    VoiceLibrary().add(twin)
    np.testing.assert_allclose(faces(pcm, identity="twin", emotion="twin", intensity=1.5), expected, atol=TOLERANCE)
    mixed = {"emotion": "mix", "emotion_weights": {"twin": 1.0}, "intensity": 1.5}
    np.testing.assert_allclose(faces(pcm, identity="twin", **mixed), expected, atol=TOLERANCE)
    assert np.abs(faces(pcm) - expected).max() > 0.05


def test_a_voice_is_known_at_once_and_a_new_one_of_its_name_replaces_it(speech: np.ndarray) -> None:
    talker = dtalker_model.load()
    with pytest.raises(SettingError, match="unknown name 'anna'; known: default, "):
        talker.set(identity="anna")
    voice = heard(speech).voice("anna")
    talker.add_voices([voice])
    talker.set(identity="anna", emotion="anna")
    talker.push(speech[:16_000], SAMPLE_RATE_HZ)
    talker.add_voices([replace(voice, identity=talker.card.identities["default"])])
    assert talker.card.identities["anna"] == talker.card.identities["default"]
    assert talker.settings.identity == "anna"
    with pytest.raises(SettingError, match="unknown name 'zoe'"):
        talker.set(identity="zoe")
    assert "anna" not in talker.model_card.identities


def test_training_and_evaluation_know_no_voices_of_the_user(library_file: Path) -> None:
    card = read_card(model_path("dtalker"))
    vector = card.identities["default"]
    VoiceLibrary().add(Voice("anna", card.name, card.sha256, vector, vector, 5.0, "2026-11-21"))
    assert "anna" in dtalker_model.load().card.identities
    assert "anna" not in load_engine()[0].identities

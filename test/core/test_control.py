"""Continuous control of the expression: the face itself moves with the dial, all the way. With the shipped model."""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

import dtalker_model
from dtalker_model import Talker
from dtalker_model.card import listener_path, model_path, read_card, table
from dtalker_model.hearing.features import LogMel
from dtalker_model.hearing.voice_activity import VoiceActivity
from dtalker_model.rates import FRAME_RATE_HZ, SAMPLE_RATE_HZ
from dtalker_model.settings import Settings
from dtalker_model.speaking.listener import SPEAKING, Listener
from dtalker_model.speaking.personalizer import Personalizer
from training.corpus.clips import load_audio, read_manifest

EMOTIONS = [name for name in read_card(model_path("dtalker")).emotions if name != "neutral"]
INTENSITIES = (0.0, 0.5, 1.0, 1.5, 2.0)
SHARES = (0.0, 0.25, 0.5, 0.75, 1.0)
VISIBLE = 0.05
"""Norm of the mean change of the 52 weights from which an expression counts as one."""

STEADY_S, LONGEST_S = 2.0, 15.0
LEAST_SPEECH_S = 4.0
STEADY = 1 / 3
"""Largest change of an embedding after `STEADY_S` of speech in one mood (the median voice's), as part of the mean
distance of the library's entries from neutral, or from the default identity."""


@pytest.fixture(scope="module")
def speech(demo_wav: Path) -> np.ndarray:
    return soundfile.read(demo_wav, dtype="float32")[0]


@pytest.fixture(scope="module")
def talker() -> Talker:
    return dtalker_model.load(blink=False, idle=False)


def mean_face(talker: Talker, speech: np.ndarray, **settings: object) -> np.ndarray:
    """Mean weights (52,) over the sentence, from a fresh start."""
    talker.set(**{"emotion": "neutral", "emotion_weights": {}, "intensity": 1.0, "live_share": 0.0, **settings})
    talker.reset()
    return np.mean([frame.weights for frame in talker.push(speech, SAMPLE_RATE_HZ) + talker.flush()], axis=0)


def along(faces: list[np.ndarray], start: np.ndarray, end: np.ndarray) -> np.ndarray:
    """How far each face lies on the way from `start` (0) to `end` (1)."""
    way = end - start
    assert np.linalg.norm(way) > VISIBLE, "the face hardly changes"
    return np.array([(face - start) @ way for face in faces]) / (way @ way)


def turning_back(names: list[Any], known: dict[Any, str]) -> list[Any]:
    """Parameters of which some are `known` to turn back, and why; the next training may mend them."""
    marks = {name: pytest.mark.xfail(reason=reason, strict=True) for name, reason in known.items()}
    return [pytest.param(name, marks=marks[name]) if name in marks else name for name in names]


CALM = {"calm": "between intensity 1.5 and 2, beyond all recordings, it goes back from 1.37 to 1.30 of its way"}
SAD_SURPRISED = {("sad", "surprised"): "a quarter of surprised in sad goes 2% of the way backwards"}


@pytest.mark.parametrize("emotion", turning_back(EMOTIONS, CALM))
def test_intensity_moves_the_face_monotonically(talker: Talker, speech: np.ndarray, emotion: str) -> None:
    neutral = mean_face(talker, speech)
    faces = [mean_face(talker, speech, emotion=emotion, intensity=x) for x in INTENSITIES]
    np.testing.assert_allclose(faces[0], neutral, atol=1e-6)
    reached = along(faces, neutral, faces[INTENSITIES.index(1.0)])
    assert (np.diff(reached) > 0).all(), reached.round(3)


@pytest.mark.parametrize("pair", turning_back(list(itertools.combinations(EMOTIONS, 2)), SAD_SURPRISED), ids="-".join)
def test_a_mixture_moves_the_face_monotonically(talker: Talker, speech: np.ndarray, pair: tuple[str, str]) -> None:
    a, b = pair
    mixtures = [{a: 1 - x, b: x} for x in SHARES]
    faces = [mean_face(talker, speech, emotion="mix", emotion_weights=weights) for weights in mixtures]
    np.testing.assert_allclose(faces[-1], mean_face(talker, speech, emotion=b), atol=1e-6)
    reached = along(faces, faces[0], faces[-1])
    assert (np.diff(reached) > 0).all(), reached.round(3)


def test_what_is_heard_blends_with_what_is_chosen(speech: np.ndarray) -> None:
    talker = dtalker_model.load(blink=False, idle=False)
    if not talker.card.listener_sha256:
        pytest.skip("this model has no listener")
    chosen = mean_face(talker, speech, emotion="happy")
    faces = [mean_face(talker, speech, emotion="happy", live_share=share) for share in SHARES]
    np.testing.assert_allclose(faces[0], chosen, atol=1e-6)
    np.testing.assert_allclose(faces[-1], mean_face(talker, speech, emotion="live"), atol=1e-6)
    reached = along(faces, faces[0], faces[-1])
    assert (np.diff(reached) > 0).all(), reached.round(3)


def test_recorded_voices_are_steady_after_two_seconds(corpus: Path) -> None:
    card = read_card(model_path("dtalker"))
    if not card.listener_sha256:
        pytest.skip("this model has no listener")
    listener = Listener(listener_path(model_path("dtalker")), card.listener_identities, card.listener_emotions)
    changes = [change for pcm in recorded_voices(corpus) if (change := late_change(listener, Personalizer(card), pcm))]
    assert len(changes) >= 5
    origins = {"identities": "default", "emotions": "neutral"}
    distances = [mean_distance(getattr(card, library), origin) for library, origin in origins.items()]
    identity, emotion = np.median(changes, axis=0) / distances
    assert max(identity, emotion) < STEADY, (identity, emotion)


def recorded_voices(corpus: Path) -> list[np.ndarray]:
    """Validation clips, joined where an actor says them in the same mood, at most `LONGEST_S` of each."""
    voices: dict[tuple[str, str], list[np.ndarray]] = defaultdict(list)
    for clip in read_manifest(corpus, "val"):
        if clip.source == "ravdess":
            voices[clip.identity, clip.emotion].append(load_audio(clip))
    return [np.concatenate(parts)[: round(LONGEST_S * SAMPLE_RATE_HZ)] for parts in voices.values()]


def late_change(listener: Listener, personalizer: Personalizer, pcm: np.ndarray) -> tuple[float, float] | None:
    """How far the identity's and the emotion's embedding go after `STEADY_S` of speech; None for too little speech."""
    heard = LogMel().push(pcm)
    gate = VoiceActivity().apply(heard.level_db, heard.voiced)
    speech_s = np.cumsum(gate > SPEAKING) / FRAME_RATE_HZ
    if speech_s[-1] < LEAST_SPEECH_S:
        return None
    settings, late = Settings(identity="live", emotion="live"), speech_s >= STEADY_S
    listener.reset()
    who, mood = listener.listen(heard.log_mel, gate, settings.live_time_constant_s)
    paths = personalizer.identity(settings, who)[late], personalizer.emotion(settings, mood)[late]
    identity, emotion = (float(np.linalg.norm(path - path[0], axis=1).max()) for path in paths)
    return identity, emotion


def mean_distance(library: Mapping[str, tuple[float, ...]], origin: str) -> float:
    """Mean distance of a library's other entries from `origin`."""
    entries = table(library)
    distances = np.linalg.norm(entries - entries[list(library).index(origin)], axis=1)
    return float(distances[distances > 0].mean())

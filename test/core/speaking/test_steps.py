"""The number of denoising steps as a dial: one file, no restart, no jump. With the shipped models."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pytest
import soundfile

import dtalker_model
from dtalker_model import SettingError, Talker
from dtalker_model.card import ModelCard, model_path, read_card
from dtalker_model.hearing.features import LogMel
from dtalker_model.rates import SAMPLE_RATE_HZ
from dtalker_model.settings import Settings
from dtalker_model.speaking.personalizer import Personalizer
from dtalker_model.speaking.runtime import DECODER, OnnxStep, for_steps

TOLERANCE = 1e-4
CARD, OPEN = (read_card(model_path(name)) for name in ("dtalker", "dtalker-open"))
EVERY = [pytest.param(card, n, id=f"{card.name} in {n}") for card in (CARD, OPEN) for n in card.step_counts]
LARGEST_JUMP = 1.5
"""Largest change between two frames at a switch, as a multiple of the largest one without."""


@pytest.fixture(scope="module")
def speech(demo_wav: Path) -> np.ndarray:
    return soundfile.read(demo_wav, dtype="float32")[0]


def still(steps: int = 0) -> Talker:
    """A talker whose face moves by speech alone."""
    return dtalker_model.load(blink=False, idle=False, steps=steps)


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        (1, 4, [0, 0, 0, 0]),
        (2, 4, [0, 0, 1, 1]),
        (4, 2, [1, 3]),
        (4, 1, [3]),
        (2, 3, [0, 1, 1]),
        (2, 2, [0, 1]),
    ],
)
def test_a_step_goes_on_from_the_one_that_ended_at_its_level(before: int, after: int, expected: list[int]) -> None:
    slots = np.arange(before, dtype=np.float32)[None, :, None, None] * np.ones((2, 1, 3, 5), np.float32)
    state = {"encoder": np.zeros((2, 1, 4), np.float32), DECODER: slots}
    switched = for_steps(state, after)
    assert switched["encoder"] is state["encoder"]
    np.testing.assert_array_equal(switched[DECODER][1, :, 2, 4], expected)
    ends, old_ends = 1 - np.arange(1, after + 1) / after, 1 - np.arange(1, before + 1) / before
    for end, slot in zip(ends, expected):
        assert old_ends[slot] <= end + 1e-9, "not from a step that ended above"
        assert slot == 0 or old_ends[slot - 1] > end + 1e-9, "the nearest such step"


@pytest.mark.parametrize("batch", [1, 16])
@pytest.mark.parametrize(("card", "steps"), EVERY)
def test_streaming_is_offline_for_every_number_of_steps(
    speech: np.ndarray, card: ModelCard, steps: int, batch: int
) -> None:
    path, personalizer = model_path(card.name), Personalizer(card)
    step, draw = OnnxStep(path, personalizer.embedding_dim, card.steps), np.random.default_rng(0)
    starts = draw.integers(0, len(speech) // 2, batch)
    features = np.stack([LogMel().push(speech[start : start + len(speech) // 2]).log_mel for start in starts])
    shape = features.shape[:2]
    noise = draw.standard_normal((*shape, 52), np.float32)
    once = [getattr(personalizer, name)(Settings(), None) for name in ("identity", "emotion")]
    voice = [np.broadcast_to(e, (batch, 1, personalizer.embedding_dim)) for e in once]
    x = [features, noise, *(np.repeat(e, shape[1], axis=1) for e in voice)]
    offline, _ = step(x[0], x[1], x[2], x[3], step.initial_state(batch), steps)
    with_voice_once, _ = step(x[0], x[1], voice[0], voice[1], step.initial_state(batch), steps)
    np.testing.assert_allclose(with_voice_once, offline, atol=TOLERANCE)
    state, parts = step.initial_state(batch), []
    for begin, end in itertools.pairwise((0, 1, 2, 60, 61, 200, shape[1])):
        heard, drawn, identity, emotion = (a[:, begin:end] for a in x)
        weights, state = step(heard, drawn, identity, emotion, state, steps)
        parts.append(weights)
    np.testing.assert_allclose(np.concatenate(parts, axis=1), offline, atol=TOLERANCE)


def test_zero_is_the_models_own_number_and_others_are_refused(speech: np.ndarray) -> None:
    zero, own = (np.stack([f.weights for f in still(n).push(speech, SAMPLE_RATE_HZ)]) for n in (0, CARD.steps))
    np.testing.assert_array_equal(zero, own)
    talker = still()
    with pytest.raises(SettingError, match=r"steps: 3 is not what this model offers: .*, or 0 for its own choice"):
        talker.set(steps=3, intensity=2.0)
    assert (talker.settings.steps, talker.settings.intensity) == (0, 1.0)
    with pytest.raises(SettingError, match="steps: 3"):
        dtalker_model.load(steps=3)


PAIRS = list(itertools.permutations(CARD.step_counts, 2))


@pytest.mark.skipif(not PAIRS, reason="the shipped model offers one number of steps")
@pytest.mark.parametrize("pair", PAIRS, ids=lambda pair: f"{pair[0]} to {pair[1]}")
def test_a_switch_makes_no_jump_and_chunks_do_not_matter(speech: np.ndarray, pair: tuple[int, int]) -> None:
    before, after = pair
    plain = np.stack([f.weights for f in still(before).push(speech, SAMPLE_RATE_HZ)])
    usual = np.abs(np.diff(plain, axis=0)).max()
    jumps = []
    for at in range(16_000, len(speech) - 16_000, 16_000):
        first, second = switched(speech, at, before, after, 1), switched(speech, at, before, after, 7)
        np.testing.assert_allclose(first, second, atol=TOLERANCE)
        shown = (at - 1280) // 320
        np.testing.assert_allclose(first[: shown + 1], plain[: shown + 1], atol=TOLERANCE)
        jumps.append(np.abs(first[shown + 1] - first[shown]).max())
    assert max(jumps) <= LARGEST_JUMP * usual, (max(jumps), usual)


def switched(speech: np.ndarray, at: int, before: int, after: int, pieces: int) -> np.ndarray:
    """Faces of `speech`, whose first `at` samples are heard with other steps; each part comes in `pieces`."""
    talker = still(before)
    frames = [f for piece in np.array_split(speech[:at], pieces) for f in talker.push(piece, SAMPLE_RATE_HZ)]
    talker.set(steps=after)
    frames += [f for piece in np.array_split(speech[at:], pieces) for f in talker.push(piece, SAMPLE_RATE_HZ)]
    return np.stack([f.weights for f in frames])

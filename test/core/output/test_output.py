"""The output stage: exact gains and offsets, an analytic smoother, a mouth at rest, and no dependence on chunks."""

import itertools
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from dtalker_model.blendshapes import ARTICULATION, EXPRESSION, INDEX, LOWER_FACE, UPPER_FACE
from dtalker_model.hearing.voice_activity import VoiceActivity
from dtalker_model.output.finite import HELD
from dtalker_model.output.output import RETURN_FRAMES, OutputStage
from dtalker_model.settings import Settings

Weights = npt.NDArray[np.float32]
STILL = Settings(blink=False, idle=False)
JAW = INDEX["jawOpen"]


def _apply(weights: Weights, settings: Settings = STILL, speaking: float = 1.0) -> Weights:
    gate = np.full(len(weights), speaking, np.float32)
    return OutputStage(settings.seed).apply(weights, gate, 0, settings)


def _constant(value: float, frames: int = 10) -> Weights:
    return np.full((frames, 52), value, np.float32)


def _speech(frames: int, seed: int = 0) -> tuple[Weights, npt.NDArray[np.float32]]:
    """Random weights, and a gate that opens and closes."""
    rng = np.random.default_rng(seed)
    gate = np.clip(2 * np.sin(np.arange(frames) / 60 + 1), 0, 1).astype(np.float32)
    return rng.uniform(0, 0.4, (frames, 52)).astype(np.float32), gate


def test_without_effects_the_models_weights_pass_unchanged() -> None:
    weights, _ = _speech(100)
    before = weights.copy()
    np.testing.assert_array_equal(_apply(weights), before)
    np.testing.assert_array_equal(weights, before)


def test_gains_and_offsets_are_exact() -> None:
    changes: dict[str, Any] = {"gain_upper": 2, "offset_upper": 0.05, "gain_lower": 0.5, "offset_lower": -0.02}
    face = _apply(_constant(0.2), STILL.replace(**changes, gains={"jawOpen": 3}, offsets={"jawOpen": 0.1}))
    others = [i for i in LOWER_FACE if i != JAW]
    np.testing.assert_allclose(face[:, UPPER_FACE], 0.45, atol=1e-6)
    np.testing.assert_allclose(face[:, others], 0.08, atol=1e-6)
    np.testing.assert_allclose(face[:, JAW], 0.2 * 0.5 * 3 - 0.02 + 0.1, atol=1e-6)


def test_weights_are_clamped() -> None:
    assert _apply(_constant(0.8), STILL.replace(gain_upper=3, gain_lower=3)).max() == 1
    assert _apply(_constant(0.2), STILL.replace(offset_upper=-1, offset_lower=-1)).min() == 0
    assert _apply(_constant(-0.5)).min() == 0
    assert _apply(_constant(1.5)).max() == 1


@pytest.mark.parametrize("smoothing_ms", [20, 100, 500])
def test_a_step_reaches_63_percent_after_the_time_constant(smoothing_ms: int) -> None:
    step = np.concatenate([_constant(0, 1), _constant(1, 100)])
    face = _apply(step, STILL.replace(smoothing_ms=smoothing_ms))
    np.testing.assert_allclose(face[smoothing_ms // 20], 1 - np.exp(-1), atol=1e-5)


def test_smoothing_may_be_switched_on_without_a_jump() -> None:
    stage, gate = OutputStage(), np.ones(10, np.float32)
    stage.apply(_constant(0.5), gate, 0, STILL)
    face = stage.apply(_constant(0.6), gate, 10, STILL.replace(smoothing_ms=500))
    assert 0.5 < face[0, 0] < 0.505


def test_what_the_clamp_cut_off_does_not_linger() -> None:
    loud = np.concatenate([_constant(1, 100), _constant(0, 50)])
    face = _apply(loud, STILL.replace(smoothing_ms=100, gain_lower=3))
    np.testing.assert_allclose(face[100 + 4, JAW], np.exp(-1), atol=1e-5)


def test_when_nobody_speaks_the_mouth_rests_and_the_expression_stays() -> None:
    face = _apply(_constant(0.3), speaking=0)
    assert not face[:, ARTICULATION].any()
    np.testing.assert_allclose(face[:, EXPRESSION], 0.3)


def test_a_blink_shuts_eyes_that_were_wide() -> None:
    weights = _constant(0, 3000)
    weights[:, INDEX["eyeWideLeft"]] = 0.5
    face = _apply(weights, Settings(idle=False))
    shut = face[:, INDEX["eyeBlinkLeft"]] > 0.9
    assert shut.any()
    assert face[shut, INDEX["eyeWideLeft"]].max() < 0.06
    assert face[face[:, INDEX["eyeBlinkLeft"]] == 0, INDEX["eyeWideLeft"]].min() == 0.5


def test_idle_moves_only_eyes_and_brows() -> None:
    face = _apply(_constant(0, 3000), Settings(blink=False), speaking=0)
    moving = np.flatnonzero(face.any(0))
    assert len(moving) > 4
    assert set(moving) <= set(UPPER_FACE)


def test_a_hush_rests_the_mouth_within_100_ms_whatever_the_smoothing() -> None:
    for settings in (STILL, STILL.replace(smoothing_ms=500)):
        stage, gate = OutputStage(), np.ones(200, np.float32)
        stage.apply(_constant(0.5, 20), gate[:20], 0, settings)
        stage.hush(20, 5, 60)
        face = stage.apply(_constant(0.5, 100), gate[:100], 20, settings)
        mouth = face[:, JAW]
        np.testing.assert_allclose(mouth[:5], [0.4, 0.3, 0.2, 0.1, 0], atol=1e-6)
        assert not face[5:40, ARTICULATION].any()
        np.testing.assert_allclose(mouth[40 + RETURN_FRAMES - 1 :], 0.5, atol=1e-6)
        assert np.abs(np.diff(mouth)).max() < 0.2
        np.testing.assert_allclose(face[:, EXPRESSION], 0.5)


def test_a_second_hush_does_not_open_the_mouth() -> None:
    stage, gate = OutputStage(), np.ones(100, np.float32)
    stage.hush(0, 5, 50)
    stage.apply(_constant(0.5, 20), gate[:20], 0, STILL)
    stage.hush(20, 5, 40)
    face = stage.apply(_constant(0.5, 100), gate, 20, STILL)
    assert not face[:30, JAW].any()
    assert face[30 + RETURN_FRAMES, JAW] == pytest.approx(0.5)


def test_a_hush_outlasts_a_gate_that_is_closing() -> None:
    activity, stage = VoiceActivity(), OutputStage()
    silence, voice = np.full(60, -100, np.float32), np.full(20, -20, np.float32)
    assert activity.apply(np.concatenate([silence, voice]), np.ones(80, bool))[-1] == 1
    activity.end_hangover()
    stage.hush(80, 5, 83)
    face = stage.apply(_constant(0.5, 60), activity.apply(silence, np.ones(60, bool)), 80, STILL)
    assert not face[4:, JAW].any()


def test_a_hush_rests_at_the_offset() -> None:
    stage = OutputStage()
    stage.hush(0, 5, 50)
    settings = STILL.replace(offsets={"jawOpen": 0.1, "mouthPucker": -0.1})
    face = stage.apply(_constant(0.5, 50), np.ones(50, np.float32), 0, settings)
    assert face[10:, JAW] == pytest.approx(0.1)
    assert not face[10:, INDEX["mouthPucker"]].any()


@pytest.mark.parametrize("settings", [Settings(), Settings(seed=5, smoothing_ms=60, gain_lower=1.5, blink_rate_hz=1)])
def test_chunks_make_no_difference(settings: Settings) -> None:
    weights, gate = _speech(3000)
    whole = OutputStage(settings.seed)
    whole.hush(500, 5, 700)
    expected = whole.apply(weights, gate, 0, settings)
    rng = np.random.default_rng(2)
    for _ in range(3):
        stage = OutputStage(settings.seed)
        stage.hush(500, 5, 700)
        cuts = [0, *np.sort(rng.integers(0, 3000, 200)), 3000]
        parts = [stage.apply(weights[a:b], gate[a:b], a, settings) for a, b in itertools.pairwise(cuts)]
        np.testing.assert_allclose(np.concatenate(parts), expected, atol=1e-5)


def test_the_seed_decides_and_reset_starts_over() -> None:
    weights, gate = _speech(3000)
    stage = OutputStage(1)
    first = stage.apply(weights, gate, 0, Settings(seed=1))
    stage.hush(3000, 5, 9000)
    stage.reset(1)
    np.testing.assert_array_equal(stage.apply(weights, gate, 0, Settings(seed=1)), first)
    assert not np.array_equal(OutputStage(2).apply(weights, gate, 0, Settings(seed=2)), first)


def test_a_new_seed_in_mid_stream_makes_no_jump() -> None:
    weights, gate = _constant(0, 2000), np.zeros(2000, np.float32)
    stage = OutputStage(1)
    settings = Settings(blink=False)
    before = stage.apply(weights, gate, 0, settings.replace(seed=1))
    after = stage.apply(weights, gate, 2000, settings.replace(seed=9))
    assert np.abs(after[0] - before[-1]).max() < 0.25


def test_no_frames_are_no_frames() -> None:
    assert _apply(_constant(0, 0), Settings()).shape == (0, 52)


BAD = [np.nan, np.inf, -np.inf]


@pytest.mark.parametrize("bad", BAD)
def test_what_is_no_number_holds_the_face_before(bad: float) -> None:
    weights = np.repeat(np.linspace(0.1, 0.5, 5, dtype=np.float32)[:, None], 52, axis=1)
    held = weights[[0, 0, 0, 3, 3]]
    weights[[1, 2, 4], JAW] = bad
    stage, gate = OutputStage(), np.ones(5, np.float32)
    np.testing.assert_array_equal(stage.apply(weights, gate, 0, STILL), held)
    assert stage.faults == (HELD,)
    np.testing.assert_array_equal(stage.apply(weights[1:3], gate[:2], 5, STILL), weights[[3, 3]])
    np.testing.assert_array_equal(stage.apply(weights[:1], gate[:1], 7, STILL), weights[:1])
    assert stage.faults == ()


def test_before_the_first_number_the_face_rests() -> None:
    assert not _apply(_constant(np.nan)).any()
    assert (_apply(_constant(np.nan), Settings(smoothing_ms=60)) < 1).all()


def test_a_held_mouth_closes_when_nobody_speaks() -> None:
    stage = OutputStage()
    stage.apply(_constant(0.5), np.ones(10, np.float32), 0, STILL)
    face = stage.apply(_constant(np.nan), np.zeros(10, np.float32), 10, STILL)
    assert not face[:, ARTICULATION].any()
    np.testing.assert_allclose(face[:, EXPRESSION], 0.5)


def test_reset_forgets_the_face_that_was_held() -> None:
    stage, gate = OutputStage(), np.ones(10, np.float32)
    stage.apply(_constant(0.5), gate, 0, STILL)
    stage.reset()
    assert not stage.apply(_constant(np.nan), gate, 0, STILL).any()


@pytest.mark.parametrize("smoothing_ms", [0, 200])
def test_it_tells_how_far_the_mouth_is_let_speak(smoothing_ms: float) -> None:
    """A constant mouth shows it: what is left of its motion is what is told, gate, smoothing and hush together."""
    stage, settings = OutputStage(), STILL.replace(smoothing_ms=smoothing_ms)
    gate = np.repeat(np.array([0, 1, 0, 1], np.float32), 30)
    told, mouth = [], []
    for k in range(len(gate)):
        if k == 100:
            stage.hush(k, 5, 110)
        face = stage.apply(_constant(0.5, 1), gate[k : k + 1], k, settings)
        told.append(stage.speaking[0])
        mouth.append(face[0, JAW])
    np.testing.assert_allclose(np.array(mouth), 0.5 * np.array(told), atol=1e-6)
    assert told[0] == 0 and max(told[:30]) == 0 and max(told) > 0.9 and not any(told[105:110])

"""Idle life is calm, bounded, gone while somebody speaks, and repeatable."""

import numpy as np
import numpy.typing as npt

from dtalker_model.output.idle import BROW_LIFT, GAZE_DOWN, GAZE_SIDE, IDLE_NAMES, STILL, IdleLife

Curves = npt.NDArray[np.float32]
TEN_MINUTES = 10 * 60 * 50
_BROWS = [i for i, name in enumerate(IDLE_NAMES) if name.startswith("brow")]
_EYES = [i for i, name in enumerate(IDLE_NAMES) if name.startswith("eye")]


def _idle(speaking: npt.NDArray[np.float32], seed: int = 0, enabled: bool = True) -> Curves:
    added = IdleLife(seed).apply(speaking, enabled)
    return np.zeros((len(speaking), len(IDLE_NAMES)), np.float32) if added is None else added


def _silence(frames: int = TEN_MINUTES) -> npt.NDArray[np.float32]:
    return np.zeros(frames, np.float32)


def test_movements_are_small() -> None:
    idle = _idle(_silence())
    assert idle.min() >= 0
    assert idle[:, _EYES].max() <= max(GAZE_SIDE, GAZE_DOWN)
    assert idle[:, _BROWS].max() <= BROW_LIFT


def test_the_face_is_alive_but_calm() -> None:
    idle = _idle(_silence())
    moving = (np.abs(np.diff(idle[:, _EYES], axis=0)) > 0.01).any(1)
    saccades_per_s = (np.diff(moving.astype(np.int8)) == 1).sum() / 600
    assert 0.15 < saccades_per_s < 1.0
    assert moving.mean() < 0.1  # the eyes rest nine tenths of the time
    assert np.abs(np.diff(idle[:, _BROWS], axis=0)).max() < 0.005
    assert idle[:, _BROWS].std() > 0.002


def test_both_eyes_look_the_same_way() -> None:
    by_name = dict(zip(IDLE_NAMES, _idle(_silence()).T, strict=True))
    np.testing.assert_array_equal(by_name["eyeLookOutLeft"], by_name["eyeLookInRight"])
    np.testing.assert_array_equal(by_name["eyeLookInLeft"], by_name["eyeLookOutRight"])
    np.testing.assert_array_equal(by_name["eyeLookUpLeft"], by_name["eyeLookUpRight"])
    np.testing.assert_array_equal(by_name["eyeLookDownLeft"], by_name["eyeLookDownRight"])
    for one, other in (("eyeLookOutLeft", "eyeLookInLeft"), ("eyeLookUpLeft", "eyeLookDownLeft")):
        assert not (by_name[one] * by_name[other]).any()


def test_a_voice_brings_the_eyes_home_and_the_brows_to_rest() -> None:
    speaking = np.concatenate([_silence(1000), np.ones(500, np.float32)])
    idle = _idle(speaking)
    assert idle[:1000].any()
    assert idle[1030:, _EYES].max() < STILL
    assert not idle[1300:].any()


def test_a_short_pause_in_speech_moves_no_eye() -> None:
    speaking = np.tile(np.repeat(np.array([1, 0], np.float32), [100, 20]), 50)
    assert not _idle(speaking)[:, _EYES].any()


def test_switching_off_stops_it() -> None:
    assert not _idle(_silence(), enabled=False).any()


def test_the_seed_decides() -> None:
    np.testing.assert_array_equal(_idle(_silence(5000), seed=3), _idle(_silence(5000), seed=3))
    assert not np.array_equal(_idle(_silence(5000), seed=3), _idle(_silence(5000), seed=4))

"""Looking at a point: the eyes lead, the head follows, together they are on it, and both let go."""

import numpy as np
import pytest

import dtalker_model
from dtalker_model.errors import SettingError
from dtalker_model.gesture.attention import HEAD_RAD, HOLD_S, direction_of
from dtalker_model.gesture.gesture import Gesture, Moves
from dtalker_model.gesture.head_model import by_hand
from dtalker_model.output.pose import LOOK
from dtalker_model.rates import SAMPLE_RATE_HZ
from dtalker_model.settings import Settings

LEFT_UP = (1.0, 0.5, 0.2)
"""A point in m."""


def silence(gesture: Gesture, frames: int, settings: Settings) -> Moves:
    return gesture.apply(np.full(frames, -80, np.float32), np.zeros(frames, np.float32), settings)


def test_directions_are_to_the_left_and_down() -> None:
    assert direction_of(1, 1, 0) == pytest.approx((np.pi / 4, 0))
    assert direction_of(1, 0, -1) == pytest.approx((0, np.pi / 4))


@pytest.mark.parametrize("stillness", [0.0, 1.0])
def test_eyes_and_head_together_are_on_the_point_and_the_eyes_lead(stillness: float) -> None:
    settings = Settings(stillness=stillness)
    gesture, target = Gesture(by_hand(), settings), direction_of(*LEFT_UP)
    silence(gesture, 200, settings)
    gesture.attention.look_at(target)
    moves = silence(gesture, 95, settings)
    on_it = moves.head[:, :2] + moves.eyes
    assert np.abs(on_it[15:] - target).max() < 0.02
    eyes_at, head_at = (int(np.argmax(np.abs(x) > 0.1)) for x in (moves.eyes[:, 0], moves.head[:, 0]))
    assert eyes_at < head_at
    assert np.abs(moves.head[60:, 0].mean() - 0.6 * target[0]) < 0.1


def test_a_point_that_is_not_named_again_is_let_go() -> None:
    settings = Settings(stillness=1.0)
    gesture = Gesture(by_hand(), settings)
    gesture.attention.look_at(direction_of(*LEFT_UP))
    moves = silence(gesture, round(50 * HOLD_S) + 250, settings)
    assert np.abs(moves.turns[50]).max() > 0.1
    assert np.abs(moves.turns[-1]).max() < 1e-3
    assert not silence(gesture, 50, settings).turns.any()


def test_the_head_stays_within_its_limits_behind_its_back() -> None:
    settings = Settings(stillness=1.0)
    gesture = Gesture(by_hand(), settings)
    gesture.attention.look_at(direction_of(-1.0, 0.3, 1.0))
    head = silence(gesture, 90, settings).head
    assert np.abs(head[:, 0]).max() <= HEAD_RAD[0] and np.abs(head[:, 1]).max() <= HEAD_RAD[1]
    assert np.abs(np.diff(head, axis=0)).max() * 50 < 3.0  # rad/s


def test_a_look_is_the_same_in_any_chunks() -> None:
    settings = Settings()
    whole, cut = (Gesture(by_hand(), settings) for _ in range(2))
    for gesture in (whole, cut):
        gesture.attention.look_at(direction_of(*LEFT_UP))
    parts = [silence(cut, n, settings).turns for n in (1, 7, 92, 50)]
    np.testing.assert_array_equal(np.concatenate(parts), silence(whole, 150, settings).turns)


def test_a_talker_shows_it_in_its_weights_and_refuses_what_is_no_point() -> None:
    talker = dtalker_model.load(stillness=1.0)
    with pytest.raises(SettingError, match="look_at: a point to look at must lie"):
        talker.look_at((0.0, 0.0, 0.0))
    with pytest.raises(SettingError, match="look_at"):
        talker.look_at((float("nan"), 0.0, 0.0))
    talker.look_at((1.0, 0.4, 0.0))
    frames = talker.push(np.zeros(2 * SAMPLE_RATE_HZ, np.int16), SAMPLE_RATE_HZ)
    seen = frames[60]
    assert seen.head[0] + seen.head[3] == pytest.approx(np.arctan(0.4), abs=0.01)
    assert seen.weights[LOOK[0]] > 0.1 and seen.weights[LOOK[2]] == 0
    talker.look_at(None)
    assert not talker.push(np.zeros(6 * SAMPLE_RATE_HZ, np.int16), SAMPLE_RATE_HZ)[-1].head.any()

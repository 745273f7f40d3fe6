"""Blinks come at the asked rate, both lids together, and never while the model blinks itself."""

import numpy as np
import numpy.typing as npt
import pytest

from dtalker_model.output.blink import OWN_BLINK_REST_FRAMES, Blinker

Curve = npt.NDArray[np.float32]
TEN_MINUTES = 10 * 60 * 50


def _closure(own: Curve, rate_hz: float = 0.25, seed: int = 0, enabled: bool = True) -> Curve:
    closure = Blinker(seed).apply(own, enabled, rate_hz)
    return np.zeros((len(own), 2), np.float32) if closure is None else closure


def _open(frames: int) -> Curve:
    return np.zeros(frames, np.float32)


def _starts(closure: Curve) -> npt.NDArray[np.intp]:
    shut = (closure[:, 0] > 0).astype(np.int8)
    return np.flatnonzero(np.diff(shut, prepend=0) == 1)


@pytest.mark.parametrize("rate_hz", [0.1, 0.25, 0.5, 1.0, 2.0])
@pytest.mark.parametrize("seed", [0, 1, 2**31 - 1])
def test_the_rate_over_ten_minutes_is_the_asked_one(rate_hz: float, seed: int) -> None:
    blinks = len(_starts(_closure(_open(TEN_MINUTES), rate_hz, seed)))
    assert blinks == pytest.approx(600 * rate_hz, rel=0.15)


def test_intervals_are_irregular_and_rarely_short() -> None:
    intervals_s = np.diff(_starts(_closure(_open(TEN_MINUTES)))) / 50
    assert intervals_s.std() > 1.0
    assert np.mean(intervals_s < 1.0) < 0.05


def test_both_lids_close_together_and_nearly_alike() -> None:
    left, right = _closure(_open(TEN_MINUTES)).T
    np.testing.assert_array_equal(left > 0, right > 0)
    assert 0 < np.abs(left - right).max() <= 0.05


def test_a_blink_closes_faster_than_it_opens() -> None:
    closure = _closure(_open(TEN_MINUTES))[:, 0]
    for start in _starts(closure[:, None])[:-1]:
        blink = closure[start : start + 30]
        frames = int(np.argmin(blink > 0))
        assert 8 <= frames <= 20  # 160 to 400 ms
        assert blink.max() > 0.65
        assert int(blink.argmax()) < frames / 2


def test_lids_move_smoothly() -> None:
    assert np.abs(np.diff(_closure(_open(TEN_MINUTES)), axis=0)).max() < 0.5


def test_no_blink_begins_during_or_just_after_the_models_own() -> None:
    own = _open(TEN_MINUTES)
    for start in np.random.default_rng(0).integers(0, TEN_MINUTES, 300):
        own[start : start + 10] = 0.6
    starts = _starts(_closure(own, rate_hz=2.0))
    assert len(starts) > 100
    for start in starts:
        assert own[max(0, start - OWN_BLINK_REST_FRAMES + 1) : start + 1].max() == 0


def test_a_model_that_blinks_enough_is_left_alone() -> None:
    own = np.tile(np.repeat(np.array([0.05, 0.8], np.float32), [60, 10]), 100)
    assert not _closure(own).any()


def test_lids_that_an_expression_holds_low_still_blink() -> None:
    blinks = len(_starts(_closure(np.full(TEN_MINUTES, 0.3, np.float32))))
    assert blinks == pytest.approx(150, rel=0.15)


def test_switching_off_ends_no_blink_early_and_begins_none() -> None:
    blinker = Blinker(0)
    begun = 0
    while blinker.apply(_open(1), True, 1.0) is None:
        begun += 1
    rest = blinker.apply(_open(1000), False, 1.0)
    assert rest is not None
    assert len(_starts(rest)) == 1
    assert rest[0, 0] > 0


def test_off_and_rate_zero_mean_none() -> None:
    assert not _closure(_open(TEN_MINUTES), enabled=False).any()
    assert not _closure(_open(TEN_MINUTES), rate_hz=0.0).any()


def test_the_seed_decides() -> None:
    np.testing.assert_array_equal(_closure(_open(5000), seed=3), _closure(_open(5000), seed=3))
    assert not np.array_equal(_closure(_open(5000), seed=3), _closure(_open(5000), seed=4))

"""Below the dead band nothing moves; beyond it the wish itself is followed."""

import numpy as np
import pytest

from dtalker_ros.joints.dead_band import DeadBand

PERIOD_S = 0.01


def followed(band: DeadBand, wishes: list[float]) -> list[float]:
    """Where the joint is to be, after each wish."""
    held = []
    for wish in wishes:
        band.follow(wish)
        held.append(band.held)
    return held


def test_noise_below_the_band_moves_nothing() -> None:
    noise = np.random.default_rng(0).uniform(-0.01, 0.01, 1000).tolist()
    band = DeadBand(0.01, 0.0, PERIOD_S)
    assert set(followed(band, noise)) == {0.0}
    assert band.still_s > 10.0


def test_beyond_it_the_wish_is_followed_without_steps_and_to_its_end() -> None:
    ramp = np.linspace(0.0, 1.0, 101).tolist()
    held = followed(DeadBand(0.05, 0.0, PERIOD_S), [*ramp, *[1.0] * 20])
    assert held[:6] == [0.0] * 6
    assert held[6:101] == ramp[6:], "and nothing stays behind by the band"
    assert held[-1] == 1.0


def test_what_has_come_to_rest_is_held_again() -> None:
    band = DeadBand(0.05, 0.0, PERIOD_S)
    followed(band, [0.5] * 15)
    assert followed(band, [0.54, 0.46, 0.53]) == [0.5] * 3
    assert followed(band, [0.56]) == [0.56]


def test_without_a_band_everything_is_followed() -> None:
    wishes = np.random.default_rng(0).normal(size=100).tolist()
    assert followed(DeadBand(0.0, 0.0, PERIOD_S), wishes) == wishes


def test_how_long_it_is_still() -> None:
    band = DeadBand(0.05, 0.0, PERIOD_S)
    followed(band, [0.5, *[0.5] * 100])
    assert band.still_s == pytest.approx(1.0)

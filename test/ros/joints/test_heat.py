"""I²t: warming, cooling, the warning, and that a joint that is asked too much settles."""

import math

import pytest
from joint_rig import jaw

from dtalker_ros.joints.head import HeatModel
from dtalker_ros.joints.heat import Heat

PERIOD_S = 0.01
MODEL = HeatModel(hold=0.8, speed=0.2, accelerate=0.5, continuous=0.4, time_constant_s=10.0, warn=0.8)
JAW = jaw(heat=MODEL)


def after(heat: Heat, seconds: float, position: float, torque: bool = True) -> float:
    """Warmth after `seconds` at a position."""
    heat.place(position)
    for _ in range(round(seconds / PERIOD_S)):
        heat.step(position, torque)
    return heat.warmth


def test_it_warms_and_cools_with_one_time_constant() -> None:
    heat = Heat(JAW, 0.0, PERIOD_S)
    # Half way out it takes the current that it stands for ever.
    assert after(heat, 10.0, 0.25) == pytest.approx(1.0 - math.exp(-1.0), rel=1e-3)
    warm = heat.warmth
    assert after(heat, 10.0, 0.25, torque=False) == pytest.approx(warm * math.exp(-1.0), rel=1e-3)


def test_speed_and_acceleration_warm_too() -> None:
    fast, shaken = (
        Heat(jaw(heat=HeatModel(hold=0.0)), 0.0, PERIOD_S),
        Heat(jaw(heat=HeatModel(hold=0.0)), 0.0, PERIOD_S),
    )
    for k in range(1, 60_000):
        fast.step(5.0 * k * PERIOD_S, True)
        shaken.step(0.001 * (k % 2), True)
    assert fast.warmth == pytest.approx((0.2 / 0.4) ** 2, rel=1e-3)
    assert shaken.warmth == pytest.approx(((0.2 * 0.1 / 5.0 + 0.5 * 20.0 / 80.0) / 0.4) ** 2, rel=1e-3)


def test_a_joint_that_is_held_far_out_settles_before_it_is_too_warm() -> None:
    heat = Heat(JAW, 0.0, PERIOD_S)
    position = 0.0
    for _ in range(round(200.0 / PERIOD_S)):
        position += 0.1 * (0.5 * heat.gain - position)
        heat.step(position, True)
        assert heat.warmth < 1.0
    assert heat.warning and heat.gain == pytest.approx(0.46, abs=0.05)


def test_the_warning_comes_and_goes_once() -> None:
    heat = Heat(JAW, 0.0, PERIOD_S)
    after(heat, 5.0, 0.5)
    assert heat.warning
    assert heat.gain < 1.0
    after(heat, 0.1, 0.0)
    assert heat.warning, "still close to it"
    after(heat, 20.0, 0.0)
    assert (heat.warning, heat.gain) == (False, 1.0)


def test_duty_is_the_share_of_time_in_motion() -> None:
    heat = Heat(jaw(), 0.0, PERIOD_S)
    for k in range(60_000):
        heat.step(0.1 * (k // 4), True)
    assert heat.duty == pytest.approx(0.25, abs=0.01)
    assert (heat.warmth, heat.gain, heat.warning) == (0.0, 1.0, False), "without a model there is no warmth"

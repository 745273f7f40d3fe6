"""A head that follows frames: in time, softly where frames fail, and never where it must not go."""

import math
from typing import Any

import numpy as np
import pytest
from joint_rig import LIMITS, TICK_NS, Time, face, head, jaw

from dtalker_ros.joints.head import HeatModel, Limits
from dtalker_ros.joints.mapper import PERIOD_S, JointMapper

ruckig = pytest.importorskip("ruckig", reason="needs ruckig")

FRAME_S = 0.02


def speech(time_s: float) -> float:
    """A jaw that opens and shuts three times a second."""
    return 0.5 - 0.5 * math.cos(2.0 * math.pi * 3.0 * time_s)


def onset_s(lead_s: float, ahead_s: float, delay_s: float) -> float:
    """When the jaw is first told to move, after the moment at which the open mouth is to be shown; below 0: before."""
    time = Time(JointMapper(head(jaw(lead_s=lead_s)), delay_s=delay_s))
    time.go(1.0, 0.0, ahead_s)
    shown_s = time.tick * PERIOD_S + ahead_s + delay_s
    time.go(1.0, 1.0, ahead_s)
    first = int(np.flatnonzero(np.abs(time.positions()[:, 0]) > 1e-9)[0])
    return first * PERIOD_S - shown_s


@pytest.mark.parametrize(
    ("lead_s", "ahead_s", "delay_s"),
    [(0.0, 0.06, 0.0), (0.06, 0.06, 0.0), (0.05, 0.2, 0.0), (0.2, 0.2, 0.0), (0.15, 0.02, 0.13), (0.0, 0.02, 0.4)],
)
def test_added_latency_is_at_most_a_frame_beyond_the_lead_time(lead_s: float, ahead_s: float, delay_s: float) -> None:
    assert -FRAME_S <= onset_s(lead_s, ahead_s, delay_s) + lead_s <= FRAME_S


def test_every_tick_has_a_position_of_its_own_between_frames() -> None:
    time = Time(JointMapper(head()))
    time.go(2.0, speech)
    moving = np.abs(np.diff(time.positions()[20:, 0]))
    assert len(time.commands) == 200 and (moving > 0.0).mean() > 0.95


def test_speech_is_followed_closely() -> None:
    limits = Limits(20.0, 400.0, 40000.0)
    time = Time(JointMapper(head(jaw(limits=limits))))
    time.go(2.0, speech)
    wished = np.array([0.4 * speech(k * PERIOD_S - 0.06) for k in range(20, 200)])
    shift = min(range(6), key=lambda k: float(np.abs(time.positions()[20 + k : 200, 0] - wished[: 180 - k]).max()))
    assert shift * PERIOD_S <= 0.04
    assert np.abs(time.positions()[20 + shift : 200, 0] - wished[: 180 - shift]).max() < 0.02


def test_a_step_of_the_face_is_ruckigs_time_optimal_answer() -> None:
    time = Time(JointMapper(head()))
    time.go(1.0, 0.0, ahead_s=0.0)
    given, optimal = ruckig.InputParameter(1), ruckig.Trajectory(1)
    given.current_position, given.target_position = [0.0], [0.4]
    given.max_velocity, given.max_acceleration, given.max_jerk = [5.0], [80.0], [2500.0]
    assert ruckig.Ruckig(1).calculate(given, optimal) == ruckig.Result.Working
    time.go(0.3, 1.0, ahead_s=0.0)
    expected = [optimal.at_time((k + 1) * PERIOD_S)[0][0] for k in range(30)]
    np.testing.assert_allclose(time.positions()[-30:, 0], expected, atol=1e-6)


def test_limits_cost_the_time_that_the_docs_say() -> None:
    time = Time(JointMapper(head(jaw(maximum=3.0, weights={"jawOpen": 2.0}))))
    time.go(1.0, lambda passed_s: passed_s, ahead_s=0.0)
    velocity, acceleration, jerk = 2.0, LIMITS.acceleration, LIMITS.jerk
    lag_s = (2.0 * 1.0 - time.positions()[-1, 0]) / velocity
    assert lag_s == pytest.approx(
        velocity / (2.0 * acceleration) + acceleration / (2.0 * jerk), abs=FRAME_S / 2 + PERIOD_S
    )


def test_the_other_way_round_and_curved() -> None:
    curved = jaw(invert=True, curve=((0.0, 0.0), (0.2, 0.1), (0.4, 0.1)), neutral=0.3)
    time = Time(JointMapper(head(curved)))
    assert time.go(1.0, 0.25).positions[0] == pytest.approx(0.25)
    assert time.go(1.0, 1.0).positions[0] == pytest.approx(0.2)


def test_head_and_gaze_move_joints_and_may_be_absent() -> None:
    neck = jaw("neck", weights={"yaw": 1.0, "gaze_yaw": 0.5})
    time = Time(JointMapper(head(jaw(), neck)))
    assert time.go(1.0, 0.5).positions == pytest.approx([0.2, 0.0])
    for _ in range(50):
        time.mapper.push_pose(time.now_ns, time.now_ns, [0.2, 0.0, 0.0, 0.1, 0.0])
        time.go(0.02, 0.5)
    assert time.commands[-1].positions == pytest.approx([0.2, 0.25])
    assert time.go(3.0, 0.5).positions[1] == pytest.approx(0.0), "poses have ceased"


def test_loss_of_frames_eases_to_neutral() -> None:
    time = Time(JointMapper(head(jaw())))
    time.go(1.0, 1.0)
    lost = time.tick
    time.go(3.0)
    position = time.positions()[lost:, 0]
    assert position[29] == pytest.approx(0.4), "not before 300 ms"
    assert position[45] < 0.4, "but then"
    assert position[-1] == 0.0
    velocity = np.array([command.velocities[0] for command in time.commands[lost:]])
    assert np.abs(velocity).max() <= 0.3 * LIMITS.velocity + 1e-9, "softly"


def test_frames_that_come_again_are_followed_again() -> None:
    time = Time(JointMapper(head(jaw())))
    time.go(1.0, 1.0)
    time.go(5.0)
    assert time.go(1.0, 1.0).positions[0] == pytest.approx(0.4)


def test_torque_goes_after_two_seconds_of_silence_and_comes_back() -> None:
    time = Time(JointMapper(head(jaw(dead_band=0.01), jaw("neck", release_after_s=None))))
    assert time.go(1.0, speech).torque == (True, True)
    assert time.go(2.0, 0.02).torque == (True, True), "it has been still for less than 2 s"
    assert time.go(1.0, 0.02).torque == (False, True)
    assert time.commands[-1].positions == pytest.approx([0.0, 0.008])
    silent = time.tick
    time.go(0.2, 1.0)
    woken = next(command for command in time.commands[silent:] if command.positions[0] != 0.0)
    assert woken.torque == (True, True), "before anything moves"


def test_what_is_still_away_from_neutral_returns_softly_before_its_torque_goes() -> None:
    time = Time(JointMapper(head(jaw())))
    time.go(1.5, 0.5)
    still = time.tick
    time.go(3.0, 0.5)
    released = [not command.torque[0] for command in time.commands[still:]]
    position = time.positions()[still:, 0]
    assert all(position[k] == 0.0 for k, off in enumerate(released) if off) and released[-1]
    velocity = np.array([command.velocities[0] for command in time.commands[still:]])
    assert np.abs(velocity).max() <= 0.3 * LIMITS.velocity + 1e-9


def test_below_the_dead_band_nothing_moves() -> None:
    rng = np.random.default_rng(0)
    time = Time(JointMapper(head(jaw(dead_band=0.02))))
    time.go(3.0, lambda _: float(rng.uniform(0.0, 0.04)))
    assert set(time.positions()[:, 0]) == {0.0}


def test_stop_goes_to_neutral_and_holds_until_it_is_resumed() -> None:
    time = Time(JointMapper(head(jaw())))
    time.go(1.0, 1.0)
    time.mapper.stop()
    stopped = time.tick
    command = time.go(5.0, speech)
    assert command.positions[0] == 0.0 and command.torque == (True,), "and keeps its torque"
    assert np.abs(time.positions()[stopped + 40 :, 0]).max() == 0.0, "at full speed"
    assert time.mapper.faults == ["stopped until it is resumed"]
    time.mapper.resume()
    assert time.go(1.0, 1.0).positions[0] == pytest.approx(0.4)


def test_the_end_is_neutral() -> None:
    time = Time(JointMapper(head(jaw())))
    time.go(1.0, 1.0)
    time.mapper.end()
    time.go(2.0, 1.0)
    assert time.mapper.rests and time.commands[-1].positions[0] == 0.0


@pytest.mark.parametrize(
    ("weights", "reason"),
    [
        (np.full(52, np.nan), "NaN or infinite values"),
        (face(math.inf), "NaN or infinite values"),
        (face(1e30), "values far beyond 0..1"),
        (face(-5.0), "values far beyond 0..1"),
        (np.ones(51), "other than 52 values"),
        (np.ones((52, 2)), "other than 52 values"),
        ("open", "values that are no numbers"),
    ],
)
def test_rubbish_never_reaches_a_joint_and_is_said_once(weights: Any, reason: str) -> None:
    time = Time(JointMapper(head(jaw())))
    time.go(1.0, 0.5)
    before = time.positions()[-1].tolist()
    for _ in range(10):
        time.mapper.push_face(time.now_ns + 3 * TICK_NS, time.now_ns, weights)
        time.go(0.02, 0.5)
        assert time.commands[-1].positions.tolist() == before
    assert time.mapper.sayings() == [f"blendshapes: {reason}: such frames move no joint"]
    assert time.mapper.refused == {f"blendshapes: {reason}": 10}


@pytest.mark.parametrize(("off_s", "where"), [(-10.0, "1 s behind"), (10.0, "6 s ahead of")])
def test_stamps_of_another_clock_are_said(off_s: float, where: str) -> None:
    time = Time(JointMapper(head(jaw())))
    time.mapper.push_face(time.now_ns + round(off_s * 1e9), time.now_ns, face(1.0))
    assert time.go(1.0).positions[0] == 0.0
    assert time.mapper.sayings() == [
        f"blendshapes: stamps more than {where} this node's clock: such frames move no joint"
    ]


def test_frames_out_of_order_get_their_place() -> None:
    straight, mixed = Time(JointMapper(head(jaw()))), Time(JointMapper(head(jaw())))
    for k in range(100):
        for time, order in ((straight, (0, 1)), (mixed, (1, 0))):
            for which in order:
                stamp_ns = time.now_ns + 100_000_000 + which * 20_000_000
                time.mapper.push_face(stamp_ns, time.now_ns, face(speech((2 * k + which) * 0.02)))
            time.go(0.04)
    assert np.array_equal(straight.positions(), mixed.positions())


def test_a_clock_that_is_set_back_stops_nothing() -> None:
    time = Time(JointMapper(head(jaw())))
    time.go(2.0, 1.0)
    time.tick -= 3000
    assert time.go(1.0, 0.5).positions[0] == pytest.approx(0.2)


def test_a_hot_joint_moves_less_and_says_so_once() -> None:
    heat = HeatModel(hold=0.8, continuous=0.4, time_constant_s=2.0)
    time = Time(JointMapper(head(jaw(heat=heat, weights={"jawOpen": 0.5}, release_after_s=None))))
    time.go(10.0, 1.0)
    assert time.mapper.sayings() == ["joint jaw gets hot: it moves less until it is cooler"]
    assert time.mapper.faults == ["joint jaw gets hot"]
    assert time.mapper.heats[0].warmth < 1.0 and 0.1 < time.commands[-1].positions[0] < 0.45
    assert float(time.mapper.figures()["jaw: warmth"]) > 0.8


def test_frames_that_come_too_late_for_a_slow_servo_are_said_once() -> None:
    time = Time(JointMapper(head(jaw(lead_s=0.1), jaw("neck", lead_s=0.2))))
    time.go(3.0, speech, ahead_s=0.06)
    assert time.mapper.sayings() == [
        "frames come 140 ms too late for the lead_s of neck: raise delay_ms by that, and play the sound as much later"
    ]


def test_motion_begins_where_the_head_is() -> None:
    time = Time(JointMapper(head(jaw(), jaw("lip")), positions=[0.3, math.nan]))
    first = time.go(0.01).positions
    assert first == pytest.approx([0.3, 0.0], abs=1e-3)
    assert time.go(2.0).positions.tolist() == [0.0, 0.0]

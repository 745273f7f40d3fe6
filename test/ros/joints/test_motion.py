"""Trajectories: ruckig's own time-optimal answer, and never a position outside of the room."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from checkout import ROOT
from joint_rig import LIMITS, head, jaw

from dtalker_ros.joints.extent import extent, phases_of, rest_of
from dtalker_ros.joints.head import Limits, Rule
from dtalker_ros.joints.head_file import read_head
from dtalker_ros.joints.mapper import PERIOD_S
from dtalker_ros.joints.motion import HeadMotion, JointMotion
from dtalker_ros.joints.rules import Rules

ruckig = pytest.importorskip("ruckig", reason="needs ruckig")

ROOM = (-0.1, 0.5)
RULE = Rule("r", {"jaw": 1.0, "lip": 1.0}, 0.5)


def planned(position: float, velocity: float, acceleration: float, target: float, limits: Limits = LIMITS) -> Any:
    """ruckig's own trajectory."""
    given, trajectory = ruckig.InputParameter(1), ruckig.Trajectory(1)
    given.current_position, given.current_velocity = [position], [velocity]
    given.current_acceleration, given.target_position = [acceleration], [target]
    given.max_velocity, given.max_acceleration, given.max_jerk = [limits.velocity], [limits.acceleration], [limits.jerk]
    ruckig.Ruckig(1).calculate(given, trajectory)
    return trajectory


def stepped(motion: JointMotion, targets: list[float]) -> np.ndarray:
    """(T, 3) position, velocity and acceleration after each tick."""
    states = []
    for target in targets:
        motion.aim(target, ROOM)
        motion.step()
        states.append((motion.position, motion.velocity, motion.acceleration))
    return np.array(states)


@pytest.mark.parametrize("target", [0.5, 0.1, 0.003, -0.1])
def test_a_step_is_ruckigs_time_optimal_answer(target: float) -> None:
    optimal = planned(0.0, 0.0, 0.0, target)
    ticks = int(optimal.duration / PERIOD_S) + 3
    expected = [np.ravel(optimal.at_time((k + 1) * PERIOD_S)) for k in range(ticks)]
    np.testing.assert_allclose(stepped(JointMotion(jaw(), 0.0, PERIOD_S), [target] * ticks), expected, atol=1e-6)


def test_at_the_end_it_stands_still() -> None:
    motion = JointMotion(jaw(), 0.0, PERIOD_S)
    stepped(motion, [0.3] * 100)
    assert (motion.position, motion.velocity, motion.acceleration, motion.rests) == (0.3, 0.0, 0.0, True)


def test_ruckigs_own_extrema_miss_an_overshoot_and_ours_do_not() -> None:
    limits = Limits(0.42, 1.5, 165.0)
    trajectory = planned(0.0, -0.05, 1.5, -0.0003, limits)
    sampled = [trajectory.at_time(t)[0][0] for t in np.linspace(0.0, trajectory.duration, 5000)]
    low, high, end = extent(phases_of(trajectory), 0.0, -0.05, 1.5)
    assert (low, high) == (pytest.approx(min(sampled), abs=1e-9), pytest.approx(max(sampled), abs=1e-9))
    assert end == pytest.approx(-0.0003, abs=1e-12)
    assert trajectory.position_extrema[0].min > low + 1e-5, "ruckig#215 is mended: extent.py can go"


def test_extents_of_random_trajectories_are_those_of_their_samples() -> None:
    rng = np.random.default_rng(0)
    for _ in range(200):
        limits = Limits(*(10.0 ** rng.uniform((0.0, 1.0, 2.0), (1.0, 2.0, 4.0))).tolist())
        state = float(rng.normal()), limits.velocity * rng.uniform(-1, 1), limits.acceleration * rng.uniform(-1, 1)
        trajectory = planned(*state, target=float(rng.normal()), limits=limits)
        sampled = np.array([trajectory.at_time(t)[0][0] for t in np.linspace(0.0, trajectory.duration, 300)])
        low, high, _ = extent(phases_of(trajectory), *state)
        coarse = limits.velocity * trajectory.duration / 300
        assert low - 1e-9 <= sampled.min() < low + coarse and high - coarse < sampled.max() <= high + 1e-9


def test_the_rest_of_a_trajectory_is_what_lies_ahead() -> None:
    trajectory = planned(0.0, 2.0, 0.0, -0.05)
    for time_s in np.linspace(0.0, trajectory.duration, 9)[:-1]:
        state = np.ravel(trajectory.at_time(time_s)).tolist()
        sampled = [trajectory.at_time(t)[0][0] for t in np.linspace(time_s, trajectory.duration, 3000)]
        found = extent(rest_of(phases_of(trajectory), time_s), *state)
        assert found == pytest.approx((min(sampled), max(sampled), -0.05), abs=1e-6)


def test_targets_that_move_against_the_motion_never_push_it_out_of_the_room() -> None:
    rng = np.random.default_rng(1)
    targets = np.repeat(rng.choice([-9.0, -0.1, 0.2, 0.5, 9.0], 2000), rng.integers(1, 15, 2000)).tolist()
    states = stepped(JointMotion(jaw(), 0.0, PERIOD_S), targets)
    assert states[:, 0].min() == -0.1 and states[:, 0].max() == 0.5
    assert np.abs(states[:, 1]).max() <= LIMITS.velocity * (1 + 1e-9)


def test_a_trajectory_out_of_the_room_is_not_taken_and_the_joint_stays_on_its_own() -> None:
    motion = JointMotion(jaw(), 0.0, PERIOD_S)
    stepped(motion, [0.4] * 10)
    motion.aim(0.4, (-0.1, motion.position))  # it cannot stop here any more
    assert motion.refusals == 1
    on = []
    while not motion.rests:
        motion.step()
        on.append(motion.position)
    assert on[-1] == pytest.approx(0.4, abs=1e-9) and max(on) <= 0.4 + 1e-9


def test_no_number_is_no_target() -> None:
    motion = JointMotion(jaw(), 0.1, PERIOD_S)
    motion.aim(float("nan"), ROOM)
    motion.step()
    assert motion.position == 0.1


def test_less_velocity_is_reached_by_braking() -> None:
    motion = JointMotion(jaw(), 0.0, PERIOD_S)
    stepped(motion, [0.5] * 8)
    assert motion.velocity > 0.3 * LIMITS.velocity
    velocities = []
    while not motion.rests:
        motion.aim(0.5, ROOM, share=0.1)
        motion.step()
        velocities.append(motion.velocity)
    assert sorted(velocities[10:], reverse=True)[0] <= 0.1 * LIMITS.velocity + 1e-9
    assert motion.position == pytest.approx(0.5)


def test_a_joint_gives_way_before_another_takes_its_place() -> None:
    lip = jaw("lip", limits=Limits(1.0, 20.0, 500.0))
    motion = HeadMotion(head(jaw(), lip, rules=[RULE]), np.array([0.0, 0.5]), PERIOD_S)
    positions = []
    for _ in range(200):
        motion.step(np.array([0.5, 0.0]), [1.0, 1.0])
        positions.append([joint.position for joint in motion.joints])
    sums = np.sum(positions, axis=1)
    assert sums.max() <= 0.5 + 1e-9
    assert positions[-1] == pytest.approx([0.5, 0.0]), "both have arrived"
    assert sums[5:60].min() > 0.2, "the fast one follows the slow one closely"


def test_a_start_that_breaks_ranges_and_rules_is_brought_back() -> None:
    motion = HeadMotion(head(jaw(), jaw("lip"), rules=[RULE]), np.array([7.0, 0.3]), PERIOD_S)
    first, second = (joint.position for joint in motion.joints)
    assert first + second <= 0.5 and first == pytest.approx(0.35) and second == pytest.approx(0.15)


@pytest.mark.parametrize("path", sorted(ROOT.glob("launch/heads/*.yaml")), ids=lambda path: path.name)
def test_shipped_heads_arrive_at_whatever_their_rules_allow(path: Path) -> None:
    some, rng = read_head(path), np.random.default_rng(0)
    low, high = some.range
    motion, matrix_bounds = HeadMotion(some, some.neutral, PERIOD_S), some.rule_matrix()
    for _ in range(20):
        wish = np.clip(rng.uniform(2.0 * low - high, 2.0 * high - low), low, high)
        ticks = 0
        while ticks < 5 or not all(joint.rests for joint in motion.joints):
            motion.step(wish, [1.0] * len(low))
            ticks += 1
            assert ticks < 1000
        found = np.array([joint.position for joint in motion.joints])
        np.testing.assert_allclose(found, Rules(some).nearest(wish), atol=1e-6)
        assert (matrix_bounds[0] @ found <= matrix_bounds[1] + 1e-9).all()

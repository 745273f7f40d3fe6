"""Random heads hear random speech, rubbish, losses and stops, and no joint may leave its limits.

``python -m dtalker_ros.joints.soak --minutes 60`` simulates an hour; its exit code is 1 where a limit was exceeded.
"""

import argparse
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dtalker_ros.joints.head import CHANNELS, Head, HeatModel, Joint, Limits, Rule
from dtalker_ros.joints.mapper import PERIOD_S, Command, JointMapper

RUN_S = 30.0
"""Each head's time."""
TICK_NS = round(PERIOD_S * 1e9)
BEGIN_NS = 1_800_000_000_000_000_000
ROUNDING = 1e-6
"""Share of a limit that rounding may add: positions of 1e-16 differ three times over 10 ms."""


@dataclass(frozen=True)
class Excess:
    """The worst of a run, each as a share: above 1 (ranges and rules: above 0) a limit was exceeded."""

    velocity: float = 0.0
    acceleration: float = 0.0
    jerk: float = 0.0
    range: float = 0.0
    """How far beyond its range a joint was, of the range."""
    rule: float = 0.0
    """How far beyond its bound a rule was, of the ranges of its joints."""

    def worst(self, other: "Excess") -> "Excess":
        """Of both."""
        return Excess(*(max(a, b) for a, b in zip(vars(self).values(), vars(other).values())))

    @property
    def holds(self) -> bool:
        """Whether no limit was exceeded."""
        most = max(self.velocity, self.acceleration, self.jerk)
        return most <= 1.0 + ROUNDING and max(self.range, self.rule) <= ROUNDING


def random_head(rng: np.random.Generator) -> Head:
    """Two to seven joints with settings from all over the place, and up to three rules."""
    joints = tuple(_random_joint(rng, f"joint_{k}") for k in range(rng.integers(2, 8)))
    rules = tuple(_random_rule(rng, joints, k) for k in range(rng.integers(0, 4)))
    return Head(joints, rules, soft_velocity=float(rng.uniform(0.05, 1.0)))


def _random_joint(rng: np.random.Generator, name: str) -> Joint:
    minimum, span = float(rng.uniform(-2.0, 2.0)), float(10.0 ** rng.uniform(-2.0, 0.5))
    velocity = span * float(10.0 ** rng.uniform(-0.5, 1.5))
    acceleration = velocity * float(10.0 ** rng.uniform(0.0, 2.0))
    names = rng.choice(np.array(CHANNELS), size=rng.integers(1, 5), replace=False)
    sums = np.sort(rng.uniform(-span, span, 3)).tolist()
    return Joint(
        name,
        weights={str(channel): float(rng.normal()) * span for channel in names},
        neutral=float(minimum + span * rng.uniform()),
        minimum=minimum,
        maximum=minimum + span,
        limits=Limits(velocity, acceleration, acceleration * float(10.0 ** rng.uniform(0.0, 2.5))),
        curve=tuple((x, float(rng.uniform(-span, span))) for x in sums) if rng.random() < 0.3 else (),
        invert=bool(rng.random() < 0.5),
        dead_band=float(rng.choice([0.0, 0.02])) * span,
        lead_s=float(rng.choice([0.0, 0.05, 0.2])),
        release_after_s=float(rng.choice([0.5, 2.0])) if rng.random() < 0.7 else None,
        heat=HeatModel(time_constant_s=3.0) if rng.random() < 0.3 else None,
    )


def _random_rule(rng: np.random.Generator, joints: Sequence[Joint], number: int) -> Rule:
    chosen = rng.choice(len(joints), size=2, replace=False)
    factors = {joints[k].name: float(rng.normal()) for k in chosen}
    at_rest = sum(factors[joints[k].name] * joints[k].neutral for k in chosen)
    span = sum(abs(factors[joints[k].name]) * (joints[k].maximum - joints[k].minimum) for k in chosen)
    return Rule(f"rule {number}", factors, at_rest + span * float(rng.choice([0.0, rng.uniform(0.0, 0.4)])))


class _Speaker:
    """Speech and rubbish: faces that glide, jump and freeze, and what no publisher should send."""

    def __init__(self, rng: np.random.Generator) -> None:
        self._rng = rng
        self._face, self._goal = np.zeros(52), np.zeros(52)
        self._silent_until = 0

    def speak(self, mapper: JointMapper, tick: int) -> None:
        """What comes at this tick."""
        rng, now_ns = self._rng, BEGIN_NS + tick * TICK_NS
        if rng.random() < 0.001:
            self._silent_until = tick + int(rng.choice([20, 50, 300]))
        if rng.random() < 0.002:
            (mapper.resume if mapper.stopped else mapper.stop)()
        if rng.random() < 0.02:
            self._rubbish(mapper, now_ns)
        if tick % 2 == 0 and tick >= self._silent_until:
            self._frame(mapper, now_ns)

    def _frame(self, mapper: JointMapper, now_ns: int) -> None:
        rng = self._rng
        if rng.random() < 0.1:
            self._goal = rng.random(52) * rng.choice([0.0, 1.0], 52)
        self._face = self._face + (self._goal - self._face) * rng.choice([0.0, 0.3, 1.0])
        stamp_ns = now_ns + int(rng.choice([20, 60, 250])) * 1_000_000
        mapper.push_face(stamp_ns, now_ns, self._face)
        if rng.random() < 0.8:
            mapper.push_pose(stamp_ns, now_ns, rng.normal(0.0, 0.4, 5).clip(-1.0, 1.0))

    def _rubbish(self, mapper: JointMapper, now_ns: int) -> None:
        rng = self._rng
        odd = rng.choice(np.array([np.nan, np.inf, -np.inf, 1e30, 3.0, -2.0, 2.0**63]), 52)
        faces = [
            odd,
            np.where(rng.random(52) < 0.02, odd, self._face),
            np.zeros(51),
            np.zeros((52, 1)),
            "face",
            None,
            [],
        ]
        stamp_ns = now_ns + int(rng.choice([0, -(10**18), 10**18, -(10**8), 10**9, -now_ns]))
        mapper.push_face(stamp_ns, now_ns, faces[rng.integers(len(faces))])  # type: ignore[arg-type]
        mapper.push_face(stamp_ns, now_ns, rng.random(52))
        mapper.push_pose(stamp_ns, now_ns, odd[: rng.integers(7)])


def run(rng: np.random.Generator, seconds: float = RUN_S) -> Excess:
    """One random head for `seconds`."""
    head = random_head(rng)
    mapper, speaker = JointMapper(head, positions=rng.normal(0.0, 2.0, len(head.joints))), _Speaker(rng)
    commands = []
    for tick in range(round(seconds / PERIOD_S)):
        speaker.speak(mapper, tick)
        commands.append(mapper.tick(BEGIN_NS + tick * TICK_NS))
    return excess(head, commands)


def excess(head: Head, commands: Sequence[Command], period_s: float = PERIOD_S) -> Excess:
    """What `commands`, one a tick, ask of the joints at most, from their differences and from what they say."""
    positions = np.array([command.positions for command in commands])
    velocities = np.array([command.velocities for command in commands])
    accelerations = np.array([command.accelerations for command in commands])
    assert np.isfinite(positions).all()
    low, high = head.range
    limits = np.array([[j.limits.velocity, j.limits.acceleration, j.limits.jerk] for j in head.joints])
    rounding = 1e-15 * np.abs(positions).max(0, initial=1.0)

    def most(values: NDArray[np.float64], limit: NDArray[np.float64]) -> float:
        return float(np.max(np.abs(values) / limit, initial=0.0))

    def differences(order: int) -> NDArray[np.float64]:
        """Of the positions, which is what servos get; differences of rounding alone count as none."""
        values: NDArray[np.float64] = np.diff(positions, n=order, axis=0)
        return np.sign(values) * np.maximum(np.abs(values) - 2.0**order * rounding, 0.0) / period_s**order

    matrix, bounds = head.rule_matrix()
    over = (positions @ matrix.T - bounds) / (np.abs(matrix) @ (high - low)) if len(bounds) else np.zeros((1, 1))
    return Excess(
        velocity=max(most(velocities, limits[:, 0]), most(differences(1), limits[:, 0])),
        acceleration=max(most(accelerations, limits[:, 1]), most(differences(2), limits[:, 1])),
        jerk=max(most(np.diff(accelerations, axis=0) / period_s, limits[:, 2]), most(differences(3), limits[:, 2])),
        range=float(np.max(np.maximum(low - positions, positions - high) / (high - low), initial=0.0)),
        rule=float(np.max(over, initial=0.0)),
    )


def soak(seed: int, runs: int, seconds: float = RUN_S, said: Callable[[str], None] = lambda line: None) -> Excess:
    """The worst of `runs` heads; `said` gets a line for each that exceeded a limit."""
    worst = Excess()
    for number in range(runs):
        one = run(np.random.default_rng([seed, number]), seconds)
        if not one.holds:
            said(f"run {number}: {one}")
        worst = worst.worst(one)
    return worst


def main(args: Sequence[str] | None = None) -> int:
    """Print the worst of a simulated hour."""
    parser = argparse.ArgumentParser(prog="python -m dtalker_ros.joints.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=60.0, help="simulated time (default 60)")
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args(args)
    worst = soak(given.seed, max(round(given.minutes * 60.0 / RUN_S), 1), said=print)
    print(f"{given.minutes:g} minutes: {worst}: {'no limit' if worst.holds else 'a limit was'} exceeded")
    return 0 if worst.holds else 1


if __name__ == "__main__":
    sys.exit(main())

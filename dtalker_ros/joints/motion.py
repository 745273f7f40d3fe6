"""How joints move: ruckig's time-optimal trajectories, planned anew at every tick, that never leave their room."""

import numpy as np
from numpy.typing import NDArray

from dtalker_model.errors import SettingError
from dtalker_ros.joints.extent import Phases, extent, phases_of, rest_of
from dtalker_ros.joints.head import Head, Joint
from dtalker_ros.joints.rules import Rules

ROUNDING = 1e-9
"""Of a joint's range: ruckig's own rounding at the ends of a room."""


class JointMotion:
    """One joint: its state, and the trajectory that it is on, which ends at rest within its room.

    ruckig bounds velocity, acceleration and jerk, but not positions: where a target moves against the motion, the joint
    first brakes and may run over it. So each new trajectory is looked at as a whole, and taken only if it stays within
    the room. Otherwise the joint stays on the one that it is on, which does, by induction: whatever happens, it ends at
    rest within the room.
    """

    def __init__(self, joint: Joint, position: float, period_s: float) -> None:
        try:
            import ruckig
        except ImportError:
            raise SettingError("joints need the Python package ruckig: pip install ruckig") from None
        self._joint, self._period_s = joint, period_s
        self._planner, self._refused = ruckig.Ruckig(1), ruckig.RuckigError
        self._input = ruckig.InputParameter(1)
        self._input.max_acceleration, self._input.max_jerk = [joint.limits.acceleration], [joint.limits.jerk]
        self._now, self._next = ruckig.Trajectory(1), ruckig.Trajectory(1)
        self._tolerance = ROUNDING * (joint.maximum - joint.minimum)
        self._time_s: float | None = None
        self._phases: Phases = ()
        self._target, self._aim = position, (position, 1.0)
        self.position, self.velocity, self.acceleration = position, 0.0, 0.0
        self.low = self.high = position
        """The joint stays within these until it rests."""
        self.refusals = 0
        """Trajectories that were not taken."""

    @property
    def rests(self) -> bool:
        """Whether it stands still, and would without a new target."""
        return self._time_s is None

    def aim(self, target: float, room: tuple[float, float], share: float = 1.0) -> None:
        """Take the best trajectory to `target`, as near as the `room` allows, with `share` of the highest velocity."""
        target = min(max(target, room[0]), room[1])
        if (target, share) == self._aim:
            self._go_on()  # planned again it would be slower: rounding at a limit makes it brake
        elif not self._plan(target, share) or not self._take(target, room):
            self.refusals += 1
            self._go_on()
        else:
            self._aim = target, share

    def step(self) -> None:
        """Go on by one tick."""
        if self._time_s is None:
            return
        self._time_s += self._period_s
        (position,), (self.velocity,), (self.acceleration,) = self._now.at_time(self._time_s)
        self.position = min(max(position, self._joint.minimum), self._joint.maximum)
        if self._time_s >= self._now.duration:
            self._time_s, self.velocity, self.acceleration = None, 0.0, 0.0
            self.position = self.low = self.high = self._target

    def _go_on(self) -> None:
        """What lies behind the joint is free for others now."""
        if self._time_s is not None:
            left = rest_of(self._phases, self._time_s)
            self.low, self.high, _ = extent(left, self.position, self.velocity, self.acceleration)

    def _take(self, target: float, room: tuple[float, float]) -> bool:
        """Go over to the planned trajectory, if it stays within the `room`."""
        phases = phases_of(self._next)
        low, high, end = extent(phases, self.position, self.velocity, self.acceleration)
        stays = room[0] - self._tolerance <= low and high <= room[1] + self._tolerance
        if not stays or abs(end - target) > self._tolerance:
            return False
        self._now, self._next, self._phases = self._next, self._now, phases
        self._time_s, self._target, self.low, self.high = 0.0, target, low, high
        return True

    def _plan(self, target: float, share: float) -> bool:
        given = self._input
        given.current_position = [self.position]
        given.current_velocity = [self.velocity]
        given.current_acceleration = [self.acceleration]
        given.target_position = [target]
        given.max_velocity = [self._joint.limits.velocity * share]
        try:
            return int(self._planner.calculate(given, self._next)) >= 0
        except self._refused:  # rounding, close to a target
            return False


class HeadMotion:
    """All J joints of a head."""

    def __init__(self, head: Head, positions: NDArray[np.float64], period_s: float) -> None:
        """At rest at `positions` (J,); where they break a range or a rule, at the nearest that do not."""
        self._rules = Rules(head)
        start = self._rules.start(head, positions)
        self.joints = [JointMotion(joint, float(p), period_s) for joint, p in zip(head.joints, start)]
        self._low, self._high = [j.low for j in self.joints], [j.high for j in self.joints]

    def step(self, wishes: NDArray[np.float64], shares: list[float]) -> None:
        """One tick towards `wishes` (J,), each joint with its share of the highest velocity."""
        for place, (target, motion) in enumerate(zip(self._rules.nearest(wishes).tolist(), self.joints)):
            motion.aim(target, self._rules.room(place, self._low, self._high), shares[place])
            self._low[place], self._high[place] = motion.low, motion.high
        for place, motion in enumerate(self.joints):
            motion.step()
            self._low[place], self._high[place] = motion.low, motion.high

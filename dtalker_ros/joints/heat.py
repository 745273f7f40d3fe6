"""How warm a servo gets, by I²t: nobody measures its current, so it is guessed from what the joint does.

The current, as a share of the stall current, is what holds the joint (growing with its distance from neutral, against
skin, springs and weight), what friction takes (growing with the velocity), and what turns the masses (growing with the
acceleration). Its square warms the servo with one time constant; warmth 1 is what the current that the servo stands for
ever leads to.
"""

import math

from dtalker_ros.joints.head import HeatModel, Joint

STIR = 0.001
"""Share of the highest velocity from which on a joint counts as moving."""
COOLER = 0.1
"""A warning is over when the warmth is so far below."""
DUTY_S = 60.0
"""Time constant of the duty."""


class Heat:
    """Warmth and duty of one joint."""

    def __init__(self, joint: Joint, position: float, period_s: float) -> None:
        self._joint, self._model, self._period_s = joint, joint.heat, period_s
        self._position, self._velocity = position, 0.0
        self._farthest = max(joint.maximum - joint.neutral, joint.neutral - joint.minimum)
        self._blend = -math.expm1(-period_s / joint.heat.time_constant_s) if joint.heat else 0.0
        self._duty_blend = -math.expm1(-period_s / DUTY_S)
        self.warmth = 0.0
        """0 cold, 1 as warm as it may get; 0 without a heat model."""
        self.duty = 0.0
        """Share of the last minute in which it moved, 0..1."""
        self.warning = False
        """Whether it moves less than it should."""

    def step(self, position: float, torque: bool) -> None:
        """One tick, after which the joint is told to be at `position`.

        Velocity and acceleration are those of the positions: what a servo meets of them, 100 times a second.
        """
        velocity = (position - self._position) / self._period_s
        acceleration = (velocity - self._velocity) / self._period_s
        self._position, self._velocity = position, velocity
        moves = torque and abs(velocity) > STIR * self._joint.limits.velocity
        self.duty += (moves - self.duty) * self._duty_blend
        if (model := self._model) is None:
            return
        current = self._current(model, position, velocity, acceleration) if torque else 0.0
        self.warmth += ((current / model.continuous) ** 2 - self.warmth) * self._blend
        self.warning = self.warmth > model.warn - COOLER * self.warning

    def place(self, position: float) -> None:
        """The joint stands still at `position`."""
        self._position, self._velocity = position, 0.0

    @property
    def gain(self) -> float:
        """Share of its deflection that the joint may have now: 1, and from the warning on less, down to 0 at warmth 1.

        Holding and moving both grow with it, so that a joint that is asked too much settles where it stands it.
        """
        if self._model is None:
            return 1.0
        return min(max((1.0 - self.warmth) / (1.0 - self._model.warn), 0.0), 1.0)

    def _current(self, model: HeatModel, position: float, velocity: float, acceleration: float) -> float:
        limits = self._joint.limits
        return (
            model.hold * abs(position - self._joint.neutral) / self._farthest
            + model.speed * abs(velocity) / limits.velocity
            + model.accelerate * abs(acceleration) / limits.acceleration
        )

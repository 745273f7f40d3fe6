"""Heads of few joints, and time for them: ticks of 10 ms, a frame at every second one."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dtalker_model.blendshapes import ARKIT_NAMES
from dtalker_ros.joints.head import Head, Joint, Limits, Rule
from dtalker_ros.joints.mapper import PERIOD_S, Command, JointMapper

BEGIN_NS = 1_800_000_000_000_000_000
TICK_NS = round(PERIOD_S * 1e9)
LIMITS = Limits(velocity=5.0, acceleration=80.0, jerk=2500.0)
JAW_OPEN = ARKIT_NAMES.index("jawOpen")


def jaw(name: str = "jaw", **changes: Any) -> Joint:
    """A jaw that opens by 0.4 rad for a `jawOpen` of 1, with `changes`."""
    return replace(Joint(name, {"jawOpen": 0.4}, 0.0, -0.1, 0.5, LIMITS), **changes)


def head(*joints: Joint, rules: Sequence[Rule] = ()) -> Head:
    """A head of `joints`, or of one jaw."""
    return Head(joints or (jaw(),), tuple(rules))


def face(jaw_open: float) -> NDArray[np.float64]:
    """A face at rest but for its jaw."""
    weights = np.zeros(len(ARKIT_NAMES))
    weights[JAW_OPEN] = jaw_open
    return weights


Mouth = Callable[[float], float] | float | None
"""`jawOpen` of the frames that come, a constant or a function of the time from now on, s; None: no frames come."""


class Time:
    """A mapper whose time goes on tick by tick, with a frame every 20 ms."""

    def __init__(self, mapper: JointMapper) -> None:
        self.mapper = mapper
        self.tick = 0
        self.commands: list[Command] = []

    @property
    def now_ns(self) -> int:
        """The present tick's beginning."""
        return BEGIN_NS + self.tick * TICK_NS

    def go(self, seconds: float, jaw_open: Mouth = None, ahead_s: float = 0.06) -> Command:
        """Go on for `seconds`; frames come `ahead_s` before they are to be shown. Returns the last command."""
        begun = self.tick
        for _ in range(round(seconds / PERIOD_S)):
            if jaw_open is not None and self.tick % 2 == 0:
                passed_s = (self.tick - begun) * PERIOD_S
                value = jaw_open(passed_s) if callable(jaw_open) else jaw_open
                self.mapper.push_face(self.now_ns + round(ahead_s * 1e9), self.now_ns, face(value))
            self.commands.append(self.mapper.tick(self.now_ns))
            self.tick += 1
        return self.commands[-1]

    def positions(self) -> NDArray[np.float64]:
        """(T, J) so far."""
        return np.array([command.positions for command in self.commands])

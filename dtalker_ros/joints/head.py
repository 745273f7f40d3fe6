"""What a head is: its joints, their limits, and the rules between them. Positions are in each joint's own unit."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dtalker_model import joint_maps

CHANNELS = joint_maps.CHANNELS
"""What a joint's weights may name: ARKit's blendshapes, and the fields of `dtalker/Head`, rad."""
UNITS = ("rad", "m")


@dataclass(frozen=True)
class Limits:
    """What a joint may do at most, in its unit per second, second squared and second cubed; all above 0."""

    velocity: float
    acceleration: float
    jerk: float


@dataclass(frozen=True)
class HeatModel:
    """How a servo warms. Currents are shares of the stall current, 0..1; see `heat`."""

    hold: float = 0.3
    """Current that holds the joint as far from neutral as it goes."""
    speed: float = 0.2
    """Current at the highest velocity, beside that."""
    accelerate: float = 0.5
    """Current at the highest acceleration, beside both."""
    continuous: float = 0.4
    """Current that the servo stands for ever."""
    time_constant_s: float = 60.0
    """Of warming and cooling."""
    warn: float = 0.8
    """Share of the heat of `continuous` from which on it is said and the joint moves less; at 1 it is at neutral."""


@dataclass(frozen=True)
class Joint:
    """One joint."""

    name: str
    weights: Mapping[str, float]
    """Joint units for each unit of a channel (of `CHANNELS`); the sum is the joint's deflection from neutral."""
    neutral: float
    minimum: float
    maximum: float
    limits: Limits
    curve: tuple[tuple[float, float], ...] = ()
    """Points (sum, deflection), ascending in the sum: straight between them, level beyond; none: as it is."""
    invert: bool = False
    """The deflection counts downwards from neutral."""
    dead_band: float = 0.0
    """Changes up to this do not move the joint."""
    lead_s: float = 0.0
    """The servo's lag: it is told so much before the frame is to be shown."""
    release_after_s: float | None = 2.0
    """Still for so long, it goes softly to neutral and loses its torque; None: never."""
    heat: HeatModel | None = None
    unit: str = "rad"
    servo: Mapping[str, Any] = field(default_factory=dict)
    """The driver's own keys."""


@dataclass(frozen=True)
class Rule:
    """What keeps joints apart: the sum of factor times position is at most `at_most`."""

    name: str
    factors: Mapping[str, float]
    """Factor by joint."""
    at_most: float


@dataclass(frozen=True)
class Head:
    """One head. `dtalker_ros.joints.head_file.read_head` makes it from a file and has checked it."""

    joints: tuple[Joint, ...]
    rules: tuple[Rule, ...] = ()
    soft_velocity: float = 0.3
    """Share of each joint's velocity with which it returns to neutral where that is not urgent, above 0, at most 1."""
    place: str = "head"
    """Name of the file, for errors."""

    @property
    def names(self) -> list[str]:
        """Names of the J joints, in the file's order, which is that of all arrays."""
        return [joint.name for joint in self.joints]

    @property
    def neutral(self) -> NDArray[np.float64]:
        """(J,) float64."""
        return np.array([joint.neutral for joint in self.joints])

    @property
    def range(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Lowest and highest positions, (J,) float64 each."""
        return np.array([j.minimum for j in self.joints]), np.array([j.maximum for j in self.joints])

    def rule_matrix(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """A (R, J) and b (R,), float64, of the rules: A q <= b."""
        rows = [[rule.factors.get(name, 0.0) for name in self.names] for rule in self.rules]
        return np.array(rows).reshape(len(rows), len(self.joints)), np.array([rule.at_most for rule in self.rules])

"""Between which positions a trajectory of ruckig's runs.

ruckig has `position_extrema` for this, but they miss overshoots (pantor/ruckig#215, open). So they are taken from its
phases of constant jerk, where the velocity is a quadratic whose zeros are exact.
"""

import math
from collections.abc import Iterator, Sequence
from typing import Any

Phases = Sequence[tuple[float, float]]
"""Duration, s, and jerk, one after the other."""


def phases_of(trajectory: Any) -> Phases:
    """The phases of a `ruckig.Trajectory` of one joint."""
    profile = trajectory.profiles[0][0]
    return [*zip(profile.brake.t, profile.brake.j), *zip(profile.t, profile.j)]


def rest_of(phases: Phases, time_s: float) -> Phases:
    """What is left of `phases` after `time_s`."""
    left = []
    for duration, jerk in phases:
        left.append((min(duration, max(duration - time_s, 0.0)), jerk))
        time_s -= duration
    return left


def extent(phases: Phases, position: float, velocity: float, acceleration: float) -> tuple[float, float, float]:
    """Lowest, highest and last position on the way through `phases` from the given state."""
    low = high = position
    for duration, jerk in phases:
        if duration > 0.0:
            for time in (*_turns(velocity, acceleration, jerk, duration), duration):
                reached = position + time * (velocity + time * (acceleration / 2 + time * jerk / 6))
                low, high = min(low, reached), max(high, reached)
            position = reached
            velocity += duration * (acceleration + duration * jerk / 2)
            acceleration += duration * jerk
    return low, high, position


def _turns(velocity: float, acceleration: float, jerk: float, duration: float) -> Iterator[float]:
    """Times within a phase at which the joint turns back."""
    root = acceleration * acceleration - 2.0 * jerk * velocity
    if root < 0.0:
        return
    # Numerically stable: no difference of numbers that are nearly the same.
    half = -(acceleration + math.copysign(math.sqrt(root), acceleration))
    for numerator, denominator in ((half, jerk), (2.0 * velocity, half)):
        if denominator and 0.0 < numerator / denominator < duration:
            yield numerator / denominator

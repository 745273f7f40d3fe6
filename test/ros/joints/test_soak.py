"""Property: random heads, random speech, rubbish, losses and stops exceed no limit; the whole hour is a command."""

import numpy as np
import pytest
from joint_rig import LIMITS, head, jaw

from dtalker_ros.joints.head import Rule
from dtalker_ros.joints.mapper import Command
from dtalker_ros.joints.soak import excess, soak

pytest.importorskip("ruckig", reason="needs ruckig")


def commands(*positions: list[float]) -> list[Command]:
    """One a tick."""
    return [Command(np.array(p), np.zeros(len(p)), np.zeros(len(p)), (True,) * len(p)) for p in positions]


def test_no_limit_is_exceeded() -> None:
    said: list[str] = []
    assert soak(seed=1, runs=20, seconds=10.0, said=said.append).holds, said


def test_the_measure_sees_every_kind_of_excess() -> None:
    jump = excess(head(jaw()), commands([0.0], [0.4], [0.4], [0.4]))
    assert jump.velocity == pytest.approx(0.4 / 0.01 / LIMITS.velocity)
    assert jump.acceleration == pytest.approx(0.4 / 1e-4 / LIMITS.acceleration)
    assert jump.jerk == pytest.approx(0.4 / 1e-6 / LIMITS.jerk) and not jump.holds
    outside = excess(head(jaw()), commands([0.53], [0.53]))
    assert outside.range == pytest.approx(0.05) and not outside.holds
    ruled = excess(head(jaw(), rules=[Rule("r", {"jaw": 1.0}, 0.0)]), commands([0.06]))
    assert ruled.rule == pytest.approx(0.1) and not ruled.holds
    assert excess(head(jaw()), commands([0.1], [0.1], [0.1])).holds

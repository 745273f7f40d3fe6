"""Heads that the core writes as text, the joint mapper reads."""

import pytest

from dtalker_model.joint_maps import CHANNELS, head_text, weighted
from dtalker_ros.joints import head
from dtalker_ros.joints.head_file import parse_head

pytest.importorskip("yaml", reason="pyyaml is not installed")

LIMITS = {"velocity": 2.0, "acceleration": 30.0, "jerk": 1e6}


def test_a_written_head_is_read() -> None:
    joints = {
        "jaw": ("opens", {**weighted({"jawOpen": 0.4}), "range": [0.0, 0.4], "limits": LIMITS}),
        "no": ("", {**weighted({"jawOpen": -1e-7}), "unit": "m", "range": [-1, 0.123456789], "limits": LIMITS}),
        "left: lid": ("", {**weighted({"eyeBlinkLeft": 1, "eyeWideLeft": -0.3}), "range": [-1, 1], "limits": LIMITS}),
    }
    rules = [{"name": "jaw against lid", "sum": {"jaw": 1.0, "left: lid": -1.0}, "at_most": 0.5}]
    read = parse_head(head_text(["A head,", "", "written."], joints, {"soft_velocity": 0.5, "rules": rules}), "x.yaml")
    assert read.names == ["jaw", "no", "left: lid"]
    assert read.joints[1].invert and read.joints[1].weights == {"jawOpen": pytest.approx(1e-7)}
    assert read.joints[1].maximum == pytest.approx(0.123456789, rel=1e-4) and read.joints[0].limits.jerk == 1e6
    assert not read.joints[2].invert and read.joints[2].weights["eyeWideLeft"] == -0.3
    assert read.soft_velocity == 0.5 and read.rules[0].at_most == 0.5


def test_both_have_the_same_channels() -> None:
    assert CHANNELS == head.CHANNELS

"""The example heads: their URDF is one that ROS opens, and it, their YAML and their drivers fit together."""

import xml.etree.ElementTree as ElementTree
from pathlib import Path

import numpy as np
import pytest
from cable_rig import Cable
from checkout import ROOT
from dynamixel_rig import GOAL_POSITION, SYNC_WRITE, TORQUE_ENABLE, XBus
from pca9685_rig import I2cBus
from urdf_rig import faults

from dtalker_model.blendshapes import ARKIT_NAMES
from dtalker_ros.drivers import parse_driver
from dtalker_ros.drivers.pca9685 import Pca9685Driver
from dtalker_ros.joints.driver_thread import servos_of
from dtalker_ros.joints.head import Head
from dtalker_ros.joints.head_file import read_head
from dtalker_ros.joints.mapper import JointMapper
from scripts.urdf import read_robot

pytest.importorskip("yaml", reason="pyyaml is not installed")

HEADS = {"five": 5, "fourteen": 14}
FOLDER = ROOT / "launch" / "heads"


def head(name: str) -> Head:
    return read_head(FOLDER / f"{name}.yaml")


def point(name: str, link: str, **positions: float) -> np.ndarray:
    """Where a point 5 cm before a link's origin is, in the root's frame."""
    frame = read_robot(FOLDER / f"{name}.urdf").frames(positions)[link]
    return (frame @ [0.05, 0, 0, 1])[:3]


@pytest.mark.parametrize("name", HEADS)
def test_the_urdf_is_right(name: str) -> None:
    assert faults((FOLDER / f"{name}.urdf").read_text()) == []


SOUND = (FOLDER / "five.urdf").read_text()


@pytest.mark.parametrize(
    ("before", "after", "fault"),
    [
        ('<parent link="neck"/>', '<parent link="nick"/>', "joint neck_pitch: parent is no link"),
        ('<axis xyz="0 0 1"/>', '<axis xyz="0 0 2"/>', "joint neck_yaw: its axis is no unit vector"),
        ('lower="0.0" upper="0.45" velocity="10.0"', 'lower="0.0"', "joint jaw: it lacks limits"),
        ('<link name="chin">', '<link name="neck">', "'neck' is not the name of one thing"),
        ('<material name="eye"><color rgba="0.97 0.97 0.97 1"/></material>', "", "no material eye"),
        ('<sphere radius="0.085"/>', "<sphere/>", "link head: sphere without radius"),
        ('<parent link="neck"/>', '<parent link="chin"/>', "link head hangs on itself"),
        ('<link name="base_link">', '<link name="spare"/><link name="base_link">', "expected one root"),
        ("<visual>", "<visuals>x</visuals><visual>", "visuals in link"),
    ],
)
def test_the_check_can_fail(before: str, after: str, fault: str) -> None:
    assert before in SOUND
    assert any(fault in found for found in faults(SOUND.replace(before, after, 1)))


@pytest.mark.parametrize(("name", "count"), HEADS.items())
def test_urdf_and_yaml_agree(name: str, count: int) -> None:
    joints = {j.get("name"): j for j in ElementTree.parse(FOLDER / f"{name}.urdf").getroot().iterfind("joint")}
    assert list(joints) == head(name).names and len(joints) == count
    for joint in head(name).joints:
        limit = joints[joint.name].find("limit")
        assert limit is not None
        assert float(limit.get("lower", "")) <= joint.minimum < joint.maximum <= float(limit.get("upper", ""))
        assert joint.limits.velocity <= float(limit.get("velocity", ""))
        assert joints[joint.name].get("type") == {"rad": "revolute", "m": "prismatic"}[joint.unit]


@pytest.mark.parametrize("name", HEADS)
def test_they_turn_as_poses_count(name: str) -> None:
    still = point(name, "head")
    assert point(name, "head", neck_yaw=0.3)[1] > still[1] + 0.01
    assert point(name, "head", neck_pitch=0.3)[2] < still[2] - 0.01
    assert point(name, "chin", jaw=0.3)[2] < point(name, "chin")[2] - 0.01
    if name == "fourteen":
        right = point(name, "right_eye", neck_roll=0.3) - point(name, "right_eye")
        assert right[2] < -0.005
        assert point(name, "left_eye", eye_left_yaw=0.3)[1] > point(name, "left_eye")[1] + 0.01
        assert point(name, "left_eye", eyes_pitch=0.3)[2] < point(name, "left_eye")[2] - 0.01
        assert point(name, "lower_lip", lip_lower=0.005)[2] < point(name, "lower_lip")[2] - 0.004
        assert point(name, "left_corner", corner_left=0.01)[1] > point(name, "left_corner")[1] + 0.005


@pytest.mark.parametrize("name", HEADS)
def test_an_open_mouth_opens_the_jaw(name: str) -> None:
    mapper = JointMapper(head(name))
    face = np.array([n == "jawOpen" for n in ARKIT_NAMES], float)
    for tick in range(100):
        now_ns = tick * 10_000_000
        if tick % 2 == 0:
            mapper.push_face(now_ns + 100_000_000, now_ns, face)
        command = mapper.tick(now_ns)
    assert command.positions[head(name).names.index("jaw")] == pytest.approx(0.42, abs=0.02)


def test_fourteen_dynamixels_take_it(tmp_path: Path) -> None:
    pytest.importorskip("dynamixel_sdk", reason="dynamixel-sdk is not installed")
    bus, servos = XBus(*range(1, 15)), servos_of(head("fourteen"))
    with Cable(tmp_path / "ttyUSB0", bus.take) as cable, pytest.MonkeyPatch.context() as patch:
        patch.setattr("dynamixel_sdk.port_handler.LATENCY_TIMER", 1000)
        driver = parse_driver(f"dynamixel:{cable.path}?baud=1000000")
        driver.open(servos)
        driver.torque([True] * 14)
        for place in ("minimum", "maximum"):
            driver.write(np.array([getattr(servo, place) for servo in servos]))
        cable.until(lambda: sum(body[0] == SYNC_WRITE for _, body in bus.packets) == 3)
        driver.close()
    assert all(servo.get(TORQUE_ENABLE) for servo in bus.servos.values())
    assert bus.servos[4].get(GOAL_POSITION) == 2048 + round(0.42 * 2048 / np.pi)


def test_five_hobby_servos_take_it() -> None:
    pytest.importorskip("adafruit_pca9685", reason="adafruit-circuitpython-servokit is not installed")
    bus, servos = I2cBus(), servos_of(head("five"))
    driver = Pca9685Driver(1, 0x40, open_i2c=lambda number: bus)
    driver.open(servos)
    driver.torque([True] * 5)
    driver.write(np.array([servo.maximum for servo in servos]))
    pulses = [bus.pulse_us(channel) for channel in range(5)]
    assert all(pulse is not None and 990 < pulse < 2010 for pulse in pulses)

"""The joint mapper as a process and in ours: what it publishes, its services, its driver, and its end."""

import signal
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from cable_rig import Cable
from checkout import ROOT
from maestro_rig import Maestro
from numpy.typing import NDArray
from real_time_rig import in_real_time
from ros_rig import QOS, Listener, finish, listener, rclpy, start

# isort: split

from dtalker.msg import Blendshapes, Head
from rclpy.parameter import Parameter
from sensor_msgs.msg import JointState
from std_msgs.msg import Float64MultiArray
from std_srvs.srv import Trigger
from trajectory_msgs.msg import JointTrajectory

from dtalker_ros.joints.driver import Servo
from dtalker_ros.nodes.joint_mapper_node import JointMapperNode

pytest.importorskip("ruckig", reason="needs ruckig")

__all__ = ["listener"]

HEAD = ROOT / "launch" / "heads" / "jaw.yaml"
NAMES = ["jaw", "lower_lip", "neck"]
FRAME_S = 0.02
SHUT_US, OPEN_US = 1500, 2000
BOARD_HEAD = """
joints:
  jaw:
    weights: {jawOpen: 1.0}
    range: [-1.0, 1.0]
    limits: {velocity: 5.0, acceleration: 80.0, jerk: 2500.0}
    release_after_s: never
    servo: {channel: 3, travel_deg: 114.591559}
"""
"""1 rad of a hobby servo whose pulses of 1000 to 2000 us are 2 rad apart."""
AHEAD_NS = 80_000_000
SOME_S = 2.0


class Robot:
    """What a robot hears of the mapper, and a face for the mapper to follow."""

    def __init__(self, listener: Listener) -> None:
        self.listener = listener
        self.trajectories: list[Any] = []
        self.arrivals_s: list[float] = []
        self.commands: list[Any] = []
        self.states: list[Any] = []
        node = listener.node
        node.create_subscription(JointTrajectory, "joint_trajectory", self._on_trajectory, QOS)
        node.create_subscription(Float64MultiArray, "commands", self.commands.append, QOS)
        node.create_subscription(JointState, "joint_states", self.states.append, QOS)
        self._face = node.create_publisher(Blendshapes, "blendshapes", QOS)
        self._head = node.create_publisher(Head, "head", QOS)
        self.jaw_open, self.yaw = 0.0, 0.0
        self.spoil = False
        node.create_timer(FRAME_S, self._speak)

    def _on_trajectory(self, message: Any) -> None:
        self.trajectories.append(message)
        self.arrivals_s.append(time.monotonic())

    def _speak(self) -> None:
        stamp_ns = time.time_ns() + AHEAD_NS
        face, head = Blendshapes(), Head(yaw=self.yaw)
        for message in (face, head):
            message.header.stamp.sec, message.header.stamp.nanosec = divmod(stamp_ns, 1_000_000_000)
        face.weights[Blendshapes.JAW_OPEN] = float("nan") if self.spoil else self.jaw_open
        self._face.publish(face)
        self._head.publish(head)

    def position(self) -> list[float]:
        """The newest."""
        return list(self.trajectories[-1].points[0].positions) if self.trajectories else []

    def until_at(self, *positions: float) -> None:
        """Wait until all joints are at `positions`."""
        self.listener.until(
            lambda: self.position() and np.allclose(self.position(), positions, atol=5e-3), f"{positions}"
        )


@contextmanager
def mapper(robot: Robot, **parameters: Any) -> Iterator[Any]:
    """The node as a process, ended by Ctrl-C."""
    process = start("joint_mapper_node", **parameters)
    try:
        robot.listener.until(lambda: robot.trajectories or process.poll() is not None, "the joint mapper")
        yield process
    except BaseException:
        process.kill()
        print(process.communicate())
        raise


def test_a_face_moves_joints_until_ctrl_c(listener: Listener, tmp_path: Path) -> None:
    robot, path = Robot(listener), tmp_path / "head.yaml"
    path.write_text(HEAD.read_text().replace("release_after_s: 2.0", "release_after_s: never"))
    with mapper(robot, head=str(path), outputs=["trajectory", "commands", "states"]) as process:
        robot.jaw_open, robot.yaw = 0.3, 0.5
        robot.until_at(0.13 + 0.27 * (0.135 - 0.1) / 0.35, 0.0, 0.5)
        message = robot.trajectories[-1]
        assert message.joint_names == NAMES and len(message.points) == 1
        assert (message.points[0].time_from_start.sec, message.points[0].time_from_start.nanosec) == (0, 10_000_000)
        assert robot.states[-1].name == NAMES
        assert list(robot.commands[-1].data) == pytest.approx(robot.position(), abs=0.05)
        robot.spoil = True
        listener.logged("blendshapes: NaN or infinite values: such frames move no joint")
        robot.spoil = False
        robot.until_at(0.157, 0.0, 0.5)
        assert listener.call(Trigger, "joint_mapper/estop").success
        robot.until_at(0.0, 0.0, 0.0)
        listener.until(lambda: (1, "stopped until it is resumed") in _levels(listener), "a warning")
        assert listener.call(Trigger, "joint_mapper/resume").message == "going on"
        robot.until_at(0.157, 0.0, 0.5)
        code, output = finish(process, signal.SIGINT)
        assert code == 0 and "Traceback" not in output, output
        robot.until_at(0.0, 0.0, 0.0)
    steps = np.abs(np.diff([list(t.points[0].positions) for t in robot.trajectories], axis=0)).max(0) / 0.01
    assert (steps <= np.array([5.0, 4.0, 2.0]) * 1.001).all(), "also on its way to the end"


def _levels(listener: Listener) -> list[tuple[int, str]]:
    return [(int(level), text) for level, text in listener.statuses]


@in_real_time
def test_a_hundred_positions_a_second_from_fifty_frames(listener: Listener) -> None:
    robot = Robot(listener)
    with mapper(robot, head=str(HEAD)) as process:
        listener.until(lambda: len(robot.trajectories) > 20, "some positions")
        begun = len(robot.trajectories)
        end_s = robot.arrivals_s[-1] + SOME_S
        listener.until(lambda: robot.arrivals_s[-1] > end_s, "two seconds of positions")
        count = len(robot.trajectories) - begun
        finish(process, signal.SIGTERM)
    assert count == pytest.approx(100 * SOME_S, rel=0.1)


class Servos:
    """A driver that remembers what it was told."""

    label = "servos:0"

    def __init__(self) -> None:
        self.names: list[str] = []
        self.written: list[list[float]] = []
        self.on: tuple[bool, ...] = ()
        self.closed = False

    def open(self, servos: Sequence[Servo]) -> None:
        self.names = [servo.name for servo in servos]

    def read(self) -> NDArray[np.float64]:
        return np.array([0.2, 0.0, 0.0])

    def torque(self, on: Sequence[bool]) -> None:
        self.on = tuple(on)

    def write(self, positions: NDArray[np.float64]) -> None:
        self.written.append(positions.tolist())

    def close(self) -> None:
        self.closed = True


def test_a_driver_is_told_and_left_without_torque(listener: Listener) -> None:
    servos = Servos()
    context = rclpy.Context()
    context.init()
    values = {"head": str(HEAD), "driver": "servos:0", "outputs": [""]}
    node = JointMapperNode(
        lambda text: servos,
        context=context,
        parameter_overrides=[Parameter(name, value=value) for name, value in values.items()],
    )
    try:
        assert servos.names == NAMES
        node.tick()
        listener.until(lambda: servos.on == (True, True, True) and servos.written, "torque")
        assert servos.written[0] == pytest.approx([0.2, 0.0, 0.0], abs=1e-3), "it begins where the servos stand"
        node.close()
        assert servos.written[-1] == pytest.approx([0.0, 0.0, 0.0]) and servos.on == (False, False, False)
        assert servos.closed
        steps = np.abs(np.diff(servos.written, axis=0)).max(0) / 0.01
        assert steps[0] > 0.0
    finally:
        node.destroy_node()
        context.try_shutdown()


def test_a_board_is_driven_unplugged_and_plugged_in_again(listener: Listener, tmp_path: Path) -> None:
    pytest.importorskip("serial", reason="needs pyserial")
    robot, path, board = Robot(listener), tmp_path / "head.yaml", Maestro()
    path.write_text(BOARD_HEAD)
    with Cable(tmp_path / "ttyACM0", board.take) as cable:
        with mapper(robot, head=str(path), driver=f"maestro:{cable.path}") as process:
            robot.jaw_open = 1.0
            listener.until(lambda: board.targets[3] == 4 * OPEN_US, "pulses of OPEN_US")
            cable.unplug()
            listener.logged("trying again every second")
            cable.plug()
            listener.logged("is back")
            robot.jaw_open = 0.0
            listener.until(lambda: board.targets[3] == 4 * SHUT_US, "pulses of SHUT_US")
            robot.jaw_open = 1.0
            listener.until(lambda: board.targets[3] == 4 * OPEN_US, "pulses of OPEN_US")
            count = len(board.commands)
            code, output = finish(process, signal.SIGINT)
        assert code == 0 and "Traceback" not in output, output
        assert output.count("trying again every second") == 1
        assert board.targets[3] == 0, "no pulses, no torque"
        last = [command[2] | command[3] << 7 for command in board.commands[count:]]
        assert last[-2] == 4 * SHUT_US, "and neutral before"
        assert max(np.abs(np.diff(last[:-1]))) <= 4 * (OPEN_US - SHUT_US) * 0.3 * 5.0 / 100.0 + 1, "within limits"


@pytest.mark.parametrize(
    ("parameters", "error"),
    [
        ({}, "head: names no file"),
        ({"head": "none.yaml"}, "head: cannot read none.yaml"),
        ({"head": str(HEAD), "outputs": ["trajectories"]}, "received 'trajectories' (did you mean trajectory?)"),
    ],
)
def test_what_is_wrong_is_one_line(parameters: dict[str, Any], error: str) -> None:
    code, output = finish(start("joint_mapper_node", **parameters))
    assert code == 1 and error in output and "Traceback" not in output


def test_an_empty_list_publishes_nothing(listener: Listener) -> None:
    process = start("joint_mapper_node", options=["-p", "outputs:=[]"], head=str(HEAD))
    listener.until(lambda: process.poll() is not None or "joint_mapper" in listener.node.get_node_names(), "the node")
    topics = [name for name, _ in listener.node.get_publisher_names_and_types_by_node("joint_mapper", "/")]
    code, output = finish(process, signal.SIGINT)
    assert code == 0 and "/joint_trajectory" not in topics, output
    code, output = finish(start("joint_mapper_node", options=["-p", "head:=[]"]))
    assert code == 1 and "head: received an empty list" in output and "Traceback" not in output


def test_a_wrong_head_is_one_line(tmp_path: Path) -> None:
    path = tmp_path / "head.yaml"
    path.write_text(HEAD.read_text().replace("jawOpen", "jawOpn"))
    code, output = finish(start("joint_mapper_node", head=str(path)))
    assert code == 1
    assert "head.yaml: joint jaw: weights: no blendshape and no part of a pose: 'jawOpn' (did you mean" in output

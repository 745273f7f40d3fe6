"""The command that calibrates a head, with servos that remember and a camera that sees a rendered head."""

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from face_camera_rig import RenderedHead
from numpy.typing import NDArray
from ros_rig import finish, rclpy, start

# isort: split

from rclpy.parameter import Parameter

from dtalker_ros.joints.driver import DriverError, Servo
from dtalker_ros.joints.head_file import read_head
from dtalker_ros.nodes.calibrate_head import CalibrateHeadNode

for module in ("ruckig", "scipy", "yaml"):
    pytest.importorskip(module, reason=f"{module} is not installed")

YAML = """
soft_velocity: 1.0
joints:
  jaw: {weights: {jawOpen: 0.1}, range: [0.0, 0.4], limits: &fast {velocity: 50.0, acceleration: 5e3, jerk: 1e7}}
  ear: {weights: {jawOpen: 0.1}, range: [-0.2, 0.2], limits: *fast, servo: {id: 9}}
"""


class Robot(RenderedHead):
    """Servos and, before the face that they move, a camera."""

    label = "robot:0"

    def __init__(self) -> None:
        super().__init__(["jaw", "ear"], {"jaw": {"jawOpen": 2.5}})
        self.on: tuple[bool, ...] = ()
        self.lowest = self.highest = np.zeros(2)
        self.unplugged_at = 1e9
        self.stop = threading.Event()

    def open(self, servos: Sequence[Servo]) -> None:
        assert [servo.name for servo in servos] == ["jaw", "ear"]

    def read(self) -> NDArray[np.float64]:
        return np.array([0.1, 0.0])

    def torque(self, on: Sequence[bool]) -> None:
        self.on = tuple(on)

    def write(self, positions: NDArray[np.float64]) -> None:
        if positions[0] > self.unplugged_at:
            raise DriverError("the cable is gone")
        self.lowest, self.highest = np.minimum(self.lowest, positions), np.maximum(self.highest, positions)
        self.move(positions)

    def look(self) -> NDArray[np.float64] | None:
        if self.looks == 30:
            self.stop.set()
        return super().look()


@contextmanager
def node(robot: Robot, folder: Path) -> Iterator[CalibrateHeadNode]:
    (folder / "head.yaml").write_text(YAML)
    values = {"head": str(folder / "head.yaml"), "out": str(folder / "out.yaml"), "driver": "robot:0"}
    values |= {"settle_ms": 20.0, "steps": 10, "looks": 2}  # type: ignore[dict-item]
    context = rclpy.Context()
    context.init()
    made = CalibrateHeadNode(
        lambda text: robot,
        lambda values: robot,
        context=context,
        parameter_overrides=[Parameter(name, value=value) for name, value in values.items()],
    )
    try:
        yield made
    finally:
        made.destroy_node()
        context.try_shutdown()


def test_a_head_is_calibrated(tmp_path: Path) -> None:
    robot = Robot()
    with node(robot, tmp_path) as made:
        assert made.run(threading.Event()) == 1, "a joint was refused"
    jaw, ear = read_head(tmp_path / "out.yaml").joints
    assert jaw.weights == {"jawOpen": pytest.approx(0.4, rel=0.05)}
    assert ear.weights == {"jawOpen": 0.1} and ear.servo == {"id": 9}
    assert "Not calibrated: it does not move the face" in (tmp_path / "out.yaml").read_text()
    assert robot.lowest == pytest.approx([0.0, -0.2]) and robot.highest == pytest.approx([0.4, 0.2])
    assert robot.positions == pytest.approx([0, 0]) and robot.on == (False, False)


def test_an_interruption_leads_home_and_writes_nothing(tmp_path: Path) -> None:
    robot = Robot()
    with node(robot, tmp_path) as made:
        assert made.run(robot.stop) == 1
    assert 30 <= robot.looks < 40
    assert robot.positions == pytest.approx([0, 0]) and robot.on == (False, False)
    assert not (tmp_path / "out.yaml").exists()


def test_a_pulled_cable_ends_it(tmp_path: Path) -> None:
    robot = Robot()
    robot.unplugged_at = 0.2
    with node(robot, tmp_path) as made:
        assert made.run(threading.Event()) == 1
    assert robot.highest[0] <= 0.2 and not (tmp_path / "out.yaml").exists()


@pytest.mark.parametrize(
    ("parameters", "error"),
    [
        ({"out": "head.yaml"}, "out: expected another file than head"),
        ({"out": "none/out.yaml"}, "cannot write none/out.yaml"),
        ({"out": "out.yaml", "outputs": ["all"]}, "outputs: received 'all'; known: trajectory"),
    ],
)
def test_what_is_wrong_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, parameters: dict[str, Any], error: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("head.yaml").write_text(YAML)
    code, output = finish(
        start("calibrate_head", {"PYTHONPATH": ":".join(__import__("sys").path)}, head="head.yaml", **parameters)
    )
    assert code == 1 and error in output and "Traceback" not in output

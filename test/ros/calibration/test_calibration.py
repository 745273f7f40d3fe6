"""A head's map from what a camera sees of it."""

import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest
from face_camera_rig import RenderedHead

from dtalker_model.blendshapes import ARKIT_NAMES
from dtalker_model.errors import DtalkerError
from dtalker_model.joint_maps import CHANNELS
from dtalker_ros.calibration.face_camera import OpenCvCamera, seen, turn
from dtalker_ros.calibration.found_map import Found, calibrated_text, find
from dtalker_ros.calibration.sweep import record
from dtalker_ros.joints.head import Head, HeatModel, Joint, Limits, Rule
from dtalker_ros.joints.head_file import parse_head

pytest.importorskip("scipy", reason="scipy is not installed")

LIMITS = Limits(5.0, 50.0, 1000.0)
GUESS = {"jawOpen": 1.0}
HEAD = Head(
    (
        Joint("jaw", GUESS, 0.0, 0.0, 0.45, LIMITS, heat=HeatModel(), servo={"id": 3}, lead_s=0.05),
        Joint("lip", GUESS, 0.0, 0.0, 0.01, LIMITS, unit="m", release_after_s=None),
        Joint("lid", GUESS, 0.9, 0.0, 0.9, LIMITS, invert=True),
        Joint("left brow", GUESS, 0.0, -0.3, 0.3, LIMITS),
        Joint("ear", {"mouthPucker": 0.1}, 0.0, -1.0, 1.0, LIMITS, curve=((-1.0, -0.5), (1.0, 0.5))),
    ),
    (Rule("lip against jaw", {"jaw": 0.01, "lip": 1.0}, 0.02),),
    place="robot.yaml",
)
MOVES = {
    "jaw": {"jawOpen": 1 / 0.45},
    "lip": {"mouthLowerDownLeft": 80.0, "mouthLowerDownRight": 80.0},
    "lid": {"eyeBlinkLeft": 1.0, "eyeBlinkRight": 1.0},
    "left brow": {"browOuterUpLeft": 2.5, "browDownLeft": -2.0},
}
TRUE = {
    "jaw": {"jawOpen": 0.45},
    "lip": {"mouthLowerDownLeft": 1 / 160, "mouthLowerDownRight": 1 / 160},
    "lid": {"eyeBlinkLeft": 0.5, "eyeBlinkRight": 0.5},
    "left brow": {"browOuterUpLeft": 0.4, "browDownLeft": -0.5},
}


class Lids(RenderedHead):
    """Lids are closed at 0 and open at 0.9, where they rest."""

    def move(self, positions: np.ndarray) -> None:
        super().move(positions)
        self.positions[2] = 0.9 - self.positions[2]


@pytest.fixture(scope="module")
def found() -> Found:
    robot = Lids(HEAD.names, MOVES)
    return find(HEAD, record(HEAD, robot.move, robot, steps=13, looks=4, tell=lambda text: None))


@pytest.mark.parametrize("name", TRUE)
def test_the_map_of_a_rendered_head_is_found(found: Found, name: str) -> None:
    joint = HEAD.joints[HEAD.names.index(name)]
    sign = -1 if name == "lid" else 1
    rng = np.random.default_rng(1)
    faces = rng.random((200, len(CHANNELS))) * rng.integers(0, 2, (200, len(CHANNELS)))
    wanted = joint.neutral + sign * faces @ [TRUE[name].get(channel, 0.0) for channel in CHANNELS]
    errors = found.maps[name].positions(CHANNELS, faces) - wanted
    assert np.abs(errors).max() < 0.05 * (joint.maximum - joint.minimum)
    assert found.maps[name].weights.keys() == TRUE[name].keys()


def test_a_joint_that_does_not_move_the_face_is_refused(found: Found) -> None:
    assert list(found.refused) == ["ear"] and "does not move the face" in found.refused["ear"]


def test_the_yaml_has_the_maps_and_keeps_the_rest(found: Found) -> None:
    text = calibrated_text(HEAD, found)
    read = parse_head(text, HEAD.place)
    assert read.names == HEAD.names and read.rules == HEAD.rules
    for new, old in zip(read.joints, HEAD.joints):
        assert (new.minimum, new.maximum, new.neutral, new.unit) == (old.minimum, old.maximum, old.neutral, old.unit)
        assert (new.limits, new.heat, new.servo, new.lead_s) == (old.limits, old.heat, old.servo, old.lead_s)
        assert new.release_after_s == old.release_after_s
    jaw, _, lid, brow, ear = read.joints
    assert jaw.weights["jawOpen"] == pytest.approx(0.45, rel=0.05) and not jaw.invert
    assert lid.invert and all(weight > 0 for weight in lid.weights.values())
    assert brow.weights["browDownLeft"] < 0
    assert ear == HEAD.joints[-1] and "# Not calibrated: it does not move the face" in text


def test_without_a_face_nothing_is_moved_on() -> None:
    robot = Lids(HEAD.names, MOVES)
    robot.hidden = True
    with pytest.raises(DtalkerError, match="no face is seen at rest"):
        record(HEAD, robot.move, robot, steps=5, looks=2, tell=lambda text: None)
    assert robot.positions.tolist() == [0, 0, 0, 0, 0]


def test_a_joint_that_hides_the_face_is_refused() -> None:
    robot = Lids(HEAD.names, MOVES)
    told: list[str] = []

    def move(positions: np.ndarray) -> None:
        robot.move(positions)
        robot.hidden = abs(positions[4]) > 0.2

    recording = record(HEAD, move, robot, steps=12, looks=1, tell=told.append)
    assert "no face was seen at 20 of 24 positions" in find(HEAD, recording).refused["ear"]
    assert told[0] == "joint jaw (1 of 5)" and len(told) == 5


def rotation(yaw: float, pitch: float, roll: float) -> np.ndarray:
    """In a camera's axes, from turns about those of REP 103 one after the other."""
    cos, sin = np.cos, np.sin
    about_z = np.array([[cos(yaw), -sin(yaw), 0], [sin(yaw), cos(yaw), 0], [0, 0, 1]])
    about_y = np.array([[cos(pitch), 0, sin(pitch)], [0, 1, 0], [-sin(pitch), 0, cos(pitch)]])
    about_x = np.array([[1, 0, 0], [0, cos(roll), -sin(roll)], [0, sin(roll), cos(roll)]])
    camera = np.array([[0, 1, 0], [0, 0, 1], [1, 0, 0]])
    return camera @ about_z @ about_y @ about_x @ camera.T


def test_a_pose_is_counted_as_heads_count() -> None:
    assert turn(rotation(0.3, -0.2, 0.1)) == pytest.approx((0.3, -0.2, 0.1))
    nose = rotation(0.3, 0, 0) @ [0, 0, 1]
    assert nose[0] > 0  # to the character's own left is to the viewer's right


def result(**scores: float) -> SimpleNamespace:
    """What MediaPipe's landmarker returns."""
    matrix = np.eye(4)
    matrix[:3, :3] = rotation(0.1, 0.2, 0.3)
    categories = [
        SimpleNamespace(category_name=name, score=score) for name, score in {"_neutral": 0.9, **scores}.items()
    ]
    return SimpleNamespace(face_blendshapes=[categories], facial_transformation_matrixes=[matrix])


def test_what_the_landmarker_sees_are_channels() -> None:
    channels = seen(result(jawOpen=0.4, eyeBlinkLeft=0.1))
    assert channels is not None
    face = dict(zip(CHANNELS, channels))
    assert (face["jawOpen"], face["eyeBlinkLeft"]) == (0.4, 0.1) and sum(channels[: len(ARKIT_NAMES)]) == 0.5
    assert [face[name] for name in ("yaw", "pitch", "roll")] == pytest.approx([0.1, 0.2, 0.3])
    assert seen(SimpleNamespace(face_blendshapes=[])) is None


class Capture:
    """OpenCV's, of two pictures."""

    def __init__(self, source: object) -> None:
        self.source, self.left, self.grabbed = source, 2, 0

    def isOpened(self) -> bool:
        return self.source != 7

    def grab(self) -> None:
        self.grabbed += 1

    def read(self) -> tuple[bool, str]:
        self.left -= 1
        return self.left >= 0, "bgr"

    def release(self) -> None:
        self.source = None


@pytest.fixture
def libraries(monkeypatch: pytest.MonkeyPatch) -> None:
    """Stand-ins with the calls that OpenCV and MediaPipe document."""
    landmarker = SimpleNamespace(detect=lambda image: result(jawOpen=float(image == "rgb")), close=lambda: None)
    vision = SimpleNamespace(
        FaceLandmarkerOptions=lambda **options: options,
        FaceLandmarker=SimpleNamespace(create_from_options=lambda options: landmarker),
    )
    modules = {
        "cv2": SimpleNamespace(VideoCapture=Capture, cvtColor=lambda picture, way: "rgb", COLOR_BGR2RGB=4),
        "mediapipe": SimpleNamespace(
            Image=lambda image_format, data: data, ImageFormat=SimpleNamespace(SRGB=1), __path__=[]
        ),
        "mediapipe.tasks": ModuleType("tasks"),
        "mediapipe.tasks.python": SimpleNamespace(vision=vision, BaseOptions=lambda model_asset_path: None),
    }
    for name, module in modules.items():
        monkeypatch.setitem(sys.modules, name, module)


def test_a_camera_is_looked_through(tmp_path: Path, libraries: None) -> None:
    model = tmp_path / "face_landmarker.task"
    with pytest.raises(DtalkerError, match=r"download face_landmarker\.task"):
        OpenCvCamera("0", model)
    model.touch()
    with pytest.raises(DtalkerError, match="cannot open camera 7"):
        OpenCvCamera("7", model)
    camera = OpenCvCamera("0", model)
    face = camera.look()
    assert face is not None and face[CHANNELS.index("jawOpen")] == 1
    camera.look()
    with pytest.raises(DtalkerError, match="no more pictures"):
        camera.look()
    camera.close()
    camera.close()


@pytest.mark.parametrize("module", ["cv2", "mediapipe"])
def test_a_missing_library_is_said(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, libraries: None, module: str
) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(DtalkerError, match="calibrate_head needs the Python package"):
        OpenCvCamera("0", tmp_path / "face_landmarker.task")

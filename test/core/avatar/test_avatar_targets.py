"""Every one of the 52 morph targets does what its ARKit name says, by the displacement of landmarks.

x is the character's left, y up, z forward. A rule is (landmark, axis, least way in mm): a negative way is at most that.
Rules of left targets hold mirrored for their right partners.
"""

import numpy as np
import pytest
from glb_rig import landmarks, moved, part, posed

from dtalker_model.blendshapes import ARKIT_NAMES

AXES = {"x": 0, "y": 1, "z": 2}
STILL_MM = 1.2
Rule = tuple[str, str, float]

RULES: dict[str, list[Rule]] = {
    "eyeBlinkLeft": [("lashL", "y", -15.0)],
    "eyeLookDownLeft": [("lashL", "y", -3.0)],
    "eyeLookInLeft": [("lashL", "x", -0.8)],
    "eyeLookOutLeft": [("lashL", "x", 0.8)],
    "eyeLookUpLeft": [("lashL", "y", 2.0)],
    "eyeSquintLeft": [("lower_lidL", "y", 4.0), ("lashL", "y", -2.0)],
    "eyeWideLeft": [("lashL", "y", 3.0), ("lower_lidL", "y", -0.8)],
    "jawForward": [("chin", "z", 7.0), ("lower", "z", 4.0)],
    "jawLeft": [("chin", "x", 6.0), ("lower", "x", 4.0)],
    "jawOpen": [("chin", "y", -12.0), ("lower", "y", -20.0), ("cornerL", "y", -5.0)],
    "mouthClose": [("lower", "y", 12.0), ("upper", "y", -5.0)],
    "mouthFunnel": [
        ("cornerL", "x", -5.0),
        ("upper", "y", 4.0),
        ("lower", "y", -5.0),
        ("upper", "z", 6.0),
        ("lower", "z", 6.0),
    ],
    "mouthPucker": [("cornerL", "x", -7.0), ("cornerR", "x", 7.0), ("upper", "z", 8.0), ("lower", "z", 8.0)],
    "mouthLeft": [("upper", "x", 7.0), ("lower", "x", 7.0), ("cornerL", "x", 7.0), ("cornerR", "x", 7.0)],
    "mouthSmileLeft": [("cornerL", "y", 8.0), ("cornerL", "x", 5.0), ("cheekL", "y", 2.0)],
    "mouthFrownLeft": [("cornerL", "y", -7.0)],
    "mouthDimpleLeft": [("cornerL", "x", 4.0), ("cornerL", "z", -5.0)],
    "mouthStretchLeft": [("cornerL", "x", 8.0), ("cornerL", "y", -2.0)],
    "mouthRollLower": [("lower", "z", -2.0), ("lower_border", "y", 3.0)],
    "mouthRollUpper": [("upper", "z", -2.0), ("upper_border", "y", -2.5)],
    "mouthShrugLower": [("lower", "y", 3.5), ("lower", "z", 1.5), ("chin", "y", 3.0)],
    "mouthShrugUpper": [("upper_border", "y", 3.0), ("upper", "z", 2.0)],
    "mouthPressLeft": [("cornerL", "z", -1.5), ("upper_border", "y", -0.8), ("lower_border", "y", 0.8)],
    "mouthLowerDownLeft": [("lower_sideL", "y", -6.0)],
    "mouthUpperUpLeft": [("upper_sideL", "y", 5.5)],
    "browDownLeft": [("brow_inL", "y", -3.0), ("brow_inL", "x", -0.5), ("brow_outL", "y", -0.4)],
    "browInnerUp": [("brow_inL", "y", 4.0), ("brow_inR", "y", 4.0)],
    "browOuterUpLeft": [("brow_outL", "y", 4.0)],
    "cheekPuff": [("puffL", "x", 5.0), ("puffL", "z", 6.0), ("puffR", "x", -5.0), ("puffR", "z", 6.0)],
    "cheekSquintLeft": [("cheekL", "y", 3.0), ("lower_lidL", "y", 3.0)],
    "noseSneerLeft": [("wingL", "y", 4.0)],
    "tongueOut": [("lower", "y", -4.0), ("upper", "y", 1.0)],
}

STILL = {
    "eye": ["upper", "lower", "cornerL", "cornerR", "brow_inR", "lashR", "lower_lidR", "nose", "forehead"],
    "jaw": ["forehead", "nose", "lashL", "lashR", "brow_inL", "brow_outR"],
    "mouth": ["forehead", "lashL", "lashR", "brow_inL", "brow_outL"],
    "brow": ["upper", "lower", "cornerL", "cornerR", "chin", "nose", "lower_lidL", "lower_lidR"],
    "cheek": ["forehead", "brow_inL", "brow_outL", "lashL", "lashR"],
    "nose": ["lower", "chin", "lashL", "brow_outL", "wingR", "cheekR", "cornerR", "brow_inR"],
    "tongue": ["forehead", "nose", "lashL", "lashR", "cornerL"],
}
"""By the first word of the target: what must not move more than STILL_MM. Of a right target, the mirror image."""

OTHER_SIDE = ["cornerR", "cheekR", "lashR", "lower_lidR", "brow_outR", "wingR", "upper_sideR", "lower_sideR"]
"""What a left target (but the shifts of the whole jaw and mouth) must leave alone."""


def mirrored(landmark: str) -> str:
    side = {"L": "R", "R": "L"}.get(landmark[-1])
    return landmark[:-1] + side if side else landmark


def rules(target: str) -> list[Rule]:
    """The rules of a target, made from its left partner's where it is a right one."""
    if not target.endswith("Right"):
        return RULES[target]
    left = RULES[target.replace("Right", "Left")]
    return [(mirrored(landmark), axis, -least if axis == "x" else least) for landmark, axis, least in left]


def still(target: str) -> list[str]:
    """Landmarks that a target leaves alone."""
    names = STILL[next(word for word in STILL if target.startswith(word))]
    if target.endswith(("Left", "Right")) and target not in ("jawLeft", "jawRight", "mouthLeft", "mouthRight"):
        names = sorted({*names, *OTHER_SIDE})
    return [mirrored(name) for name in names] if target.endswith("Right") else names


def test_every_target_has_rules() -> None:
    covered = {name for name in ARKIT_NAMES if name.replace("Right", "Left") in RULES}
    assert covered == set(ARKIT_NAMES) == set(part("Face").targets)


@pytest.mark.parametrize("target", ARKIT_NAMES)
def test_target_moves_as_named(target: str) -> None:
    for landmark, axis, least in rules(target):
        way = float(moved(target, landmark)[AXES[axis]])
        assert way * np.sign(least) >= abs(least), (landmark, axis, way)


@pytest.mark.parametrize("target", ARKIT_NAMES)
def test_target_leaves_the_rest_alone(target: str) -> None:
    ways = {name: float(np.linalg.norm(moved(target, name))) for name in still(target)}
    assert {name: way for name, way in ways.items() if way > STILL_MM} == {}


def test_pucker_is_narrower_than_funnel_and_closed() -> None:
    width = {name: posed("Face", **{name: 1.0})[landmarks()["cornerL"], 0] for name in ("mouthPucker", "mouthFunnel")}
    gap = {}
    for name in width:
        points = posed("Face", **{name: 1.0})
        gap[name] = points[landmarks()["upper"], 1] - points[landmarks()["lower"], 1]
    assert width["mouthPucker"] < width["mouthFunnel"] < part("Face").points[landmarks()["cornerL"], 0]
    assert gap["mouthPucker"] < 0.5 < 8.0 < gap["mouthFunnel"]


@pytest.mark.parametrize("side", ["Left", "Right"])
def test_eyes_turn(side: str) -> None:
    eye = part(f"Eye{side}")
    pupil = int(np.argmax(eye.points[:, 2]))
    out = 1.0 if side == "Left" else -1.0
    ways = {name: way[pupil] for name, way in eye.targets.items()}
    assert ways[f"eyeLookIn{side}"][0] * out < -9.0  # towards the nose
    assert ways[f"eyeLookOut{side}"][0] * out > 9.0
    assert ways[f"eyeLookUp{side}"][1] > 7.0
    assert ways[f"eyeLookDown{side}"][1] < -7.0
    centre = eye.points.mean(axis=0) * [1, 1, 0] + [0, 0, eye.points[pupil, 2] - 27.2 * 1.1]
    for way in eye.targets.values():
        radius = np.linalg.norm(eye.points + way - centre, axis=1)
        assert np.ptp(radius) < 0.2  # it turns: still a ball around the same centre


def test_brow_bars_follow() -> None:
    brows = part("Brows")
    left = brows.points[:, 0] > 0
    inner = left & (brows.points[:, 0] < 22.0)
    outer = left & (brows.points[:, 0] > 48.0)
    assert set(brows.targets) == {name for name in ARKIT_NAMES if name.startswith("brow")}
    assert brows.targets["browDownLeft"][inner, 1].max() < -4.0
    assert brows.targets["browInnerUp"][inner, 1].min() > 4.0
    assert brows.targets["browOuterUpLeft"][outer, 1].min() > 4.0
    for name in ("browDownLeft", "browOuterUpLeft"):
        assert np.abs(brows.targets[name][~left]).max() < 0.5


def test_teeth_and_tongue_follow_the_jaw() -> None:
    teeth, tongue = part("TeethLower"), part("Tongue")
    for mesh in (teeth, tongue):
        assert mesh.targets["jawOpen"][:, 1].mean() < -8.0
        assert mesh.targets["jawLeft"][:, 0].min() > 5.0 > -5.0 > mesh.targets["jawRight"][:, 0].max()
        assert mesh.targets["jawForward"][:, 2].min() > 5.0
    assert part("TeethUpper").targets == {}


def test_the_tongue_comes_out() -> None:
    lips = landmarks()["lower"]
    hidden, shown = part("Tongue").points[:, 2].max(), posed("Tongue", tongueOut=1.0)[:, 2].max()
    assert hidden < part("Face").points[lips, 2] - 2.0
    assert shown > posed("Face", tongueOut=1.0)[lips, 2] + 12.0

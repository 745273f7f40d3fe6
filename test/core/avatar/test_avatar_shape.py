"""The head holds together: mirror images, closed lips and lids, nothing pokes through."""

import itertools

import numpy as np
import pytest
from glb_rig import Array, landmarks, part, posed, rest

from dtalker_model.avatar.shape import eyelids, mouth
from dtalker_model.blendshapes import ARKIT_NAMES

FLIP = np.array([-1.0, 1.0, 1.0])
MIRROR_MM = 0.005
TOUCH_MM = 0.1
CROSS_MM = 0.4
SEALED = [name for name in ARKIT_NAMES if name.startswith(("mouthPress", "mouthRoll", "mouthShrug", "mouthSmile"))]
SEALED += ["mouthFrownLeft", "mouthDimpleLeft", "mouthStretchLeft", "mouthLeft", "mouthPucker", "jawForward", "jawLeft"]
BALL_MM = eyelids.BALL_RADIUS * 1.1


def partner_target(name: str) -> str:
    return name.replace("Left", "Right") if "Left" in name else name.replace("Right", "Left")


def lip_edges(points: Array) -> tuple[Array, Array]:
    """(COLUMNS / 2 + 1, 3) the upper and the lower lip's edge, column by column above each other."""
    edge = points[rest().mouth[mouth.EDGE_RING]]
    half = mouth.COLUMNS // 2
    return edge[: half + 1], edge[-np.arange(half + 1)]


def lid_edges(points: Array, side: str) -> tuple[Array, Array]:
    """The upper and the lower lid's edge of one eye."""
    lids = rest().left_lids if side == "Left" else rest().right_lids
    edge = points[lids[eyelids.EDGE_RING]]
    half = eyelids.COLUMNS // 2
    return edge[: half + 1], edge[-np.arange(half + 1)]


def test_numbering_of_file_and_generator_agree() -> None:
    drawn = (rest().points - [0.0, 22.0, 0.0]) * 1.1
    assert np.abs(part("Face").points - drawn).max() < MIRROR_MM


def test_nothing_is_nan_or_far_away() -> None:
    for name in ("Face", "Brows", "EyeLeft", "EyeRight", "TeethUpper", "TeethLower", "Tongue", "Shell", "Trim"):
        mesh = part(name)
        assert np.isfinite(mesh.points).all() and np.isfinite(mesh.normals).all()
        assert np.allclose(np.linalg.norm(mesh.normals, axis=1), 1.0, atol=1e-5)
        for way, turn in zip(mesh.targets.values(), mesh.target_normals.values()):
            assert np.isfinite(way).all() and np.isfinite(turn).all()
            assert np.abs(way).max() < 60.0 and np.abs(turn).max() <= 2.0


def test_rest_is_symmetric() -> None:
    points = part("Face").points
    assert np.abs(points[rest().partner] * FLIP - points).max() < MIRROR_MM


@pytest.mark.parametrize("target", ARKIT_NAMES)
def test_targets_are_mirror_images(target: str) -> None:
    ways = part("Face").targets
    image = ways[partner_target(target)][rest().partner] * FLIP
    assert np.abs(image - ways[target]).max() < 0.03  # points below the file's threshold are left out on one side


def test_the_skin_is_one_closed_surface() -> None:
    """Every edge has two faces, but along the hidden rim and inside the lids."""
    triangles = part("Face").triangles
    edges = np.concatenate([triangles[:, [0, 1]], triangles[:, [1, 2]], triangles[:, [2, 0]]]).tolist()
    present = set(map(tuple, edges))
    assert len(present) == len(edges)
    open_ends = {start for start, end in present if (end, start) not in present}
    hidden = {*rest().left_lids[-1].tolist(), *rest().right_lids[-1].tolist()}
    rim = open_ends - hidden
    assert hidden <= open_ends and len(rim) == 64
    assert part("Face").points[sorted(rim), 2].max() < 70.0


def test_lips_are_closed_at_rest() -> None:
    upper, lower = lip_edges(part("Face").points)
    assert np.abs(upper - lower).max() < TOUCH_MM


def test_the_open_jaw_opens_the_mouth() -> None:
    upper, lower = lip_edges(posed("Face", jawOpen=1.0))
    assert (upper - lower)[mouth.COLUMNS // 4, 1] > 20.0


@pytest.mark.parametrize("amount", [0.25, 0.5, 1.0])
def test_mouth_close_closes_the_open_jaw(amount: float) -> None:
    points = posed("Face", jawOpen=amount, mouthClose=amount)
    upper, lower = lip_edges(points)
    assert np.abs(upper - lower).max() < TOUCH_MM
    way = points[landmarks()["chin"]] - part("Face").points[landmarks()["chin"]]
    assert way[1] < -10.0 * amount  # the jaw is still down


@pytest.mark.parametrize("target", SEALED)
def test_closed_shapes_stay_closed(target: str) -> None:
    upper, lower = lip_edges(posed("Face", **{target: 1.0}))
    assert (upper - lower)[:, 1].min() > -CROSS_MM
    assert (upper - lower)[:, 1].max() < 2.5


@pytest.mark.parametrize("pair", list(itertools.combinations(["mouthPress", "mouthRollLower", "mouthRollUpper"], 2)))
def test_lips_do_not_cross_when_pressed(pair: tuple[str, str]) -> None:
    names = [f"{name}{side}" for name in pair for side in (["Left", "Right"] if name == "mouthPress" else [""])]
    points = posed("Face", **dict.fromkeys(names, 1.0))
    upper, lower = lip_edges(points)
    assert (upper - lower)[:, 1].min() > -CROSS_MM
    border = points[rest().mouth[mouth.BORDER_RING]]
    half = mouth.COLUMNS // 2
    between = border[3 : half - 2] - border[-np.arange(3, half - 2)]
    assert between[:, 1].min() > -CROSS_MM


@pytest.mark.parametrize("side", ["Left", "Right"])
def test_blink_closes_fully(side: str) -> None:
    opened, closed = part("Face").points, posed("Face", **{f"eyeBlink{side}": 1.0})
    upper, lower = lid_edges(opened, side)
    assert (upper - lower)[eyelids.COLUMNS // 4, 1] > 20.0
    upper, lower = lid_edges(closed, side)
    assert np.abs(upper - lower).max() < 0.3
    assert np.abs(closed - opened)[rest().mouth].max() == 0.0


@pytest.mark.parametrize("amount", [0.0, 0.25, 0.5, 0.75, 1.0])
def test_lids_stay_outside_the_eyeball(amount: float) -> None:
    """Morphs go straight, lids should go round: the lashes must clear the ball half-way too."""
    centre = (eyelids.CENTRE - [0.0, 22.0, 0.0]) * 1.1
    lashes = posed("Face", eyeBlinkLeft=amount)[rest().left_lids[eyelids.LASH_RINGS][:-1]]
    assert np.linalg.norm(lashes - centre, axis=-1).min() > BALL_MM - 0.5


def test_teeth_and_tongue_hide_behind_closed_lips() -> None:
    lips = part("Face").points[landmarks()["upper"], 2]
    for name in ("TeethUpper", "TeethLower", "Tongue"):
        assert part(name).points[:, 2].max() < lips


def test_eyes_mirror_each_other() -> None:
    left, right = part("EyeLeft"), part("EyeRight")
    assert np.abs(left.points * FLIP - right.points).max() < MIRROR_MM
    for name, way in left.targets.items():
        assert np.abs(way * FLIP - right.targets[partner_target(name)]).max() < 0.03

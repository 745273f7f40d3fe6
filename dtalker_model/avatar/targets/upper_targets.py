"""The morph targets of eyelids, brows, nose and upper cheeks on the skin: the left side, in millimetres."""

import numpy as np

from dtalker_model.avatar.shape import eyelids
from dtalker_model.avatar.shape.face import Face
from dtalker_model.avatar.shape.falloff import Array, bump, left_half, smoothstep
from dtalker_model.avatar.shape.surface import over_skin

LID_TURNS = {
    "eyeBlink": eyelids.closing(),
    "eyeSquint": eyelids.lower_only(12.5) + eyelids.upper_only(-8.5),
    "eyeWide": eyelids.upper_only(8.5) + eyelids.lower_only(-3.0),
    "eyeLookDown": eyelids.upper_only(-9.0) + eyelids.lower_only(-2.5),
    "eyeLookUp": eyelids.upper_only(6.5) + eyelids.lower_only(1.5),
}
"""Target -> turn (COLUMNS,) of the lids' edge in degrees, up positive."""

LID_SLIDES = {"eyeLookIn": -1.1, "eyeLookOut": 1.1}
"""Target -> mm that the lids follow the eye sideways."""


def lids(face: Face) -> dict[str, Array]:
    """Targets that move the left eyelids, (V, 3) each."""
    rest = eyelids.rings()
    result = {}
    for name, turn in LID_TURNS.items():
        result[name] = np.zeros_like(face.points)
        result[name][face.left_lids] = eyelids.rings(turn) - rest
    follow = np.array([ring.follow for ring in eyelids.LIDS])[:, None] * np.abs(eyelids.angles()[1])
    for name, slide in LID_SLIDES.items():
        result[name] = np.zeros_like(face.points)
        result[name][face.left_lids] = (slide * follow)[..., None] * np.array([1.0, 0.0, 0.0])
    return result


def brows(points: Array, strength: float = 1.0) -> dict[str, Array]:
    """Brow targets of points (V, 3) of skin or brows: the left ones without their side, and browInnerUp."""
    inner = bump(points, (14.0, 178.0), (15.0, 15.0))
    both = inner + bump(points, (-14.0, 178.0), (15.0, 15.0))
    whole = bump(points, (28.0, 178.0), (26.0, 15.0)) * left_half(points[:, 0])
    outer = bump(points, (46.0, 178.0), (20.0, 15.0))
    inward = -np.sign(points[:, 0]) * smoothstep(0.0, 8.0, np.abs(points[:, 0]))
    zero = np.zeros_like(inner)
    lowered = -3.5 * whole - 6.5 * inner * left_half(points[:, 0])
    down = over_skin(points, strength * 2.6 * whole * inward, strength * lowered)
    return {
        "browDown": down,
        "browInnerUp": over_skin(points, zero, strength * 10.0 * both),
        "browOuterUp": over_skin(points, zero, strength * 9.5 * outer),
    }


def cheeks_and_nose(points: Array) -> dict[str, Array]:
    """cheekSquint and noseSneer of the left side, without the lower lid."""
    cheek = bump(points, (34.0, 114.0), (16.0, 10.0))
    wing = bump(points, (7.0, 117.0), (7.0, 7.0)) * left_half(points[:, 0], 5.0)
    lip = bump(points, (10.0, 104.0), (9.0, 8.0)) * left_half(points[:, 0])
    crease = bump(points, (6.0, 150.0), (7.0, 10.0)) * left_half(points[:, 0])
    front = smoothstep(20.0, 50.0, points[:, 2])[:, None]
    return {
        "cheekSquint": front * (cheek[:, None] * np.array([0.5, 7.0, 5.0])),
        "noseSneer": front
        * (
            wing[:, None] * np.array([1.6, 6.5, 2.0])
            + lip[:, None] * np.array([0.3, 5.0, 1.0])
            + crease[:, None] * np.array([-1.5, -3.5, 1.8])
        ),
    }


def left_sided(face: Face) -> tuple[dict[str, Array], Array]:
    """The left targets by name without the side, and browInnerUp."""
    eyelid_targets = lids(face)
    brow_targets = brows(face.points, 0.55)
    other = cheeks_and_nose(face.points)
    rest = eyelids.rings()
    lift = np.zeros_like(face.points)
    lift[face.left_lids] = eyelids.rings(eyelids.lower_only(9.0)) - rest
    lid_rows = face.left_lids[3:]
    for target in (*brow_targets.values(), *other.values()):
        # The lids slide on the eyeball only as their own targets say.
        target[lid_rows] *= 1.0 - np.array([ring.follow for ring in eyelids.LIDS[3:]])[:, None, None]
        target[face.right_lids[3:]] *= 1.0 - np.array([ring.follow for ring in eyelids.LIDS[3:]])[:, None, None]
    other["cheekSquint"] = other["cheekSquint"] + lift
    inner_up = brow_targets.pop("browInnerUp")
    return {**eyelid_targets, **brow_targets, **other}, inner_up

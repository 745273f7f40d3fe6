"""Eyeballs with pupil, iris and catchlights, and the way they turn."""

import numpy as np

from dtalker_model.avatar.shape import eyelids
from dtalker_model.avatar.shape.falloff import Array, column
from dtalker_model.avatar.shape.mesh import Mesh, closed_tube, joined
from dtalker_model.avatar.shape.palette import IRIS, IRIS_EDGE, IRIS_INNER, PUPIL, SCLERA, linear

COLUMNS = 40
BANDS = (  # degrees from the middle of the pupil, colour; from the rim inwards
    (82.0, SCLERA),
    (56.0, SCLERA),
    (40.0, SCLERA),
    (31.0, SCLERA),
    (28.4, SCLERA),
    (27.8, IRIS_EDGE),
    (25.8, IRIS_EDGE),
    (24.6, IRIS),
    (20.0, IRIS),
    (14.0, IRIS_INNER),
    (13.4, PUPIL),
    (7.0, PUPIL),
)
CATCHLIGHTS = ((10.0, 11.5, 4.2), (-9.0, -11.0, 2.0))  # degrees left, degrees up, radius in mm
TURNS = {  # target -> degrees towards the character's left, degrees up; of the left eye
    "eyeLookDown": (0.0, -21.0),
    "eyeLookIn": (-24.0, 0.0),
    "eyeLookOut": (24.0, 0.0),
    "eyeLookUp": (0.0, 19.0),
}


def turned(points: Array, left_deg: float, up_deg: float) -> Array:
    """Points (V, 3) turned around the centre of the left eye."""
    x, y, z = np.moveaxis(points - eyelids.CENTRE, -1, 0)
    a, e = np.radians(left_deg), np.radians(up_deg)
    y, z = y * np.cos(e) + z * np.sin(e), z * np.cos(e) - y * np.sin(e)
    x, z = x * np.cos(a) + z * np.sin(a), z * np.cos(a) - x * np.sin(a)
    return eyelids.CENTRE + column(x, y, z)


def cap_points(angle_deg: Array, radius: float, columns: int) -> Array:
    """(rings, columns, 3) of a sphere around the eye's centre, rings at angles from the forward axis."""
    a, t = np.radians(angle_deg)[:, None], 2.0 * np.pi * np.arange(columns) / columns
    return eyelids.CENTRE + radius * column(np.sin(a) * np.cos(t), np.sin(a) * np.sin(t), np.cos(a) + 0.0 * t)


def ball() -> Mesh:
    """The left eyeball."""
    rings = cap_points(np.array([angle for angle, _ in BANDS]), eyelids.BALL_RADIUS, COLUMNS)
    pole = eyelids.CENTRE + np.array([0.0, 0.0, eyelids.BALL_RADIUS])
    points, triangles = closed_tube(rings, last_pole=pole)
    colours = np.repeat(np.stack([linear(colour) for _, colour in BANDS]), COLUMNS, axis=0)
    colours = np.concatenate([colours, linear(PUPIL)[None]])
    targets = {f"{name}Left": turned(points, *turn) - points for name, turn in TURNS.items()}
    return Mesh("EyeLeft", "eye", points, triangles, colours, targets)


def catchlights() -> Mesh:
    """Two small reflections in front of the left eyeball; they follow the eye half the way, as reflections do."""
    parts = []
    for left_deg, up_deg, radius in CATCHLIGHTS:
        ball_radius = eyelids.BALL_RADIUS + 0.35
        angle = float(np.degrees(radius / ball_radius))
        rings = cap_points(np.array([angle, angle * 0.6]), ball_radius, 20)
        points, triangles = closed_tube(rings, last_pole=eyelids.CENTRE + np.array([0.0, 0.0, ball_radius]))
        parts.append((turned(points, left_deg, up_deg), triangles))
    points, triangles = joined(parts)
    targets = {f"{name}Left": turned(points, 0.6 * a, 0.6 * e) - points for name, (a, e) in TURNS.items()}
    return Mesh("CatchlightLeft", "catchlight", points, triangles, None, targets)


def mirror_image(mesh: Mesh, keep_x: bool = False) -> Mesh:
    """The right partner of a left mesh; with `keep_x` it is only moved over, so that light falls from one side."""
    flip = np.array([-1.0, 1.0, 1.0])
    name = mesh.name.replace("Left", "Right")
    if keep_x:
        points = mesh.points - np.array([2.0 * eyelids.CENTRE[0], 0.0, 0.0])
        across = {"eyeLookInLeft": "eyeLookOutLeft", "eyeLookOutLeft": "eyeLookInLeft"}
        targets = {key.replace("Left", "Right"): mesh.targets[across.get(key, key)] for key in mesh.targets}
        return Mesh(name, mesh.material, points, mesh.triangles, mesh.colours, targets)
    targets = {key.replace("Left", "Right"): way * flip for key, way in mesh.targets.items()}
    return Mesh(name, mesh.material, mesh.points * flip, mesh.triangles[:, ::-1].copy(), mesh.colours, targets)


def build() -> list[Mesh]:
    """Both eyes."""
    left_ball, left_light = ball(), catchlights()
    return [left_ball, mirror_image(left_ball), left_light, mirror_image(left_light, keep_x=True)]

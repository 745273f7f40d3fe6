"""The robot around the face: the shell over the skull with its rim, ear discs and antennas, and the neck."""

import numpy as np

from dtalker_model.avatar.shape.face_fill import opening_angle
from dtalker_model.avatar.shape.falloff import Array, Indices, column
from dtalker_model.avatar.shape.mesh import Mesh, closed_tube, joined, mirrored
from dtalker_model.avatar.shape.surface import fold, from_direction, sculpt

COLUMNS = 72
LIFT = 3.4  # mm over the skin
EAR_CENTRE = np.array([77.5, 140.0, -6.0])
LENS_PROFILE = ((4.6, -1.5), (4.4, 0.6), (3.6, 1.5), (1.8, 2.1))
NECK_CENTRE_Z = -10.0


def around() -> Array:
    """(COLUMNS,) degrees in the front view, counter-clockwise from the character's left."""
    return 360.0 * np.arange(COLUMNS) / COLUMNS


def shell_ring(angle_deg: Array, lift: Array | float) -> Array:
    """(COLUMNS, 3) points `lift` mm over the skin at degrees (COLUMNS,) from the middle of the face."""
    turn = np.radians(around())
    plane = angle_deg[:, None] * np.stack([np.cos(turn), np.sin(turn)], axis=-1)
    direction = fold(plane)
    return sculpt(from_direction(direction)) + np.asarray(lift)[..., None] * direction


def stripe() -> tuple[Array, Indices]:
    """(points, triangles) of the light stripe from the shell's edge over the top to the back."""
    profile = ((-6.0, -1.0), (-5.8, 0.7), (-4.6, 1.5), (4.6, 1.5), (5.8, 0.7), (6.0, -1.0))
    rings = []
    for angle in np.linspace(46.8, 150.0, 26):
        slim = float(np.sqrt(1.0 - max((angle - 120.0) / 30.5, 0.0) ** 2))
        plane = np.array([[x * slim * (1.0 + angle / 100.0), angle] for x, _ in profile])
        direction = fold(plane)
        rings.append(sculpt(from_direction(direction)) + (LIFT + np.array([[y] for _, y in profile])) * direction)
    return closed_tube(np.stack(rings), rings[0].mean(axis=0), rings[-1].mean(axis=0))


def lens() -> tuple[Array, Indices]:
    """(points, triangles) of the round light on the stripe above the forehead."""
    direction = fold(np.array([0.0, 55.0]))
    middle = sculpt(from_direction(direction)) + (LIFT + 1.2) * direction
    side = np.array([1.0, 0.0, 0.0])
    up = np.cross(direction, side)
    t = 2.0 * np.pi * np.arange(28)[:, None] / 28
    rings = [middle + r * (np.cos(t) * side + np.sin(t) * up) + h * direction for r, h in LENS_PROFILE]
    return closed_tube(np.stack(rings), None, middle + 2.2 * direction)


def antenna() -> tuple[tuple[Array, Indices], tuple[Array, Indices]]:
    """(rod, ball) of the antenna on the left ear."""
    t = 2.0 * np.pi * np.arange(14) / 14
    foot, way = EAR_CENTRE + np.array([4.0, 18.0, 0.0]), np.array([7.0, 44.0, -7.0])
    circle = column(np.cos(t), 0.0 * t, -np.sin(t))
    rod = np.stack([foot + s * way + r * circle for s, r in ((0.0, 2.4), (0.3, 1.7), (1.0, 1.2))])
    polar = np.radians(np.arange(20.0, 180.0, 20.0))[:, None, None]
    ball = foot + way + 4.6 * (np.sin(polar) * circle - np.cos(polar) * np.array([0.0, 1.0, 0.0]))
    up = np.array([0.0, 4.6, 0.0])
    return closed_tube(rod), closed_tube(ball, foot + way - up, foot + way + up)


def shell() -> tuple[Array, Indices]:
    """(points, triangles) of the shell over the back and the top of the head."""
    edge = opening_angle(around())
    rings = [shell_ring(edge + share * (179.0 - edge), LIFT) for share in (0.95, *np.arange(0.85, 0.04, -0.075))]
    rings += [shell_ring(edge + 4.5, LIFT), shell_ring(edge + 3.6, LIFT - 0.2), shell_ring(edge + 3.4, LIFT - 1.6)]
    pole = from_direction(np.array([0.0, 0.0, -1.0])) - np.array([0.0, 0.0, LIFT])
    return closed_tube(np.stack(rings), pole)


def rim() -> tuple[Array, Indices]:
    """(points, triangles) of the light trim along the shell's edge: a tube with a soft profile."""
    edge = opening_angle(around())
    profile = ((3.4, -9.0), (3.4, 2.6), (2.8, 3.6), (1.4, 3.9), (0.4, 3.4), (0.0, 2.2), (0.4, -9.0))
    return closed_tube(np.stack([shell_ring(edge + angle, lift) for angle, lift in profile]))


def disc(radii_depths: tuple[tuple[float, float], ...], centre: Array, columns: int = 36) -> tuple[Array, Indices]:
    """(points, triangles) of a turned part on the left ear's axis: (radius, distance outwards) from its foot on."""
    t = 2.0 * np.pi * np.arange(columns) / columns
    rings = [centre + column(np.full(columns, out), r * np.cos(t), r * np.sin(t)) for r, out in radii_depths]
    return closed_tube(np.stack(rings), None, rings[-1].mean(axis=0))


def both(part: tuple[Array, Indices]) -> tuple[Array, Indices]:
    """A part of the left side together with its mirror image."""
    return joined([part, mirrored(part)])


def turned(profile: tuple[tuple[float, float], ...], columns: int = 48) -> tuple[Array, Indices]:
    """(points, triangles) of a part turned around the neck's axis: (radius, y) from the bottom to the top."""
    t = 2.0 * np.pi * np.arange(columns) / columns
    rings = [column(r * np.cos(t), np.full(columns, y), NECK_CENTRE_Z - r * np.sin(t)) for r, y in profile]
    return closed_tube(np.stack(rings))


def bellows() -> tuple[tuple[float, float], ...]:
    """Profile of the neck: soft rings on top of each other."""
    rows = []
    for i in range(7):
        rows += [(26.5, 30.0 + 8.0 * i), (29.2, 31.5 + 8.0 * i), (30.0, 34.0 + 8.0 * i), (29.2, 36.5 + 8.0 * i)]
    return tuple(rows)


def build() -> list[Mesh]:
    """All parts that never move."""
    ear = disc(((24.0, -8.0), (24.0, 3.5), (22.6, 5.6), (20.0, 6.4), (17.0, 6.4), (16.0, 5.2)), EAR_CENTRE)
    ring = disc(((16.4, 4.6), (16.0, 6.0), (13.0, 6.6), (12.0, 6.0), (12.0, 5.0)), EAR_CENTRE)
    knob = disc(((12.4, 4.0), (12.0, 7.4), (10.5, 8.4), (5.0, 9.0)), EAR_CENTRE)
    collar = turned(((40.0, 22.0), (44.0, 23.0), (45.0, 26.5), (43.0, 31.0), (37.0, 33.5), (28.0, 34.5)))
    rod, ball = antenna()
    trim = joined([rim(), both(ear), stripe(), collar])
    return [
        Mesh("Shell", "shell", *shell()),
        Mesh("Trim", "trim", *trim),
        Mesh("Joints", "joint", *joined([turned(bellows()), both(knob), both(rod)])),
        Mesh("Glow", "glow", *joined([both(joined([ring, ball])), lens()])),
    ]

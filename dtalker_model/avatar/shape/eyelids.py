"""The left eye's lids as rings of vertices on a sphere around the eyeball, blended into the skin.

Column 0 is the outer corner; columns run over the upper lid to the inner corner and back along the lower lid.
"""

from dataclasses import dataclass

import numpy as np

from dtalker_model.avatar.shape.falloff import Array, column
from dtalker_model.avatar.shape.surface import skin_point

COLUMNS = 44
CENTRE = np.array([32.0, 143.0, 46.0])
BALL_RADIUS = 27.2
HALF_WIDTH_DEG = 37.0
UPPER_DEG = 30.0
LOWER_DEG = 24.0
TILT = 0.06  # the outer corner lies a little higher
CLOSED_SHARE = 0.16  # where the lids meet, as a share of the opening from below
BULGE = 0.02  # mm for each degree of turn: the straight way of a morph target must clear the eyeball
OUTER = (28.0, 26.0)  # half axes of the outermost ring in the front view, mm


@dataclass(frozen=True)
class LidRing:
    """A ring of the lids at rest."""

    wider_deg: float
    radius: float
    follow: float
    """How much of the lid edge's movement it makes, 0..1."""
    skin: float
    """How far it lies on the skin instead of on the sphere, 0..1."""
    tapers: bool = False
    """Whether it bounds the lashes: narrow in the corners and below."""


LIDS = (  # from the skin to the edge, and behind it
    LidRing(0.0, 31.0, 0.0, 1.0),
    LidRing(20.0, 30.0, 0.10, 0.72),
    LidRing(15.0, 30.0, 0.28, 0.36),
    LidRing(11.0, 29.9, 0.52, 0.12),
    LidRing(8.5, 30.3, 0.78, 0.0),
    LidRing(5.5, 30.3, 0.95, 0.0),
    LidRing(3.4, 30.1, 1.0, 0.0, True),
    LidRing(2.8, 29.9, 1.0, 0.0, True),
    LidRing(0.5, 29.4, 1.0, 0.0),
    LidRing(0.0, 28.7, 1.0, 0.0),
    LidRing(0.0, 26.6, 1.0, 0.0),
)
EDGE_RING = 9
LASH_RINGS = slice(7, 10)
LASH_TAPER = 0.3


def angles() -> tuple[Array, Array]:
    """Cosine and sine (COLUMNS,) around the eye."""
    t = 2.0 * np.pi * np.arange(COLUMNS) / COLUMNS
    return np.cos(t), np.round(np.sin(t), 15).astype(np.float64)


def opening() -> tuple[Array, Array]:
    """Azimuth and elevation (COLUMNS,) in degrees of the lids' edge at rest."""
    cosine, sine = angles()
    height = np.where(sine > 0, UPPER_DEG, LOWER_DEG) * np.sign(sine) * np.abs(sine) ** 0.92
    azimuth = HALF_WIDTH_DEG * np.sign(cosine) * np.abs(cosine) ** 0.92
    return azimuth, height + TILT * azimuth


def meeting() -> Array:
    """Elevation (COLUMNS,) in degrees at which the lids meet, at the azimuth of each column's edge."""
    _, elevation = opening()
    partner = elevation[-np.arange(COLUMNS)]
    lower, upper = np.minimum(elevation, partner), np.maximum(elevation, partner)
    return lower + CLOSED_SHARE * (upper - lower)


def on_sphere(azimuth: Array, elevation: Array, radius: Array | float) -> Array:
    """Points (..., 3) around the eye's centre."""
    a, e = np.radians(azimuth), np.radians(elevation)
    return CENTRE + column(np.sin(a) * np.cos(e), np.sin(e), np.cos(a) * np.cos(e)) * np.asarray(radius)[..., None]


def ring_angles(ring: LidRing) -> tuple[Array, Array]:
    """Azimuth and elevation (COLUMNS,) of one ring at rest."""
    cosine, sine = angles()
    azimuth, elevation = opening()
    wider = ring.wider_deg * (LASH_TAPER + (1.0 - LASH_TAPER) * np.maximum(sine, 0.0) ** 0.6 if ring.tapers else 1.0)
    return azimuth + wider * cosine, elevation + wider * sine


def ring_points(ring: LidRing, turn: Array) -> Array:
    """(COLUMNS, 3) points of a ring when the lids' edge turns by `turn` (COLUMNS,) degrees upwards."""
    cosine, sine = angles()
    azimuth, elevation = ring_angles(ring)
    widest = np.maximum(np.abs(turn), np.abs(turn[-np.arange(COLUMNS)]))  # of both lids, so that they meet
    sphere = on_sphere(azimuth, elevation + ring.follow * turn, ring.radius + BULGE * ring.follow * widest)
    if ring.skin == 0.0:
        return sphere
    flat = skin_point(CENTRE[0] + OUTER[0] * cosine, CENTRE[1] + OUTER[1] * sine)
    return sphere + ring.skin * (flat - sphere)


def rings(turn: Array | None = None) -> Array:
    """(rings, COLUMNS, 3) points from the skin inwards; `turn` as for `ring_points`."""
    still = np.zeros(COLUMNS)
    return np.stack([ring_points(ring, still if turn is None else turn) for ring in LIDS])


def closing() -> Array:
    """Turn (COLUMNS,) in degrees that closes the lids."""
    return meeting() - opening()[1]


def upper_only(turn: float) -> Array:
    """Turn (COLUMNS,) in degrees of the upper lid alone, none in the corners."""
    return turn * np.maximum(angles()[1], 0.0)


def lower_only(turn: float) -> Array:
    """Turn (COLUMNS,) in degrees of the lower lid alone, none in the corners."""
    return turn * np.maximum(-angles()[1], 0.0)

"""The bare head: a rounded superellipsoid with a tapered jaw, sculpted in the front view (nose, cheeks, chin, sockets).

Millimetres; x towards the character's left, y up, z forward; y = 0 at the foot of the neck.
"""

import numpy as np

from dtalker_model.avatar.shape.falloff import Array, bump, column, smoothstep

CENTRE_Y = 146.0
SEMI_AXES = (80.0, 89.0, 80.0)
POWER = 2.35  # 2 is an ellipsoid; a little more flattens the face, which gives large eyes room.

HILLS = (
    # (x, y), (radius x, radius y), height mm; those off the middle come in mirrored pairs
    ((0.0, 119.5), (9.5, 8.0), 7.0),  # tip of the nose
    ((0.0, 131.0), (6.5, 13.0), 2.5),  # bridge
    ((6.0, 117.0), (4.5, 4.5), 1.6),  # wings
    ((0.0, 67.0), (20.0, 13.0), 8.0),  # chin
    ((0.0, 95.0), (34.0, 24.0), 4.0),  # muzzle under the lips
    ((38.0, 106.0), (20.0, 15.0), 5.0),  # cheeks
    ((32.0, 143.0), (22.0, 18.0), -3.5),  # eye sockets
    ((28.0, 178.0), (26.0, 10.0), 1.5),  # brow ridge
)


def taper(height: Array) -> Array:
    """Width of the head relative to its widest, at a relative height of -1 (bottom) to 1 (top)."""
    return 1.0 - 0.245 * smoothstep(0.1, -1.05, height) - 0.04 * smoothstep(0.3, 1.0, height)


def from_direction(direction: Array) -> Array:
    """Points (..., 3) of the bare surface for unit directions (..., 3) from the head's centre."""
    scaled = direction / np.sum(np.abs(direction) ** POWER, axis=-1, keepdims=True) ** (1.0 / POWER)
    x, y, z = np.moveaxis(scaled, -1, 0)
    return column(SEMI_AXES[0] * taper(y) * x, CENTRE_Y + SEMI_AXES[1] * y, SEMI_AXES[2] * z)


def to_direction(x: Array, y: Array) -> Array:
    """Unit directions (..., 3) of the front points that show at (x, y) in the front view."""
    height = (y - CENTRE_Y) / SEMI_AXES[1]
    across = x / (SEMI_AXES[0] * taper(height))
    depth = np.maximum(1.0 - np.abs(across) ** POWER - np.abs(height) ** POWER, 0.0) ** (1.0 / POWER)
    direction = column(across, height, depth)
    return direction / np.linalg.norm(direction, axis=-1, keepdims=True)


def sculpt(points: Array) -> Array:
    """The points moved along z by the hills of the face; the back of the head stays."""
    front = smoothstep(5.0, 45.0, points[..., 2])
    lower = smoothstep(108.0, 66.0, points[..., 1])
    lift = 7.0 * lower
    for (x, y), radii, height in HILLS:
        lift = lift + height * bump(points, (x, y), radii)
        if x:
            lift = lift + height * bump(points, (-x, y), radii)
    return points + column(np.zeros_like(lift), np.zeros_like(lift), front * lift)


def skin_point(x: Array, y: Array) -> Array:
    """Points (..., 3) of the sculpted skin that show at (x, y) in the front view."""
    return sculpt(from_direction(to_direction(x, y)))


def over_skin(points: Array, dx: Array, dy: Array) -> Array:
    """(V, 3) the way that takes points by (dx, dy) along the curved skin."""
    x, y = points[:, 0], points[:, 1]
    return column(dx, dy, skin_point(x + dx, y + dy)[:, 2] - skin_point(x, y)[:, 2])


def unfold(direction: Array) -> Array:
    """Directions (..., 3) laid flat, (..., 2) degrees: the middle of the face at 0, the back of the head at 180."""
    x, y, z = np.moveaxis(direction, -1, 0)
    angle = np.degrees(np.arccos(np.clip(z, -1.0, 1.0)))
    flat = np.maximum(np.hypot(x, y), 1e-12)
    return np.stack([angle * x / flat, angle * y / flat], axis=-1)


def fold(plane: Array) -> Array:
    """Inverse of `unfold`: (..., 2) degrees to unit directions (..., 3)."""
    angle = np.maximum(np.linalg.norm(plane, axis=-1), 1e-12)
    sine = np.sin(np.radians(angle)) / angle
    return column(plane[..., 0] * sine, plane[..., 1] * sine, np.cos(np.radians(angle)))

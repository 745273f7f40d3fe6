"""The skin between mouth, lids and rim: scattered points, triangulated once for the left half and mirrored.

Everything here lies in the plane of `surface.unfold`, in degrees.
"""

from dataclasses import dataclass

import numpy as np

from dtalker_model.avatar.shape import mouth
from dtalker_model.avatar.shape.falloff import Array, Indices
from dtalker_model.avatar.shape.mesh import Neighbours
from dtalker_model.avatar.shape.triangulate import delaunay, inside

RIM_MARGIN_DEG = 9.0  # the skin ends so far under the shell
RIM_COLUMNS = 64


@dataclass(frozen=True)
class LeftFill:
    """The left half (x >= 0) of the fill, with the fixed points that it joins."""

    plane: Array
    """(N, 2) rim from the bottom to the top, left half of the mouth's ring, lids' ring, then free points."""
    triangles: Indices
    """(F, 3)."""
    mouth_columns: Indices
    """Columns of the mouth's ring, in the order in which they appear in `plane`."""
    rim: int
    """How many points the rim has."""
    fixed: int
    """How many points are fixed: rim, mouth and lids."""


def opening_angle(direction_deg: Array) -> Array:
    """Degrees from the middle of the face to the shell's edge, in a direction of the front view (0 left, 90 up)."""
    return 74.0 - 31.0 * np.sin(np.radians(direction_deg)) - 1.5 * np.cos(np.radians(2.0 * direction_deg))


def rim_plane() -> Array:
    """(RIM_COLUMNS / 2 + 1, 2) unfolded points of the skin's left rim, from the bottom to the top."""
    direction = np.linspace(-90.0, 90.0, RIM_COLUMNS // 2 + 1)
    angle = opening_angle(direction) + RIM_MARGIN_DEG
    plane = angle[:, None] * np.stack([np.cos(np.radians(direction)), np.sin(np.radians(direction))], axis=-1)
    plane[[0, -1], 0] = 0.0
    return plane


def outline(rim: Array) -> Array:
    """(N, 2) closed polygon around the left half, a little beyond the middle line."""
    return np.concatenate([rim, np.array([[-1.0, 90.0], [-1.0, -120.0]])])


def spacing(plane: Array) -> Array:
    """Wanted distance of fill points in degrees: fine around the nose and brows, coarse towards the shell."""
    away = np.linalg.norm((plane - np.array([0.0, -6.0])) * np.array([1.0, 0.8]), axis=-1)
    return 2.3 + 4.6 * np.clip((away - 14.0) / 60.0, 0.0, 1.0)


def fill(fixed: Array, rim: Array, holes: list[Array]) -> Array:
    """(N, 2) unfolded points of the left half (x >= 0) between the fixed ones, those on the middle line first."""
    middle = [(0.0, y) for y in np.arange(-112.0, 62.0, 0.4)]
    rows = [(x + 0.6 * (row % 2) + 0.9, row * 1.0 - 115.0) for row in range(180) for x in np.arange(0.0, 115.0, 1.2)]
    free = np.array(middle + rows)
    free = free[inside(outline(rim), free) & ~np.any([inside(hole, free) for hole in holes], axis=0)]
    free = free[np.argsort(np.round(np.linalg.norm(free, axis=1), 6) + 1e3 * (free[:, 0] > 0), kind="stable")]
    chosen, wanted = fixed.copy(), spacing(free)
    for point, distance in zip(free, wanted):
        # Off the middle line, a point's mirror image must keep its distance as well.
        if (point[0] == 0.0 or point[0] > 0.45 * distance) and np.min(
            np.sum((chosen - point) ** 2, axis=1)
        ) > 0.81 * distance**2:
            chosen = np.concatenate([chosen, point[None]])
    return chosen[len(fixed) :]


def relax(points: Array, triangles: Indices, fixed: int, rounds: int = 12) -> Array:
    """The points after the first `fixed` moved towards the middle of their neighbours; x = 0 stays."""
    points = points.copy()
    on_middle = points[:, 0] == 0.0
    neighbours = Neighbours.of(triangles, len(points))
    for _ in range(rounds):
        moved = 0.5 * points + 0.5 * neighbours.mean(points)
        moved[on_middle, 0] = 0.0
        points[fixed:] = moved[fixed:]
    return points


def build(mouth_ring: Array, lid_ring: Array) -> LeftFill:
    """The fill around the unfolded outermost rings of mouth (COLUMNS, 2) and left lids (COLUMNS, 2)."""
    rim, quarter = rim_plane(), mouth.COLUMNS // 4
    columns = np.concatenate([np.arange(-quarter, 0), np.arange(quarter + 1)])
    half_ring = mouth_ring[columns]
    half_ring[[0, -1], 0] = 0.0
    fixed = np.concatenate([rim, half_ring, lid_ring])
    points = np.concatenate([fixed, fill(fixed, rim, [mouth_ring, lid_ring])])
    triangles = delaunay(points)
    centres = points[triangles].mean(axis=1)
    keep = inside(outline(rim), centres) & ~inside(mouth_ring, centres) & ~inside(lid_ring, centres)
    plane = relax(points, triangles[keep], len(fixed))
    return LeftFill(plane, triangles[keep], columns, len(rim), len(fixed))

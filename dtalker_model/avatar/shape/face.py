"""The face at rest: mouth and lid rings, joined by a fill of points into one continuous, exactly mirrored surface."""

from dataclasses import dataclass, replace

import numpy as np

from dtalker_model.avatar.shape import eyelids, face_fill, mouth
from dtalker_model.avatar.shape.face_fill import LeftFill
from dtalker_model.avatar.shape.falloff import Array, Indices, smoothstep
from dtalker_model.avatar.shape.mesh import Neighbours, cap, tube
from dtalker_model.avatar.shape.surface import fold, from_direction, sculpt, to_direction, unfold

MIRROR = np.array([-1.0, 1.0, 1.0])
MIRRORED_COLUMNS = (mouth.COLUMNS // 2 - np.arange(mouth.COLUMNS)) % mouth.COLUMNS


@dataclass(frozen=True)
class Face:
    """The skin at rest and the rings that the morph targets move."""

    points: Array
    """(V, 3) mm."""
    triangles: Indices
    """(F, 3)."""
    mouth: Indices
    """(mouth rings, mouth columns) vertices, see `mouth.rings`."""
    throat: int
    """The vertex that closes the mouth's cavity."""
    left_lids: Indices
    """(lid rings, lid columns) vertices, see `eyelids.rings`."""
    right_lids: Indices
    """The same for the right eye, column by column the mirror image."""
    partner: Indices
    """(V,) the vertex that is each vertex' mirror image."""


def build() -> Face:
    """The face at rest."""
    mouth_points, lid_points = mouth.rings(), eyelids.rings()
    mouth_plane, lid_plane = (
        unfold(to_direction(rings[0][:, 0], rings[0][:, 1])) for rings in (mouth_points, lid_points)
    )
    face = assembled(mouth_points, lid_points, face_fill.build(mouth_plane, lid_plane))
    return replace(face, points=smoothed(face))


def assembled(mouth_points: Array, lid_points: Array, fill: LeftFill) -> Face:
    """All parts in one numbering: mouth, throat, left lids, right lids, left rim and fill, right rim and fill."""
    grid = np.arange(mouth_points[..., 0].size).reshape(mouth_points.shape[:2])
    throat = grid.size
    left = throat + 1 + np.arange(lid_points[..., 0].size).reshape(lid_points.shape[:2])
    right = left + left.size
    own = np.concatenate([np.arange(fill.rim), np.arange(fill.fixed, len(fill.plane))])
    middle = fill.plane[own, 0] == 0.0
    to_left, to_right = numbering(fill, own, int(right.max()) + 1, grid[0], (left[0], right[0]))
    fill_points = sculpt(from_direction(fold(fill.plane[own])))
    fill_points[middle, 0] = 0.0
    lids = lid_points.reshape(-1, 3)
    pole = mouth.throat(mouth_points[mouth.EDGE_RING])[None]
    parts = [mouth_points.reshape(-1, 3), pole, lids, lids * MIRROR, fill_points, fill_points[~middle] * MIRROR]
    faces = [tube(grid), cap(grid[-1], throat), tube(left), tube(right)[:, ::-1]]
    faces += [to_left[fill.triangles], to_right[fill.triangles][:, ::-1]]
    images = [grid[:, MIRRORED_COLUMNS], np.array([throat]), right, left, to_right[own], to_left[own][~middle]]
    partner = np.concatenate([image.reshape(-1) for image in images])
    return Face(np.concatenate(parts), np.concatenate(faces), grid, throat, left, right, partner)


def numbering(
    fill: LeftFill, own: Indices, start: int, mouth_ring: Indices, lid_rings: tuple[Indices, Indices]
) -> tuple[Indices, Indices]:
    """The vertex of each point of the left fill, and of its mirror image; `own` points are numbered from `start`."""
    middle = fill.plane[own, 0] == 0.0
    to_left, to_right = np.empty(len(fill.plane), dtype=np.int64), np.empty(len(fill.plane), dtype=np.int64)
    to_left[own] = start + np.arange(len(own))
    to_right[own] = np.where(middle, to_left[own], start + len(own) + np.cumsum(~middle) - 1)
    of_mouth = slice(fill.rim, fill.rim + len(fill.mouth_columns))
    to_left[of_mouth] = mouth_ring[fill.mouth_columns]
    to_right[of_mouth] = mouth_ring[MIRRORED_COLUMNS[fill.mouth_columns]]
    to_left[of_mouth.stop : fill.fixed], to_right[of_mouth.stop : fill.fixed] = lid_rings
    return to_left, to_right


def smoothed(face: Face, rounds: int = 10) -> Array:
    """The points with the seams around the eyes evened out; lids and everything far from the eyes stay."""
    free = around_eyes(face)[:, None]
    neighbours = Neighbours.of(face.triangles, len(face.points))
    points = face.points.copy()
    for _ in range(rounds):
        points += 0.5 * free * (neighbours.mean(points) - points)
    # Sums run in another order on either side; the mirror image stays exact.
    return 0.5 * (points + points[face.partner] * MIRROR)


def around_eyes(face: Face) -> Array:
    """(V,) 1 where the seam between lids and fill may be smoothed, 0 on the lids and far away."""
    away = np.hypot(np.abs(face.points[:, 0]) - eyelids.CENTRE[0], face.points[:, 1] - eyelids.CENTRE[1])
    free = smoothstep(40.0, 29.0, away)
    for lids in (face.left_lids, face.right_lids):
        free[lids[:3]] = 1.0
        free[lids[3]] = 0.4
        free[lids[4:]] = 0.0
    free[face.mouth] = 0.0
    return free

"""The face at rest: mouth and lid rings, joined by a fill of points into one continuous, exactly mirrored surface."""

from dataclasses import dataclass, replace

import numpy as np

from dtalker_model.avatar import eyelids, mouth
from dtalker_model.avatar.falloff import Array, Indices, smoothstep
from dtalker_model.avatar.mesh import cap, tube
from dtalker_model.avatar.surface import fold, from_direction, sculpt, to_direction, unfold
from dtalker_model.avatar.triangulate import delaunay, inside

RIM_MARGIN_DEG = 9.0  # the skin ends so far under the shell
RIM_COLUMNS = 64
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


def spacing(plane: Array) -> Array:
    """Wanted distance of fill points in degrees: fine around the nose and brows, coarse towards the shell."""
    away = np.linalg.norm((plane - np.array([0.0, -6.0])) * np.array([1.0, 0.8]), axis=-1)
    return 2.3 + 4.6 * np.clip((away - 14.0) / 60.0, 0.0, 1.0)


def fill(fixed: Array, rim: Array, holes: list[Array]) -> Array:
    """(N, 2) unfolded points of the left half (x >= 0) between the fixed ones, those on the middle line first."""
    middle = [(0.0, y) for y in np.arange(-112.0, 62.0, 0.4)]
    rows = [(x + 0.6 * (row % 2) + 0.9, row * 1.0 - 115.0) for row in range(180) for x in np.arange(0.0, 115.0, 1.2)]
    free = np.array(middle + rows)
    outline = np.concatenate([rim, np.array([[-1.0, 90.0], [-1.0, -120.0]])])
    free = free[inside(outline, free) & ~np.any([inside(hole, free) for hole in holes], axis=0)]
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
    edges = np.concatenate([triangles[:, [0, 1]], triangles[:, [1, 2]], triangles[:, [2, 0]]])
    edges = np.unique(np.concatenate([edges, edges[:, ::-1]]), axis=0)
    degree = np.bincount(edges[:, 0], minlength=len(points))[:, None]
    on_middle = points[:, 0] == 0.0
    for _ in range(rounds):
        total = np.zeros_like(points)
        np.add.at(total, edges[:, 0], points[edges[:, 1]])
        moved = 0.5 * points + 0.5 * total / np.maximum(degree, 1)
        moved[on_middle, 0] = 0.0
        points[fixed:] = moved[fixed:]
    return points


def left_fill(mouth_ring: Array, lid_ring: Array) -> tuple[Array, Indices]:
    """Unfolded points (rim, left half of the mouth's ring, lid ring, fill) and their triangles."""
    rim = rim_plane()
    quarter = mouth.COLUMNS // 4
    half_ring = np.concatenate([mouth_ring[-quarter:], mouth_ring[: quarter + 1]])
    half_ring[[0, -1], 0] = 0.0
    fixed = np.concatenate([rim, half_ring, lid_ring])
    points = np.concatenate([fixed, fill(fixed, rim, [mouth_ring, lid_ring])])
    triangles = delaunay(points)
    centres = points[triangles].mean(axis=1)
    outline = np.concatenate([rim, np.array([[-1.0, 90.0], [-1.0, -120.0]])])
    keep = inside(outline, centres) & ~inside(mouth_ring, centres) & ~inside(lid_ring, centres)
    triangles = triangles[keep]
    return relax(points, triangles, len(fixed)), triangles


def build() -> Face:
    """The face at rest."""
    mouth_points, lid_points = mouth.rings(), eyelids.rings()
    mouth_plane = unfold(to_direction(mouth_points[0][:, 0], mouth_points[0][:, 1]))
    lid_plane = unfold(to_direction(lid_points[0][:, 0], lid_points[0][:, 1]))
    plane, triangles = left_fill(mouth_plane, lid_plane)
    return assemble(mouth_points, lid_points, plane, triangles)


def assemble(mouth_points: Array, lid_points: Array, plane: Array, triangles: Indices) -> Face:
    """All parts in one numbering: mouth, throat, left lids, right lids, left fill, right fill."""
    mirror = np.array([-1.0, 1.0, 1.0])
    grid = np.arange(mouth_points[..., 0].size).reshape(mouth_points.shape[:2])
    throat = grid.size
    left = throat + 1 + np.arange(lid_points[..., 0].size).reshape(lid_points.shape[:2])
    right = left + left.size
    start = int(right.max()) + 1
    rim_count, quarter = len(rim_plane()), mouth.COLUMNS // 4
    fixed = rim_count + 2 * quarter + 1 + eyelids.COLUMNS
    own = np.concatenate([np.arange(rim_count), np.arange(fixed, len(plane))])
    middle = plane[own, 0] == 0.0
    columns = np.concatenate([np.arange(-quarter, 0), np.arange(quarter + 1)])
    to_left, to_right = np.empty(len(plane), dtype=np.int64), np.empty(len(plane), dtype=np.int64)
    to_left[own] = start + np.arange(len(own))
    to_right[own] = np.where(middle, to_left[own], start + len(own) + np.cumsum(~middle) - 1)
    to_left[rim_count : rim_count + len(columns)] = grid[0][columns]
    to_right[rim_count : rim_count + len(columns)] = grid[0][mouth.COLUMNS // 2 - columns]
    to_left[fixed - eyelids.COLUMNS : fixed], to_right[fixed - eyelids.COLUMNS : fixed] = left[0], right[0]
    fill_points = sculpt(from_direction(fold(plane[own])))
    fill_points[middle, 0] = 0.0
    points = np.concatenate(
        [
            mouth_points.reshape(-1, 3),
            mouth.throat(mouth_points[mouth.EDGE_RING])[None],
            lid_points.reshape(-1, 3),
            lid_points.reshape(-1, 3) * mirror,
            fill_points,
            fill_points[~middle] * mirror,
        ]
    )
    faces = [tube(grid), cap(grid[-1], throat), tube(left), tube(right)[:, ::-1]]
    faces += [to_left[triangles], to_right[triangles][:, ::-1]]
    partner = np.concatenate([grid[:, MIRRORED_COLUMNS].reshape(-1), [throat], right.reshape(-1), left.reshape(-1)])
    partner = np.concatenate([partner, to_right[own], to_left[own][~middle]])
    face = Face(points, np.concatenate(faces), grid, throat, left, right, partner)
    return replace(face, points=smoothed(face))


def smoothed(face: Face, rounds: int = 10) -> Array:
    """The points with the seams around the eyes evened out; lids and everything far from the eyes stay."""
    triangles = face.triangles
    edges = np.concatenate([triangles[:, [0, 1]], triangles[:, [1, 2]], triangles[:, [2, 0]]])
    edges = np.unique(np.concatenate([edges, edges[:, ::-1]]), axis=0)
    degree = np.bincount(edges[:, 0], minlength=len(face.points))[:, None]
    free = around_eyes(face)[:, None]
    points = face.points.copy()
    for _ in range(rounds):
        total = np.zeros_like(points)
        np.add.at(total, edges[:, 0], points[edges[:, 1]])
        points += 0.5 * free * (total / degree - points)
    # Sums run in another order on either side; the mirror image stays exact.
    return 0.5 * (points + points[face.partner] * np.array([-1.0, 1.0, 1.0]))


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

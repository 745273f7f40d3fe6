"""Triangle meshes with morph targets, the smooth normals of both, and grids of points turned into triangles."""

from dataclasses import dataclass, field

import numpy as np

from dtalker_model.avatar.shape.falloff import Array, Indices
from dtalker_model.avatar.shape.palette import linear


@dataclass(frozen=True)
class Mesh:
    """One part of the head, in one material."""

    name: str
    """Name of its node."""
    material: str
    """A key of `palette.MATERIALS`."""
    points: Array
    """(V, 3) mm."""
    triangles: Indices
    """(F, 3), counter-clockwise seen from outside."""
    colours: Array | None = None
    """(V, 3) linear RGB 0..1 that multiply the material's colour."""
    targets: dict[str, Array] = field(default_factory=dict)
    """Morph target -> displacement (V, 3) mm."""


@dataclass(frozen=True)
class Neighbours:
    """Which vertices share an edge."""

    edges: Indices
    """(E, 2) every edge in both directions, sorted."""
    degree: Indices
    """(V,) how many neighbours each vertex has."""

    @staticmethod
    def of(triangles: Indices, count: int) -> "Neighbours":
        """The neighbours in a mesh of `count` vertices."""
        edges = np.concatenate([triangles[:, [0, 1]], triangles[:, [1, 2]], triangles[:, [2, 0]]])
        edges = np.unique(np.concatenate([edges, edges[:, ::-1]]), axis=0)
        return Neighbours(edges, np.bincount(edges[:, 0], minlength=count))

    def mean(self, points: Array) -> Array:
        """(V, D) the middle of each vertex' neighbours."""
        total = np.zeros_like(points)
        np.add.at(total, self.edges[:, 0], points[self.edges[:, 1]])
        return total / np.maximum(self.degree, 1)[:, None]


def normals(points: Array, triangles: Indices) -> Array:
    """(V, 3) smooth unit normals: the area-weighted mean of the faces around each vertex."""
    a, b, c = (points[triangles[:, i]] for i in range(3))
    faces = np.cross(b - a, c - a)
    total = np.zeros_like(points)
    for i in range(3):
        np.add.at(total, triangles[:, i], faces)
    length = np.linalg.norm(total, axis=-1, keepdims=True)
    return np.where(length > 1e-9, total / np.maximum(length, 1e-9), np.array([0.0, 0.0, 1.0]))


def tube(grid: Indices) -> Indices:
    """Triangles between the closed rings `grid` (rings, columns); columns counter-clockwise seen from the last ring."""
    near, far = grid[:-1], grid[1:]
    near_next, far_next = np.roll(near, -1, axis=1), np.roll(far, -1, axis=1)
    first = np.stack([near, near_next, far_next], axis=-1).reshape(-1, 3)
    second = np.stack([near, far_next, far], axis=-1).reshape(-1, 3)
    return np.concatenate([first, second])


def cap(ring: Indices, pole: int) -> Indices:
    """Triangles that close `ring` (columns,) towards the vertex `pole`, seen from which it is counter-clockwise."""
    return np.stack([ring, np.roll(ring, -1), np.full_like(ring, pole)], axis=-1)


def closed_tube(rings: Array, first_pole: Array | None = None, last_pole: Array | None = None) -> tuple[Array, Indices]:
    """Points and triangles of rings (R, C, 3), closed where a pole (3,) is given."""
    count, columns, _ = rings.shape
    grid = np.arange(count * columns).reshape(count, columns)
    points, triangles = [rings.reshape(-1, 3)], [tube(grid)]
    if first_pole is not None:
        points.append(first_pole[None])
        triangles.append(cap(grid[0], count * columns)[:, ::-1])
    if last_pole is not None:
        triangles.append(cap(grid[-1], count * columns + len(points) - 1))
        points.append(last_pole[None])
    return np.concatenate(points), np.concatenate(triangles)


def joined(parts: list[tuple[Array, Indices]]) -> tuple[Array, Indices]:
    """Several (points, triangles) as one."""
    starts = np.cumsum([0, *(len(points) for points, _ in parts)])
    triangles = [faces + start for (_, faces), start in zip(parts, starts)]
    return np.concatenate([points for points, _ in parts]), np.concatenate(triangles)


def mirrored(part: tuple[Array, Indices]) -> tuple[Array, Indices]:
    """(points, triangles) reflected to the other side of the head, still facing outwards."""
    points, triangles = part
    return points * np.array([-1.0, 1.0, 1.0]), triangles[:, ::-1].copy()


def plain(points: Array, colour: str) -> Array:
    """One colour (#rrggbb) for all points, (V, 3)."""
    return np.tile(linear(colour), (len(points), 1))

"""Delaunay triangulation by insertion (Bowyer 1981, Watson 1981), small and repeatable to the last bit."""

import numpy as np
import numpy.typing as npt

from dtalker_model.avatar.shape.falloff import Array, Indices


def jitter(count: int, size: float) -> Array:
    """(count, 2) fixed irregular offsets within +-size: no four points may lie on one circle."""
    i = np.arange(1, count + 1, dtype=np.float64)
    return size * (2.0 * np.stack([i * 0.7548776662 % 1.0, i * 0.5698402910 % 1.0], axis=-1) - 1.0)


def circumcircles(points: Array, triangles: Indices) -> Array:
    """(F, 3): centre x, centre y and squared radius of the circle through each triangle's corners."""
    a, b, c = (points[triangles[:, i]] for i in range(3))
    ab, ac = b - a, c - a
    twice = 2.0 * (ab[:, 0] * ac[:, 1] - ab[:, 1] * ac[:, 0])
    b2, c2 = np.sum(ab * ab, axis=1), np.sum(ac * ac, axis=1)
    x = (ac[:, 1] * b2 - ab[:, 1] * c2) / twice
    y = (ab[:, 0] * c2 - ac[:, 0] * b2) / twice
    return np.stack([a[:, 0] + x, a[:, 1] + y, x * x + y * y], axis=-1)


def rim(triangles: Indices) -> Indices:
    """(E, 2) directed edges that only one of the triangles has."""
    edges = np.concatenate([triangles[:, [0, 1]], triangles[:, [1, 2]], triangles[:, [2, 0]]])
    present = set(map(tuple, edges.tolist()))
    return np.array([edge for edge in edges.tolist() if (edge[1], edge[0]) not in present])


def delaunay(points: Array) -> Indices:
    """(F, 3) counter-clockwise triangles of the plane points (N, 2)."""
    count = len(points)
    size = 40.0 * np.ptp(points)
    corners = np.array([[-size, -size], [size, -size], [0.0, size]])
    spread = np.concatenate([points + jitter(count, 1e-4), corners])
    triangles = np.array([[count, count + 1, count + 2]])
    circles = circumcircles(spread, triangles)
    for i in range(count):
        distance = np.sum((circles[:, :2] - spread[i]) ** 2, axis=1)
        hit = distance < circles[:, 2]
        edges = rim(triangles[hit])
        fan = np.column_stack([edges, np.full(len(edges), i)])
        triangles = np.concatenate([triangles[~hit], fan])
        circles = np.concatenate([circles[~hit], circumcircles(spread, fan)])
    return triangles[np.all(triangles < count, axis=1)]


def inside(polygon: Array, points: Array) -> npt.NDArray[np.bool_]:
    """Which of the points (N, 2) lie inside the closed polygon (M, 2)."""
    a, b = polygon, np.roll(polygon, -1, axis=0)
    y = points[:, 1:2]
    crosses = (a[:, 1] > y) != (b[:, 1] > y)
    rise = np.where(b[:, 1] == a[:, 1], 1.0, b[:, 1] - a[:, 1])
    at = a[:, 0] + (y - a[:, 1]) * (b[:, 0] - a[:, 0]) / rise
    return np.sum(crosses & (points[:, 0:1] < at), axis=1) % 2 == 1

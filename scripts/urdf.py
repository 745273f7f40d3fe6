"""A robot's description (URDF) of primitive shapes: its joints, and its triangles in any pose. For films and tests."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
RINGS, SECTORS = 14, 28
"""Of a sphere; a cylinder has as many sectors, a box side as many cells a way as half the rings."""


@dataclass(frozen=True, eq=False)
class Joint:
    """One joint: `origin` (4, 4) in its parent's frame, and what it turns about or slides along."""

    name: str
    kind: str
    parent: str
    child: str
    origin: Floats
    axis: Floats

    def moved(self, position: float) -> Floats:
        """The child's frame in the parent's, (4, 4), at `position` (rad or m)."""
        motion = np.eye(4)
        if self.kind == "prismatic":
            motion[:3, 3] = self.axis * position
        elif self.kind == "revolute":
            motion[:3, :3] = _about(self.axis, position)
        return np.asarray(self.origin @ motion)


@dataclass(frozen=True, eq=False)
class Shape:
    """A visual of `link`: `vertices` (V, 3) in the link's frame, `triangles` (F, 3) seen from outside, linear RGB."""

    link: str
    vertices: Floats
    triangles: NDArray[np.int64]
    colour: tuple[float, float, float]


@dataclass(frozen=True, eq=False)
class Robot:
    """What a URDF describes."""

    root: str
    joints: tuple[Joint, ...]
    shapes: tuple[Shape, ...]

    def frames(self, positions: Mapping[str, float]) -> dict[str, Floats]:
        """The frame (4, 4) of every link in the root's, for `positions` by joint; those left out are 0."""
        found = {self.root: np.eye(4)}
        waiting = list(self.joints)
        while waiting:
            joint = next(joint for joint in waiting if joint.parent in found)
            found[joint.child] = found[joint.parent] @ joint.moved(positions.get(joint.name, 0.0))
            waiting.remove(joint)
        return found


def read_robot(path: Path) -> Robot:
    """The robot in a file that is known to be right; `test/ros/joints/test_example_heads.py` checks ours."""
    root = ElementTree.parse(path).getroot()
    colours = {m.get("name"): _colour(m) for m in root.iterfind("material")}
    joints = tuple(_joint(element) for element in root.iterfind("joint"))
    children = {joint.child for joint in joints}
    (base,) = (link.get("name", "") for link in root.iterfind("link") if link.get("name") not in children)
    visuals = [(link.get("name", ""), visual) for link in root.iterfind("link") for visual in link.iterfind("visual")]
    return Robot(base, joints, tuple(_shape(link, visual, colours) for link, visual in visuals))


def _joint(element: ElementTree.Element) -> Joint:
    parent, child = (element.find(tag) for tag in ("parent", "child"))
    axis = element.find("axis")
    assert parent is not None and child is not None and axis is not None
    return Joint(
        element.get("name", ""),
        element.get("type", ""),
        parent.get("link", ""),
        child.get("link", ""),
        _origin(element),
        _triple(axis.get("xyz", "1 0 0")),
    )


def _shape(link: str, visual: ElementTree.Element, colours: Mapping[str | None, tuple[float, float, float]]) -> Shape:
    geometry, material = visual.find("geometry"), visual.find("material")
    assert geometry is not None and material is not None
    (solid,) = geometry
    vertices, triangles = _solid(solid)
    origin = _origin(visual)
    return Shape(link, vertices @ origin[:3, :3].T + origin[:3, 3], triangles, colours[material.get("name")])


def _solid(solid: ElementTree.Element) -> tuple[Floats, NDArray[np.int64]]:
    if solid.tag == "box":
        return _box(_triple(solid.get("size", "")))
    radius = float(solid.get("radius", ""))
    if solid.tag == "sphere":
        up = np.linspace(-np.pi / 2, np.pi / 2, RINGS + 1)
        return _lathe(radius * np.cos(up), radius * np.sin(up))
    half = float(solid.get("length", "")) / 2
    return _lathe(np.array([0, radius, radius, 0]), np.array([-half, -half, half, half]))


def _lathe(radii: Floats, heights: Floats) -> tuple[Floats, NDArray[np.int64]]:
    """The solid whose outline, from the bottom, turns about z."""
    around = np.linspace(0, 2 * np.pi, SECTORS, endpoint=False)
    rings = [
        np.column_stack([r * np.cos(around), r * np.sin(around), np.full(SECTORS, z)]) for r, z in zip(radii, heights)
    ]
    return np.concatenate(rings), _quads(len(radii) - 1, SECTORS, around=True)


def _box(size: Floats) -> tuple[Floats, NDArray[np.int64]]:
    """Six sides of some cells each, so that far ones are told from near ones."""
    cells = RINGS // 2
    steps = np.linspace(-0.5, 0.5, cells + 1)
    a, b = (grid.ravel() for grid in np.meshgrid(steps, steps, indexing="ij"))
    sides: list[Floats] = []
    triangles: list[NDArray[np.int64]] = []
    for axis in range(3):
        for end in (-0.5, 0.5):
            side = np.empty((len(a), 3))
            side[:, axis], side[:, (axis + 1) % 3], side[:, (axis + 2) % 3] = end, a, b
            quads = _quads(cells, cells + 1, around=False)
            triangles.append((quads if end < 0 else quads[:, ::-1]) + len(a) * len(sides))
            sides.append(side * size)
    return np.concatenate(sides), np.concatenate(triangles)


def _quads(rows: int, columns: int, around: bool) -> NDArray[np.int64]:
    """Two triangles for each cell of a grid of rows + 1 by `columns` vertices."""
    cells = [(r, c) for r in range(rows) for c in range(columns if around else columns - 1)]
    found = []
    for r, c in cells:
        here, right = r * columns + c, r * columns + (c + 1) % columns
        found += [(here, right, right + columns), (here, right + columns, here + columns)]
    return np.array(found)


def _origin(element: ElementTree.Element) -> Floats:
    origin, frame = element.find("origin"), np.eye(4)
    if origin is not None:
        frame[:3, 3] = _triple(origin.get("xyz", "0 0 0"))
        for axis, angle in zip(np.eye(3), _triple(origin.get("rpy", "0 0 0"))):
            frame[:3, :3] = _about(axis, angle) @ frame[:3, :3]
    return frame


def _about(axis: Floats, angle: float) -> Floats:
    """Rotation (3, 3) by Rodrigues' formula."""
    x, y, z = axis / np.linalg.norm(axis)
    cross = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    return np.asarray(np.eye(3) + np.sin(angle) * cross + (1 - np.cos(angle)) * cross @ cross)


def _triple(text: str) -> Floats:
    return np.array([float(part) for part in text.split()])


def _colour(material: ElementTree.Element) -> tuple[float, float, float]:
    """Linear RGB of a material's sRGB."""
    colour = material.find("color")
    assert colour is not None
    red, green, blue = (float(part) ** 2.2 for part in colour.get("rgba", "").split()[:3])
    return red, green, blue

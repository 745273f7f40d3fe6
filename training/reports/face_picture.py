"""Pictures of the linear face: shaded quads drawn by matplotlib, orthographic, seen a little from its left."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.patches import Circle, Polygon

YAW_DEG = 14.0
LIGHT = np.array([-0.35, 0.45, 0.82])
SKIN = np.array([0.86, 0.72, 0.63])
AMBIENT = 0.38
LOWEST_CM = -10.5
"""The neck is cut off below."""

VIEW_CM = (-8.2, 8.6), (-9.6, 9.2)
MOUTH, EYES = slice(60, 68), (slice(36, 42), slice(42, 48))
"""Landmarks round the openings of the skin, behind which a dark mouth and two eyeballs are painted."""

IRIS_CM = 0.58

MOST_ERROR_MM = 6.0
ERROR_COLOURS = LinearSegmentedColormap.from_list("error", ["#dcd8d3", "#f2c14e", "#d1495b", "#5b1a3a"])


@dataclass(frozen=True)
class FaceMesh:
    """The drawn part of the face.

    Attributes:
        neutral_cm: (V, 3). delta_cm: (52, V, 3) float32. quads: (Q, 4) vertex indices, counter-clockwise from outside.
        landmarks: (68,) vertex indices.
    """

    neutral_cm: np.ndarray
    delta_cm: np.ndarray
    quads: np.ndarray
    landmarks: np.ndarray

    def vertices_cm(self, weights: np.ndarray) -> np.ndarray:
        """Vertices (V, 3) of the face with weights (52,)."""
        return self.neutral_cm + np.tensordot(weights.astype(np.float32), self.delta_cm, axes=1)


@cache
def load_face_mesh(folder: Path) -> FaceMesh:
    """The face of `face_basis_ict.npz` without its neck."""
    with np.load(folder / "face_basis_ict.npz") as basis:
        neutral, delta, quads = basis["neutral_cm"], basis["delta_cm"].astype(np.float32), basis["faces_quad"]
        landmarks = basis["landmarks68"]
    drawn = neutral[quads][:, :, 1].min(axis=1) > LOWEST_CM
    return FaceMesh(neutral, delta, quads[drawn], landmarks)


def draw_face(axes: Axes, mesh: FaceMesh, weights: np.ndarray, error_mm: np.ndarray | None = None) -> None:
    """Draw a face on empty axes.

    Args:
        weights: (52,).
        error_mm: (V,) colours the skin instead of its own colour, 0 to `MOST_ERROR_MM`.
    """
    angle = np.deg2rad(YAW_DEG)
    turn = np.array([[np.cos(angle), 0, np.sin(angle)], [0, 1, 0], [-np.sin(angle), 0, np.cos(angle)]])
    turned = mesh.vertices_cm(weights) @ turn.T
    _paint_openings(axes, turned[mesh.landmarks][:, :2], (mesh.neutral_cm @ turn.T)[mesh.landmarks][:, :2])
    corners = turned[mesh.quads]
    normals = np.cross(corners[:, 2] - corners[:, 0], corners[:, 3] - corners[:, 1])
    normals /= np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-9)
    order = np.argsort(corners[:, :, 2].mean(axis=1))
    order = order[normals[order, 2] > -0.05]
    base = np.broadcast_to(SKIN, (len(mesh.quads), 3))
    if error_mm is not None:
        base = ERROR_COLOURS(np.clip(error_mm[mesh.quads].mean(axis=1) / MOST_ERROR_MM, 0, 1))[:, :3]
    bright = AMBIENT + (1 - AMBIENT) * np.clip(normals @ (LIGHT / np.linalg.norm(LIGHT)), 0, 1)
    colours = np.clip(base * bright[:, None] * 1.08, 0, 1)[order]
    axes.add_collection(PolyCollection(corners[order, :, :2], facecolors=colours, edgecolors=colours, linewidths=0.4))
    axes.set_aspect("equal")
    axes.set(xlim=VIEW_CM[0], ylim=VIEW_CM[1])
    axes.axis("off")


def _paint_openings(axes: Axes, marks: np.ndarray, rest: np.ndarray) -> None:
    """A dark mouth and two eyeballs behind the skin; landmarks (68, 2) of the face and of the neutral face."""
    axes.add_patch(Polygon(marks[MOUTH], color="#2e1418", linewidth=2))
    for eye in EYES:
        axes.add_patch(Polygon(marks[eye], color="#f4f1ec", linewidth=3))
        axes.add_patch(Circle(tuple(rest[eye].mean(axis=0)), IRIS_CM, color="#4d5b66", linewidth=0))
        axes.add_patch(Circle(tuple(rest[eye].mean(axis=0)), IRIS_CM * 0.45, color="#16191c", linewidth=0))


def error_mm(mesh: FaceMesh, recording: np.ndarray, prediction: np.ndarray) -> np.ndarray:
    """How far each vertex of a predicted face (52,) is from the recorded one, (V,) in mm."""
    return np.linalg.norm(mesh.vertices_cm(prediction) - mesh.vertices_cm(recording), axis=1) * 10

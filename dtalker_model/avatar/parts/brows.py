"""Eyebrows: two rounded bars that float on the forehead and follow it."""

import numpy as np

from dtalker_model.avatar.shape.falloff import Array, Indices
from dtalker_model.avatar.shape.mesh import Mesh, closed_tube, joined, mirrored
from dtalker_model.avatar.shape.surface import skin_point
from dtalker_model.avatar.targets import upper_targets

SEGMENTS = 16
AROUND = 10
SPINE = np.array([[14.5, 177.0], [23.0, 182.0], [34.0, 185.0], [45.0, 182.5], [53.0, 174.5]])
"""Control points (x, y) from the inner to the outer end."""


def spine(t: Array) -> Array:
    """(N, 2) points of the left brow's middle line at `t` in 0..1 (a Bézier curve of the fourth order)."""
    weights = np.stack([c * t**k * (1.0 - t) ** (4 - k) for k, c in enumerate((1, 4, 6, 4, 1))], axis=-1)
    return weights @ SPINE


def half_thickness(t: Array) -> Array:
    """Half of the brow's height in mm: thick inside, slim outside, round ends."""
    ends = np.sqrt(np.clip(1.0 - np.maximum(1.0 - t / 0.07, 0.0) ** 2, 0.0, 1.0))
    return ends * (3.5 - 1.3 * t) * np.sqrt(np.clip((1.02 - t) / 0.12, 0.0, 1.0))


def bar() -> tuple[Array, Indices]:
    """(points, triangles) of the left brow."""
    t = 0.5 - 0.5 * np.cos(np.pi * np.linspace(0.06, 0.97, SEGMENTS))
    flat, thick = spine(t), half_thickness(t)
    middle = skin_point(flat[:, 0], flat[:, 1])
    around = 2.0 * np.pi * np.arange(AROUND) / AROUND
    up = np.array([0.0, 1.0, -0.25])
    out = np.array([0.15, 0.0, 1.0])
    rings = middle[:, None] + thick[:, None, None] * (
        np.cos(around)[:, None] * up + 0.75 * np.sin(around)[:, None] * out
    )
    rings += 1.2 * out
    points, triangles = closed_tube(rings, rings[0].mean(axis=0), rings[-1].mean(axis=0))
    return points, triangles


def build() -> Mesh:
    """Both brows with their five targets."""
    left = bar()
    points, triangles = joined([left, mirrored(left)])
    flip, half = np.array([-1.0, 1.0, 1.0]), len(left[0])
    targets = {}
    for name, way in upper_targets.brows(points).items():
        if name == "browInnerUp":
            targets[name] = way
            continue
        right = np.concatenate([way[half:], way[:half]]) * flip
        targets |= {f"{name}Left": way, f"{name}Right": right}
    return Mesh("Brows", "brow", points, triangles, None, targets)

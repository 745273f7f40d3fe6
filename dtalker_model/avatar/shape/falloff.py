"""Smooth weights from which every deformation of the head is built. Lengths in millimetres."""

from typing import TypeAlias

import numpy as np
import numpy.typing as npt

Array: TypeAlias = npt.NDArray[np.float64]
Indices: TypeAlias = npt.NDArray[np.int64]


def smoothstep(low: float, high: float, x: Array) -> Array:
    """0 up to `low`, 1 from `high`, smooth (C1) between; `low` may exceed `high` to fall instead of rise."""
    t = np.clip((x - low) / (high - low), 0.0, 1.0)
    return t * t * (3.0 - 2.0 * t)


def bump(points: Array, centre: tuple[float, float], radii: tuple[float, float]) -> Array:
    """A Gaussian hill in the front view: 1 at `centre` (x, y), exp(-1) one radius away. `points`: (..., 2 or 3)."""
    dx = (points[..., 0] - centre[0]) / radii[0]
    dy = (points[..., 1] - centre[1]) / radii[1]
    return np.exp(-(dx * dx) - dy * dy)


def left_half(x: Array, blend_mm: float = 9.0) -> Array:
    """1 on the character's left (+x), 0 on the right, blended around the middle so that left + right is 1."""
    return smoothstep(-blend_mm, blend_mm, x)


def column(x: Array, y: Array, z: Array) -> Array:
    """Three (V,) components as one (V, 3) array."""
    return np.stack(np.broadcast_arrays(x, y, z), axis=-1).astype(np.float64)

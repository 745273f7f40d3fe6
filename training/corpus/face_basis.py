"""The linear face that metrics are measured on: vertices in cm = ``neutral_cm + weights @ delta_cm``.

`face_basis_ict.npz` of the corpus (ICT-FaceKit). Its lip vertices are named in the file; the upper face is found here.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import numpy as np

from dtalker_model.blendshapes import indices

EYES_AND_BROWS = indices("eye", "brow")
"""The 19 blendshapes whose skin is the upper face: lids, the skin round the eyes, brows and forehead."""

LEAST_MOVED_CM = 0.1
"""An upper-face vertex moves at least this far under some blendshape of eyes or brows at weight 1."""

NOSE_BRIDGE = 29
"""Of the 68 landmarks, the third on the bridge of the nose, below the lower lids. The upper face lies above it."""

MOUTH_CORNERS = (48, 54)
"""The character's right one and left one; x grows to the character's left."""
INNER_UPPER_LIP, INNER_LOWER_LIP = (61, 62, 63), (67, 66, 65)
"""Facing landmarks on the lips' inner edges, without the corners."""

LIMIT_ENTRIES = 20_000_000
"""Vertices of so many frames are computed at a time that no array is larger than 80 MB."""


@dataclass(frozen=True)
class FaceBasis:
    """What metrics need of the face.

    Attributes:
        lips_cm: displacement of each lip vertex by each blendshape, (52, L * 3) float32, in cm.
        upper_cm: the same of the upper face, (52, U * 3).
        corners_cm: the same of the two corners of the mouth, (52, 2 * 3).
        gram_mm2: (52, 52); ``e @ gram_mm2 @ e`` is the mean squared displacement of all vertices in mm2 for weights e.
        rest_gap_mm: vertical gap between the inner lips of the neutral face, in mm.
        gap_mm: (52,) what each blendshape at weight 1 adds to it.
        drop_mm: (52,) how far each blendshape at weight 1 lowers the lower lip's inner edge.
    """

    lips_cm: np.ndarray
    upper_cm: np.ndarray
    corners_cm: np.ndarray
    gram_mm2: np.ndarray
    rest_gap_mm: float
    gap_mm: np.ndarray
    drop_mm: np.ndarray = field(default_factory=lambda: np.zeros(52))

    @property
    def width_mm(self) -> np.ndarray:
        """(52,) what each blendshape at weight 1 adds to the distance between the corners of the mouth, sideways."""
        right, left = self.corners_cm.reshape(52, 2, 3).transpose(1, 0, 2)
        return (left - right)[:, 0] * 10

    def lip_gap_mm(self, weights: np.ndarray) -> np.ndarray:
        """Vertical gap between the inner lips for weights (T, 52): (T,) in mm, negative where the lips overlap."""
        return self.rest_gap_mm + weights @ self.gap_mm


def lip_basis_cm(folder: Path) -> np.ndarray:
    """Displacement of each lip vertex by each blendshape, (52, 958 * 3) float32, in cm."""
    with np.load(folder / "face_basis_ict.npz") as basis:
        return basis["delta_cm"][:, basis["lip_vertices"]].astype(np.float32).reshape(52, -1)


def upper_face_vertices(neutral_cm: np.ndarray, delta_cm: np.ndarray, landmarks68: np.ndarray) -> np.ndarray:
    """Indices of the vertices of eyes, brows and forehead.

    They are those that some blendshape of eyes or brows moves by at least 1 mm at weight 1, and that lie above the
    third landmark of the nose's bridge: cheeks that squint along are left out.
    """
    moved_cm = np.linalg.norm(delta_cm[EYES_AND_BROWS].astype(np.float32), axis=-1).max(axis=0)
    above = neutral_cm[:, 1] > neutral_cm[landmarks68[NOSE_BRIDGE], 1]
    return np.flatnonzero((moved_cm >= LEAST_MOVED_CM) & above)


@cache
def load_face_basis(folder: Path) -> FaceBasis:
    """Read `face_basis_ict.npz` of a corpus."""
    with np.load(folder / "face_basis_ict.npz") as basis:
        neutral, delta, marks = basis["neutral_cm"], basis["delta_cm"].astype(np.float32), basis["landmarks68"]
    flat = delta.reshape(52, -1).astype(np.float64)
    upper_lip, lower_lip = marks[list(INNER_UPPER_LIP)], marks[list(INNER_LOWER_LIP)]
    return FaceBasis(
        lips_cm=lip_basis_cm(folder),
        upper_cm=delta[:, upper_face_vertices(neutral, delta, marks)].reshape(52, -1),
        corners_cm=delta[:, marks[list(MOUTH_CORNERS)]].reshape(52, -1),
        gram_mm2=flat @ flat.T * 100 / delta.shape[1],
        rest_gap_mm=float((neutral[upper_lip] - neutral[lower_lip])[:, 1].mean() * 10),
        gap_mm=(delta[:, upper_lip] - delta[:, lower_lip])[:, :, 1].mean(axis=1) * 10,
        drop_mm=-delta[:, lower_lip, 1].mean(axis=1) * 10,
    )


def squared_displacement_m2(weights: np.ndarray, basis_cm: np.ndarray) -> np.ndarray:
    """Squared length of each vertex's displacement, (T, V) in m2, for weights (T, 52) and a basis (52, V * 3) in cm."""
    rows = max(LIMIT_ENTRIES // basis_cm.shape[1], 1)
    parts = [_squared_m2(weights[k : k + rows], basis_cm) for k in range(0, max(len(weights), 1), rows)]
    return np.concatenate(parts)


def _squared_m2(weights: np.ndarray, basis_cm: np.ndarray) -> np.ndarray:
    xyz = (weights.astype(np.float32) @ basis_cm).reshape(len(weights), -1, 3)
    return np.einsum("tvx,tvx->tv", xyz, xyz) * np.float32(1e-4)

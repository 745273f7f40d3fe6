"""ARKit weights of FLAME vertices: bounded least squares on a linear face, at 68 landmarks or on a basis given.

A subject's neutral face is laid onto the linear face by a similarity (Umeyama 1991); displacements from neutral, scaled
and turned alike, are matched frame by frame by weights in 0..1.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.optimize import lsq_linear

from dtalker_model.blendshapes import indices
from training.data.source import by_name

FLAME_VERTICES = 5023
# The 68 landmarks of the usual mark-up as vertices of FLAME. On VOCA's own template they lie within 1 cm (lips 0.4 to
# 0.9 cm) of those of the corpus's face, after the similarity, whose scale came out at 98 cm a metre.
LANDMARKS = np.array(
    [
        *(
            2210,
            1963,
            3056,
            3424,
            3423,
            3421,
            3419,
            3416,
            3414,
            3635,
            3643,
            3646,
            3650,
            3652,
            2004,
            568,
            728,
        ),  # jaw line
        *(2567, 337, 338, 3154, 3712, 3868, 2135, 27, 18, 1430),  # brows
        *(3560, 3561, 3501, 3564, 2751, 2793, 3556, 1676, 1623),  # nose
        *(2428, 2453, 2494, 3631, 2278, 2359, 3832, 1343, 1218, 1154, 995, 829),  # eyes
        *(2820, 2864, 2774, 3543, 1657, 1749, 1703, 1774, 1802, 3503, 2905, 2881),  # outer lips
        *(2845, 2787, 3531, 1670, 1730, 1804, 3504, 2907),  # inner lips
    ]
)
UNSEEN = indices("eyeLook", "eyeSquint", "eyeWide", "mouthPress", "cheekPuff", "tongueOut")
"""Not told apart at landmarks of another person's face: simulated, the smaller ones of these fall below r = 0.93."""
L2_PENALTY = 0.02
"""In cm2: of blendshapes that explain a frame alike, none is driven far."""


@dataclass(frozen=True)
class LinearFace:
    """neutral_cm (N, 3), delta_cm (52, N, 3), the FLAME vertices (N,) they stand for, and observed (52,) bool."""

    neutral_cm: np.ndarray
    delta_cm: np.ndarray
    vertices: np.ndarray
    observed: np.ndarray


def landmark_face(path: Path) -> LinearFace:
    """The corpus's own face (``face_basis_ict.npz``) at its 68 landmarks."""
    with np.load(path) as basis:
        marks = basis["landmarks68"]
        neutral, delta = basis["neutral_cm"][marks], basis["delta_cm"][:, marks].astype(np.float64)
    observed = np.abs(delta).max(axis=(1, 2)) > 0
    observed[UNSEEN] = False
    return LinearFace(neutral.astype(np.float64), delta, LANDMARKS, observed)


def given_face(path: Path) -> LinearFace:
    """A basis of the user's: ``names`` (K,), ``neutral_cm`` (N, 3), ``delta_cm`` (K, N, 3), ``flame_vertices`` (N,).

    Raises:
        ValueError: a field is missing or the shapes do not match.
    """
    with np.load(path) as basis:
        if missing := {"names", "neutral_cm", "delta_cm", "flame_vertices"} - set(basis):
            raise ValueError(f"{path} lacks {', '.join(sorted(missing))}")
        names, neutral, delta, vertices = (basis[k] for k in ("names", "neutral_cm", "delta_cm", "flame_vertices"))
    if delta.shape != (len(names), len(vertices), 3) or neutral.shape != (len(vertices), 3):
        raise ValueError(f"{path}: delta_cm {delta.shape} and neutral_cm {neutral.shape} do not match its vertices")
    flat, observed = by_name(delta.reshape(len(names), -1).T.astype(np.float32), [str(name) for name in names])
    return LinearFace(neutral.astype(float), flat.T.reshape(52, -1, 3).astype(float), vertices, observed)


def similarity(source: np.ndarray, target: np.ndarray) -> tuple[float, np.ndarray]:
    """Scale and rotation (3, 3) of ``target = scale * source @ rotation + shift`` with the least squared error."""
    a, b = source - source.mean(axis=0), target - target.mean(axis=0)
    u, s, vt = np.linalg.svd(a.T @ b)
    sign = np.array([1.0, 1.0, np.sign(np.linalg.det(u @ vt))])
    return float((s * sign).sum() / (a**2).sum()), (u * sign) @ vt


def solver(face: LinearFace, template_m: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
    """A function from vertices (T, 5023, 3) in metres of the subject with this neutral (5023, 3) to weights (T, 52)."""
    neutral_m = template_m[face.vertices].astype(np.float64)
    scale, rotation = similarity(neutral_m, face.neutral_cm)
    used = np.flatnonzero(face.observed)
    basis = face.delta_cm[used].reshape(len(used), -1).T
    q, r = np.linalg.qr(np.vstack([basis, np.sqrt(L2_PENALTY) * np.eye(len(used))]))

    def solve(vertices_m: np.ndarray) -> np.ndarray:
        moved = (vertices_m[:, face.vertices] - neutral_m) @ (scale * rotation)
        targets = moved.reshape(len(moved), -1) @ q[: len(basis)]
        weights = np.zeros((len(moved), 52), np.float32)
        for t, target in enumerate(targets):
            weights[t, used] = lsq_linear(r, target, bounds=(0, 1), method="bvls").x
        return weights

    return solve

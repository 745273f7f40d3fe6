"""A head whose joints move the blendshapes of our avatar, a camera before it, and a landmarker that finds them again.

The camera projects points of the avatar's skin onto a picture, each with some noise; the landmarker solves for the 52
coefficients that put them there. What it has of the avatar is what landmarkers have of faces.
"""

from collections.abc import Mapping
from functools import cache

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import nnls

from dtalker_model.blendshapes import ARKIT_NAMES, INDEX
from dtalker_model.joint_maps import CHANNELS
from dtalker_model.sinks.heads.glb_morphs import read_head
from dtalker_model.sinks.heads.head_mesh import HeadMesh

POINTS_A_SHAPE = 6
HEIGHT_PX = 400
NOISE_PX = 0.3
DISTANCE = 4.0
"""Of the camera, in head heights."""


@cache
def skin() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Points (P, 3) of the avatar at rest, and what each coefficient adds, (52, P, 3): some that each moves much."""
    mesh = HeadMesh.of(read_head(None))
    offsets = mesh.offsets.reshape(len(ARKIT_NAMES), -1, 3).astype(float)
    moves = np.linalg.norm(offsets, axis=2)
    chosen = np.unique(np.argsort(-moves, axis=1)[:, : 50 * POINTS_A_SHAPE : 50])
    height = np.ptp(mesh.vertices[:, 1])
    return mesh.vertices[chosen].astype(float) / height, offsets[:, chosen] / height


def pixels(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Where points (P, 3), in head heights, are in the picture: (2 P,)."""
    return (HEIGHT_PX * DISTANCE * points[:, :2] / (DISTANCE - points[:, 2:])).ravel()


@cache
def projection() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The picture at rest (2 P,), and how each coefficient changes it, (2 P, 52)."""
    rest, offsets = skin()
    still = pixels(rest)
    return still, np.column_stack([pixels(rest + offset) - still for offset in offsets])


class RenderedHead:
    """Stands at `positions`; `moves`: for each joint what one unit does to coefficients, clipped at 0 and 1."""

    def __init__(self, names: list[str], moves: Mapping[str, Mapping[str, float]], seed: int = 0) -> None:
        self._names, self._moves = names, moves
        self._rng = np.random.default_rng(seed)
        self.positions = np.zeros(len(names))
        self.hidden = False
        """Whether somebody stands before the camera."""
        self.looks = 0

    def move(self, positions: NDArray[np.float64]) -> None:
        self.positions = positions.copy()

    def coefficients(self) -> NDArray[np.float64]:
        """(52,) of the face as it is."""
        face = np.zeros(len(ARKIT_NAMES))
        for name, position in zip(self._names, self.positions):
            for blendshape, factor in self._moves.get(name, {}).items():
                face[INDEX[blendshape]] += factor * position
        return np.clip(face, 0, 1)

    def look(self) -> NDArray[np.float64] | None:
        self.looks += 1
        if self.hidden:
            return None
        rest, offsets = skin()
        points = rest + np.tensordot(self.coefficients(), offsets, 1)
        picture = pixels(points) + self._rng.normal(0, NOISE_PX, 2 * len(points))
        still, changes = projection()
        found, _ = nnls(changes, picture - still)
        return np.concatenate([np.clip(found, 0, 1), np.zeros(len(CHANNELS) - len(ARKIT_NAMES))])

    def close(self) -> None:
        pass

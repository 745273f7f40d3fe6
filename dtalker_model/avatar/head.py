"""The whole head as meshes and as a file."""

from dataclasses import replace

import numpy as np

from dtalker_model.avatar import glb
from dtalker_model.avatar.parts import brows, eyes, inside, paint, shell
from dtalker_model.avatar.shape import face
from dtalker_model.avatar.shape.mesh import Mesh
from dtalker_model.avatar.targets.arkit import face_targets

FOOT_Y = 22.0  # mm in the drawing that become the ground
SCALE = 1.1
"""The drawing, a head 218 mm tall with its neck, becomes 240 mm."""


def placed(mesh: Mesh) -> Mesh:
    """The mesh in its final size, standing on the ground."""
    points = SCALE * (mesh.points - np.array([0.0, FOOT_Y, 0.0]))
    return replace(mesh, points=points, targets={name: SCALE * way for name, way in mesh.targets.items()})


def meshes() -> list[Mesh]:
    """Every part; the first is the skin with all 52 targets in ARKit order."""
    rest = face.build()
    skin = Mesh("Face", "skin", rest.points, rest.triangles, paint.face_colours(rest), face_targets(rest))
    parts = [skin, brows.build(), *eyes.build(), *inside.build(), *shell.build()]
    return [placed(part) for part in parts]


def encode() -> bytes:
    """The head as binary glTF, the same bytes every time."""
    return glb.encode(meshes(), "dtalker head", "CC0 1.0")

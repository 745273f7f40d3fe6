"""A glTF head as triangles: what a picture of it needs, the node tree resolved."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from dtalker_model.blendshapes import ARKIT_NAMES
from dtalker_model.errors import SinkError
from dtalker_model.sinks.heads.glb_container import Glb
from dtalker_model.sinks.heads.glb_morphs import known

Floats = npt.NDArray[np.float32]
MOST_NODES = 100_000
_TRIANGLES = 4
_PACKED = {"KHR_draco_mesh_compression", "EXT_meshopt_compression"}


@dataclass(frozen=True, eq=False)
class HeadMesh:
    """All triangles of a head, in the scene's axes: x to the viewer's right, y up, z towards the viewer."""

    vertices: Floats
    """(V, 3) at rest."""
    offsets: Floats
    """(52, V * 3): what each ARKit blendshape adds at weight 1."""
    triangles: npt.NDArray[np.int64]
    """(F, 3) indices of vertices, counter-clockwise seen from outside."""
    colours: Floats
    """(F, 3) linear RGB in 0..1."""
    two_sided: npt.NDArray[np.bool_]
    """(F,)"""

    def posed(self, weights: Floats) -> Floats:
        """Vertices (V, 3) with ARKit `weights` (52,)."""
        return self.vertices + (weights @ self.offsets).reshape(-1, 3)

    @staticmethod
    def of(glb: Glb) -> "HeadMesh":
        """The triangles of the asset's scene; raises `SinkError` where they are compressed."""
        if packed := _PACKED.intersection(glb.json.get("extensionsRequired", [])):
            raise SinkError(f"the head is compressed ({', '.join(packed)}): save it without compression")
        parts: list[HeadMesh] = []
        for mesh, matrix in _placed_meshes(glb):
            solid = [part for part in mesh["primitives"] if part.get("mode", _TRIANGLES) == _TRIANGLES]
            parts += [_part(glb, mesh, primitive, matrix) for primitive in solid]
        starts = np.cumsum([0] + [len(part.vertices) for part in parts])
        return HeadMesh(
            np.concatenate([part.vertices for part in parts]),
            np.concatenate([part.offsets for part in parts], axis=1),
            np.concatenate([part.triangles + start for part, start in zip(parts, starts)]),
            np.concatenate([part.colours for part in parts]),
            np.concatenate([part.two_sided for part in parts]),
        )


def bounds(glb: Glb) -> tuple[Floats, Floats]:
    """The lowest and the highest corner (3,) of a box around the asset's scene, in its axes."""
    corners = []
    for mesh, place in _placed_meshes(glb):
        for part in mesh["primitives"]:
            points = glb.array(part["attributes"]["POSITION"]).astype(np.float32) @ place[:3, :3].T + place[:3, 3]
            corners += [points.min(axis=0), points.max(axis=0)]
    return np.min(corners, axis=0), np.max(corners, axis=0)


def _part(glb: Glb, mesh: dict[str, Any], primitive: dict[str, Any], matrix: Floats) -> HeadMesh:
    turn = matrix[:3, :3].T
    vertices = glb.array(primitive["attributes"]["POSITION"]).astype(np.float32) @ turn + matrix[:3, 3]
    count = len(vertices)
    offsets = np.zeros((len(ARKIT_NAMES), count * 3), np.float32)
    for target, index in known(mesh).items():
        moved = primitive["targets"][target]
        if "POSITION" in moved:
            offsets[index] += (glb.array(moved["POSITION"]).astype(np.float32) @ turn).ravel()
    corners = glb.array(primitive["indices"])[:, 0] if "indices" in primitive else np.arange(count)
    triangles = corners.astype(np.int64).reshape(-1, 3)
    material = glb.json["materials"][primitive["material"]] if "material" in primitive else {}
    colour = material.get("pbrMetallicRoughness", {}).get("baseColorFactor", [0.8, 0.8, 0.8, 1])[:3]
    colours = np.tile(np.array(colour, np.float32), (len(triangles), 1))
    if "COLOR_0" in primitive["attributes"]:
        colours *= glb.array(primitive["attributes"]["COLOR_0"])[:, :3][triangles].mean(axis=1)
    two_sided = np.full(len(triangles), bool(material.get("doubleSided", False)))
    return HeadMesh(vertices.astype(np.float32), offsets, triangles, colours, two_sided)


def _placed_meshes(glb: Glb) -> Iterator[tuple[dict[str, Any], Floats]]:
    """Each mesh of the scene with the matrix (4, 4) of its node."""
    nodes = glb.json.get("nodes", [])
    scenes = glb.json.get("scenes") or [{"nodes": range(len(nodes))}]
    waiting = [(n, np.eye(4, dtype=np.float32)) for n in scenes[glb.json.get("scene", 0)].get("nodes", [])]
    placed = 0
    while waiting:
        index, parent = waiting.pop()
        if (placed := placed + 1) > MOST_NODES:
            raise SinkError(f"the head has more than {MOST_NODES} nodes")
        node = nodes[index]
        matrix = parent @ _matrix(node)
        if "mesh" in node:
            yield glb.json["meshes"][node["mesh"]], matrix
        waiting += [(child, matrix) for child in node.get("children", [])]


def _matrix(node: dict[str, Any]) -> Floats:
    """A node's own matrix, from its matrix or its translation, rotation (x, y, z, w) and scale."""
    if "matrix" in node:
        return np.array(node["matrix"], np.float32).reshape(4, 4).T
    x, y, z, w = node.get("rotation", (0, 0, 0, 1))
    turn = [
        [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
        [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
        [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
    ]
    matrix = np.eye(4, dtype=np.float32)
    matrix[:3, :3] = np.array(turn, np.float32) * np.array(node.get("scale", (1, 1, 1)), np.float32)
    matrix[:3, 3] = node.get("translation", (0, 0, 0))
    return matrix

"""Writes meshes with morph targets as binary glTF 2.0; displacements are sparse accessors."""

import json
import struct
from typing import Any

import numpy as np
import numpy.typing as npt

from dtalker_model.avatar.shape.falloff import Array
from dtalker_model.avatar.shape.mesh import Mesh, normals
from dtalker_model.avatar.shape.palette import MATERIALS, Material, linear

FLOAT, UNSIGNED_SHORT, UNSIGNED_BYTE = 5126, 5123, 5121
ARRAY_BUFFER, ELEMENT_ARRAY_BUFFER = 34962, 34963
METRES = 0.001
MOVES_MM = 0.02
"""Points that a target moves less, and whose normal it turns less than TURNS, are left out of it."""
TURNS = 0.02


class Buffer:
    """The binary chunk and the accessors that look into it."""

    def __init__(self) -> None:
        self.data = bytearray()
        self.views: list[dict[str, int]] = []
        self.accessors: list[dict[str, Any]] = []

    def view(self, values: npt.NDArray[Any], target: int | None = None) -> int:
        """Appends an array, aligned to 4 bytes; the index of its buffer view."""
        raw = values.tobytes()
        view = {"buffer": 0, "byteOffset": len(self.data), "byteLength": len(raw)}
        self.views.append(view | ({"target": target} if target else {}))
        self.data += raw + bytes(-len(raw) % 4)
        return len(self.views) - 1

    def accessor(self, **fields: Any) -> int:
        """Appends an accessor; its index."""
        self.accessors.append(fields)
        return len(self.accessors) - 1

    def vectors(self, values: npt.NDArray[np.float32], bounds: bool) -> int:
        """A dense accessor of (V, 3) floats."""
        view = self.view(values, ARRAY_BUFFER)
        return self.accessor(
            bufferView=view, componentType=FLOAT, count=len(values), type="VEC3", **(limits(values) if bounds else {})
        )

    def sparse_vectors(
        self, values: npt.NDArray[np.float32], rows: npt.NDArray[np.uint16], view: int, bounds: bool
    ) -> int:
        """An accessor of (V, 3) floats that are zero but in `rows`, whose indices lie in the buffer view `view`."""
        sparse = {
            "count": len(rows),
            "indices": {"bufferView": view, "componentType": UNSIGNED_SHORT},
            "values": {"bufferView": self.view(values[rows])},
        }
        return self.accessor(
            componentType=FLOAT, count=len(values), type="VEC3", sparse=sparse, **(limits(values) if bounds else {})
        )


def limits(values: npt.NDArray[np.float32]) -> dict[str, list[float]]:
    """The accessor's min and max, exactly those of the stored floats."""
    return {"min": [float(v) for v in values.min(axis=0)], "max": [float(v) for v in values.max(axis=0)]}


def stored(values: Array, decimals: int) -> npt.NDArray[np.float32]:
    """Rounded to a grid, so that the last bits of one machine's arithmetic do not show in the file."""
    return (np.round(values, decimals) + 0.0).astype(np.float32)


def primitive(mesh: Mesh, buffer: Buffer) -> dict[str, Any]:
    """The mesh as one glTF primitive."""
    normal = normals(mesh.points, mesh.triangles)
    attributes = {
        "POSITION": buffer.vectors(stored(mesh.points * METRES, 6), bounds=True),
        "NORMAL": buffer.vectors(unit(normal), bounds=False),
    }
    if mesh.colours is not None:
        attributes["COLOR_0"] = colours(mesh.colours, buffer)
    indices = mesh.triangles.astype(np.uint16).reshape(-1)
    view = buffer.view(indices, ELEMENT_ARRAY_BUFFER)
    fields = {"bufferView": view, "componentType": UNSIGNED_SHORT, "count": len(indices), "type": "SCALAR"}
    result: dict[str, Any] = {"attributes": attributes, "indices": buffer.accessor(**fields)}
    result["material"] = list(MATERIALS).index(mesh.material)
    if mesh.targets:
        result["targets"] = [morph(mesh, normal, way, buffer) for way in mesh.targets.values()]
    return result


def unit(normal: Array) -> npt.NDArray[np.float32]:
    """Normals rounded and of length 1 to float32."""
    rounded = np.round(normal, 4) + 0.0
    return (rounded / np.linalg.norm(rounded, axis=-1, keepdims=True)).astype(np.float32)


def colours(values: Array, buffer: Buffer) -> int:
    """Vertex colours as four unsigned bytes, which keeps rows aligned."""
    rgba = np.full((len(values), 4), 255, dtype=np.uint8)
    rgba[:, :3] = np.round(np.clip(values, 0.0, 1.0) * 255.0).astype(np.uint8)
    view = buffer.view(rgba, ARRAY_BUFFER)
    return buffer.accessor(bufferView=view, componentType=UNSIGNED_BYTE, normalized=True, count=len(rgba), type="VEC4")


def morph(mesh: Mesh, normal: Array, way: Array, buffer: Buffer) -> dict[str, int]:
    """One morph target: displacements of points and normals."""
    turn = np.round(normals(mesh.points + way, mesh.triangles) - normal, 3)
    moved = np.linalg.norm(np.round(way, 3), axis=1) >= MOVES_MM
    touched = moved | (np.linalg.norm(turn, axis=1) >= TURNS)
    rows = np.flatnonzero(touched).astype(np.uint16)
    positions, normal_ways = stored(way * METRES, 6), stored(turn, 3)
    positions[~touched] = 0.0
    normal_ways[~touched] = 0.0
    view = buffer.view(rows)
    return {
        "POSITION": buffer.sparse_vectors(positions, rows, view, bounds=True),
        "NORMAL": buffer.sparse_vectors(normal_ways, rows, view, bounds=False),
    }


def material(name: str, look: Material) -> dict[str, Any]:
    """The glTF material."""
    base = [round(float(c), 4) for c in linear(look.colour)]
    surface = {"baseColorFactor": [*base, 1.0], "metallicFactor": look.metallic, "roughnessFactor": look.roughness}
    glow = [round(float(c), 4) for c in linear(look.glow)]
    return {"name": name, "pbrMetallicRoughness": surface} | ({"emissiveFactor": glow} if any(glow) else {})


def gltf_mesh(mesh: Mesh, buffer: Buffer) -> dict[str, Any]:
    """The glTF mesh; target names lie in `extras.targetNames`, where every loader looks."""
    result: dict[str, Any] = {"name": mesh.name, "primitives": [primitive(mesh, buffer)]}
    if mesh.targets:
        result |= {"weights": [0.0] * len(mesh.targets), "extras": {"targetNames": list(mesh.targets)}}
    return result


def encode(meshes: list[Mesh], name: str, copyright_notice: str) -> bytes:
    """The whole file: one root node with one child for each mesh."""
    buffer = Buffer()
    document = {
        "asset": {"version": "2.0", "generator": "dtalker_model.avatar", "copyright": copyright_notice},
        "scene": 0,
        "scenes": [{"name": name, "nodes": [0]}],
        "nodes": [
            {"name": name, "children": list(range(1, len(meshes) + 1))},
            *({"name": mesh.name, "mesh": i} for i, mesh in enumerate(meshes)),
        ],
        "meshes": [gltf_mesh(mesh, buffer) for mesh in meshes],
        "materials": [material(key, look) for key, look in MATERIALS.items()],
        "accessors": buffer.accessors,
        "bufferViews": buffer.views,
        "buffers": [{"byteLength": len(buffer.data)}],
    }
    text = json.dumps(document, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 4)
    chunks = struct.pack("<II", len(text), 0x4E4F534A) + text
    chunks += struct.pack("<II", len(buffer.data), 0x004E4942) + bytes(buffer.data)
    return struct.pack("<4sII", b"glTF", 2, 12 + len(chunks)) + chunks

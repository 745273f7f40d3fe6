"""Reads the shipped head back from its file, with a decoder of our own that knows sparse accessors."""

import json
import struct
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

from dtalker_model.avatar import HEAD
from dtalker_model.avatar.shape import eyelids, face, mouth

Array = npt.NDArray[Any]
DTYPES = {5121: np.uint8, 5123: np.uint16, 5125: np.uint32, 5126: np.float32}
WIDTHS = {"SCALAR": 1, "VEC3": 3, "VEC4": 4}


class Glb:
    """The JSON chunk, the binary chunk and what the accessors say."""

    def __init__(self, data: bytes) -> None:
        magic, version, length = struct.unpack_from("<4sII", data)
        assert (magic, version, length) == (b"glTF", 2, len(data))
        size, kind = struct.unpack_from("<I4s", data, 12)
        assert kind == b"JSON"
        self.json: dict[str, Any] = json.loads(data[20 : 20 + size])
        binary, kind = struct.unpack_from("<I4s", data, 20 + size)
        assert kind == b"BIN\0"
        self.binary = data[28 + size : 28 + size + binary]
        assert 28 + size + binary == len(data)

    def view(self, index: int, dtype: Any, count: int) -> Array:
        view = self.json["bufferViews"][index]
        return np.frombuffer(self.binary, dtype, count, view["byteOffset"])

    def accessor(self, index: int) -> Array:
        """(count, width) values, sparse ones spread out."""
        spec = self.json["accessors"][index]
        dtype, width, count = DTYPES[spec["componentType"]], WIDTHS[spec["type"]], spec["count"]
        if "sparse" not in spec:
            return self.view(spec["bufferView"], dtype, count * width).reshape(count, width)
        sparse = spec["sparse"]
        values = np.zeros((count, width), dtype)
        indices = sparse["indices"]
        rows = self.view(indices["bufferView"], DTYPES[indices["componentType"]], sparse["count"])
        changed = self.view(sparse["values"]["bufferView"], dtype, sparse["count"] * width)
        values[rows] = changed.reshape(-1, width)
        return values


@dataclass(frozen=True)
class Part:
    """One mesh of the file, in millimetres."""

    points: Array
    normals: Array
    triangles: Array
    targets: dict[str, Array]
    target_normals: dict[str, Array]


@cache
def glb() -> Glb:
    return Glb(HEAD.read_bytes())


@cache
def part(name: str) -> Part:
    """The mesh called `name`."""
    file = glb()
    mesh = next(mesh for mesh in file.json["meshes"] if mesh["name"] == name)
    (primitive,) = mesh["primitives"]
    attributes = primitive["attributes"]
    names = mesh.get("extras", {}).get("targetNames", [])
    morphs = primitive.get("targets", [])
    return Part(
        1e3 * file.accessor(attributes["POSITION"]).astype(np.float64),
        file.accessor(attributes["NORMAL"]).astype(np.float64),
        file.accessor(primitive["indices"]).reshape(-1, 3).astype(np.int64),
        {key: 1e3 * file.accessor(morph["POSITION"]).astype(np.float64) for key, morph in zip(names, morphs)},
        {key: file.accessor(morph["NORMAL"]).astype(np.float64) for key, morph in zip(names, morphs)},
    )


def posed(name: str, **weights: float) -> Array:
    """(V, 3) mm of a part with morph weights, as an engine adds them up."""
    mesh = part(name)
    return mesh.points + sum(weight * mesh.targets[key] for key, weight in weights.items())


@cache
def rest() -> face.Face:
    """The generator's face: its numbering is the file's."""
    return face.build()


def nearest(x: float, y: float) -> int:
    """The skin's vertex that shows at (x, y) of the drawing, in front."""
    points = rest().points
    away = np.hypot(points[:, 0] - x, points[:, 1] - y) + 100.0 * (points[:, 2] < 20.0)
    return int(np.argmin(away))


@cache
def landmarks() -> dict[str, int]:
    """Vertices of the skin; those with a side end in L or R."""
    shape = rest()
    edge, border = shape.mouth[mouth.EDGE_RING], shape.mouth[mouth.BORDER_RING]
    quarter, lid = mouth.COLUMNS // 4, eyelids.COLUMNS // 4
    left = {
        "corner": int(edge[0]),
        "upper_side": int(edge[quarter // 2]),
        "lower_side": int(edge[-(quarter // 2)]),
        "lash": int(shape.left_lids[eyelids.EDGE_RING, lid]),
        "lower_lid": int(shape.left_lids[eyelids.EDGE_RING, -lid]),
        "cheek": nearest(36.0, 108.0),
        "puff": nearest(39.0, 94.0),
        "wing": nearest(7.0, 117.0),
        "brow_in": nearest(13.0, 177.0),
        "brow_out": nearest(49.0, 178.0),
    }
    result = {
        "upper": int(edge[quarter]),
        "lower": int(edge[-quarter]),
        "upper_border": int(border[quarter]),
        "lower_border": int(border[-quarter]),
        "chin": nearest(0.0, 68.0),
        "nose": nearest(0.0, 120.0),
        "forehead": nearest(0.0, 200.0),
    }
    result |= {f"{key}L": index for key, index in left.items()}
    return result | {f"{key}R": int(shape.partner[index]) for key, index in left.items()}


def moved(target: str, landmark: str) -> Array:
    """(3,) mm in the file that a landmark goes with the full target."""
    return part("Face").targets[target][landmarks()[landmark]]

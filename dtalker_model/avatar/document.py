"""What the JSON of a glTF head must be like before anything is read out of it."""

import math
from collections import Counter
from typing import Any

LARGEST_COUNT = 10_000_000
"""Values of one accessor; a head has some ten thousand."""

_WHOLE, _NUMBER, _TEXT, _FLAG = "a whole number", "a number", "a text", "true or false"
_PLACED = {"bufferView": _WHOLE, "byteOffset": _WHOLE, "componentType": _WHOLE}
_SHAPE = {
    "scene": _WHOLE,
    "scenes": [{"nodes": [_WHOLE]}],
    "nodes": [
        {
            "mesh": _WHOLE,
            "children": [_WHOLE],
            "matrix": [_NUMBER],
            "rotation": [_NUMBER],
            "scale": [_NUMBER],
            "translation": [_NUMBER],
        }
    ],
    "meshes": [
        {
            "primitives": [
                {
                    "attributes": {"": _WHOLE},
                    "targets": [{"": _WHOLE}],
                    "indices": _WHOLE,
                    "material": _WHOLE,
                    "mode": _WHOLE,
                }
            ],
            "weights": [_NUMBER],
        }
    ],
    "accessors": [
        {**_PLACED, "count": _WHOLE, "type": _TEXT, "sparse": {"count": _WHOLE, "indices": _PLACED, "values": _PLACED}}
    ],
    "bufferViews": [{"buffer": _WHOLE, "byteOffset": _WHOLE, "byteLength": _WHOLE, "byteStride": _WHOLE}],
    "buffers": [{"byteLength": _WHOLE}],
    "materials": [{"pbrMetallicRoughness": {"baseColorFactor": [_NUMBER]}, "doubleSided": _FLAG}],
    "animations": [{}],
    "extensionsRequired": [_TEXT],
}
"""Types of the entries that we read; one key "" stands for all keys."""
_LENGTHS = {"matrix": 16, "rotation": 4, "scale": 3, "translation": 3}


def check_document(document: Any) -> None:
    """Raise `ValueError` saying what is wrong with the JSON of a glTF file: types, references, nodes in a circle."""
    _check(document, _SHAPE, "the file")
    for number, mesh in enumerate(document.get("meshes", [])):
        if not mesh.get("primitives"):
            raise ValueError(f"mesh {number} has no primitives")
    largest = max((accessor.get("count", 0) for accessor in document.get("accessors", [])), default=0)
    if largest > LARGEST_COUNT:
        raise ValueError(f"an accessor of {largest} values, at most {LARGEST_COUNT}")
    _check_nodes(document)


def _check(value: Any, shape: Any, where: str) -> None:
    if isinstance(shape, dict):
        if not isinstance(value, dict):
            raise ValueError(f"{where}: expected an object, received {_kind(value)}")
        for key, entry in value.items():
            if (wanted := shape.get(key, shape.get(""))) is not None:
                _check(entry, wanted, key)
    elif isinstance(shape, list):
        if not isinstance(value, list):
            raise ValueError(f"{where}: expected a list, received {_kind(value)}")
        if where in _LENGTHS and len(value) != _LENGTHS[where]:
            raise ValueError(f"{where}: expected {_LENGTHS[where]} numbers, received {len(value)}")
        for entry in value:
            _check(entry, shape[0], where)
    elif not _is(value, shape):
        raise ValueError(f"{where}: expected {shape}, received {_kind(value)}")


def _is(value: Any, kind: str) -> bool:
    if kind in (_TEXT, _FLAG):
        return isinstance(value, str if kind == _TEXT else bool)
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        return False
    return kind == _NUMBER or (isinstance(value, int) and value >= 0)


def _check_nodes(document: dict[str, Any]) -> None:
    """References lead somewhere, and no node is its own descendant."""
    nodes, scenes = document.get("nodes", []), document.get("scenes", [])
    meshes = len(document.get("meshes", []))
    if scenes and document.get("scene", 0) >= len(scenes):
        raise ValueError(f"there is no scene {document['scene']}")
    roots = [number for scene in scenes for number in scene.get("nodes", [])]
    children = [number for node in nodes for number in node.get("children", [])]
    if any(number >= len(nodes) for number in (*roots, *children)):
        raise ValueError(f"there are {len(nodes)} nodes, and a reference beyond")
    if any(node.get("mesh", 0) >= meshes for node in nodes if "mesh" in node):
        raise ValueError(f"there are {meshes} meshes, and a node refers to one beyond")
    parents = Counter(children)
    free = [number for number in range(len(nodes)) if parents[number] == 0]
    for number in free:  # grows while it is gone through
        for child in nodes[number].get("children", []):
            parents[child] -= 1
            if parents[child] == 0:
                free.append(child)
    if len(free) < len(nodes):
        raise ValueError("its nodes form a circle")


def _kind(value: Any) -> str:
    """For people."""
    names = {dict: "an object", list: "a list", str: "a text", bool: "true or false", type(None): "nothing"}
    return names.get(type(value), f"{value!r:.40}")

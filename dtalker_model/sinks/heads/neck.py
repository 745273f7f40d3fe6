"""How a glTF head turns: its bone where it has one, else all of it about a point in the neck."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import numpy.typing as npt

from dtalker_model.output.rotation import matrix, quaternions
from dtalker_model.sinks.heads.glb_container import Glb

Floats = npt.NDArray[np.float32]

NECK = 0.3
"""Of a head's height, from below: where the skull sits on the neck of our own."""
BONE = re.compile(r"head$", re.IGNORECASE)


def neck_point(low: Floats, high: Floats) -> Floats:
    """The point (3,) about which a head in a box from `low` to `high` turns."""
    return np.array([(low[0] + high[0]) / 2, low[1] + NECK * (high[1] - low[1]), (low[2] + high[2]) / 2], np.float32)


def turned(vertices: Floats, neck: Floats, head: Floats) -> Floats:
    """Vertices (V, 3) in glTF's axes, turned by a pose (5,) about `neck`."""
    about = vertices - neck
    return np.asarray(about @ matrix(quaternions(head[None])[0]).T + neck, np.float32)


def turning(glb: Glb, neck: Floats, heads: Floats) -> tuple[int, Floats]:
    """The node of `glb` that turns the head, and its rotations (T, 4) for poses (T, 5).

    Without a bone the scene of `glb` gets two nodes more, in place: one that turns, and one that puts `neck` there.
    """
    turns = quaternions(heads)
    bone = _bone(glb)
    if bone is None:
        return _pivot(glb, neck), turns
    above = _rotation_above(glb, bone)
    rest = np.array(glb.json["nodes"][bone].get("rotation", (0, 0, 0, 1)), np.float32)
    back = above * np.array([-1, -1, -1, 1], np.float32)
    return bone, product(product(product(back[None], turns), above[None]), rest[None])


def product(a: Floats, b: Floats) -> Floats:
    """Products (T, 4) of quaternions x y z w: first `b` turns, then `a`."""
    (ax, ay, az, aw), (bx, by, bz, bw) = np.moveaxis(a, 1, 0), np.moveaxis(b, 1, 0)
    x = aw * bx + ax * bw + ay * bz - az * by
    y = aw * by - ax * bz + ay * bw + az * bx
    z = aw * bz + ax * by - ay * bx + az * bw
    return np.stack([x, y, z, aw * bw - ax * bx - ay * by - az * bz], axis=1).astype(np.float32)


def _bone(glb: Glb) -> int | None:
    """The joint called head, where the head has one whose rotation may be animated."""
    nodes = glb.json.get("nodes", [])
    joints = [joint for skin in glb.json.get("skins", []) for joint in skin.get("joints", [])]
    named = (j for j in joints if BONE.search(str(nodes[j].get("name", ""))) and "matrix" not in nodes[j])
    return next(named, None)


def _rotation_above(glb: Glb, node: int) -> Floats:
    """Rotation (4,) of all that `node` hangs on."""
    nodes = glb.json["nodes"]
    parents = {child: n for n, entry in enumerate(nodes) for child in entry.get("children", [])}
    rotation = np.array([[0, 0, 0, 1]], np.float32)
    for _ in nodes:  # no more often: a file may go in circles
        if node not in parents:
            break
        node = parents[node]
        own = np.array([nodes[node].get("rotation", (0, 0, 0, 1))], np.float32)
        rotation = product(own, rotation)
    return np.asarray(rotation[0])


def _pivot(glb: Glb, neck: Floats) -> int:
    """Put everything below a node at `neck` that may turn; the node's index."""
    nodes: list[dict[str, Any]] = list(glb.json.get("nodes", []))
    scenes = [dict(scene) for scene in glb.json.get("scenes") or [{"nodes": list(range(len(nodes)))}]]
    scene = scenes[glb.json.get("scene", 0)]
    pivot = len(nodes)
    place = [float(v) for v in neck]
    nodes.append({"name": "neck", "translation": place, "children": [pivot + 1]})
    nodes.append({"name": "above the neck", "translation": [-v for v in place], "children": scene.get("nodes", [])})
    scene["nodes"] = [pivot]
    glb.json |= {"nodes": nodes, "scenes": scenes}
    return pivot

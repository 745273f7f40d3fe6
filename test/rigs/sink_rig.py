"""What the tests of the sinks share: frames with known curves, a tiny head, feeding a sink."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from dtalker_model.blendshapes import ARKIT_NAMES, INDEX
from dtalker_model.sinks import FanOut, Sink, SinkFrame, StreamInfo, parse_sinks
from dtalker_model.sinks.heads.glb_container import Glb

BEGUN_NS = 1_700_000_000_250_000_000
HEAD_SLOPES = np.array([0.1, 0.2, -0.15, 0.05, -0.1])
"""Of yaw, pitch, roll and the gaze, rad/s."""
TINY_TARGETS = ("browOuterUp_R", "blendShape2.JawOpen", "notArkit", "eyeBlink_L")
TINY_INDICES = {0: INDEX["browOuterUpRight"], 1: INDEX["jawOpen"], 3: INDEX["eyeBlinkLeft"]}


def ramp(seconds: float, rate_hz: float = 50.0) -> list[SinkFrame]:
    """Frames whose weights change linearly: weight i at time t is ``(i + 1) / 60 * t / seconds``, and their heads by
    `HEAD_SLOPES` t.
    """
    slopes = np.arange(1, len(ARKIT_NAMES) + 1, dtype=np.float32) / 60 / seconds
    times_s = [k / rate_hz for k in range(round(seconds * rate_hz))]
    return [SinkFrame(t, (slopes * t).astype(np.float32), (HEAD_SLOPES * t).astype(np.float32)) for t in times_s]


def info(**changes: object) -> StreamInfo:
    """A stream that is not live, begun at `BEGUN_NS`."""
    return StreamInfo(BEGUN_NS, **changes)  # type: ignore[arg-type]


def feed(texts: Sequence[str], frames: Sequence[SinkFrame], stream: StreamInfo | None = None) -> list[str]:
    """Write `frames` to the sinks that `texts` ask for; what was reported."""
    reported: list[str] = []
    sinks: list[Sink] = parse_sinks(texts)
    with FanOut(sinks, stream or info(), reported.append, needed=False) as fan_out:
        fan_out.write(frames)
    return reported


def tiny_head(path: Path) -> Path:
    """A tetrahedron with four morph targets, three of which ARKit knows, below a node that moves and turns it."""
    corners = np.array([[0, 1, 0], [-1, -1, 1], [1, -1, 1], [0, -1, -1]], np.float32)
    faces = [0, 1, 2, 0, 2, 3, 0, 3, 1, 1, 3, 2]
    glb = Glb({"asset": {"version": "2.0"}, "scene": 0, "scenes": [{"nodes": [0]}]}, b"")
    position = glb.add_floats(corners, "VEC3")
    glb.json["accessors"][position] |= {"min": corners.min(0).tolist(), "max": corners.max(0).tolist()}
    targets = []
    for k in range(len(TINY_TARGETS)):
        moved = np.zeros((4, 3), np.float32)
        moved[k] = (0, 0.5, 0) if k else (0, 1, 0)
        targets.append({"POSITION": glb.add_floats(moved, "VEC3")})
        glb.json["accessors"][-1] |= {"min": moved.min(0).tolist(), "max": moved.max(0).tolist()}
    start = len(glb.binary)
    glb.binary += np.array(faces, "<u2").tobytes()
    glb.json["bufferViews"].append({"buffer": 0, "byteOffset": start, "byteLength": 2 * len(faces)})
    glb.json["accessors"].append(
        {"bufferView": len(glb.json["bufferViews"]) - 1, "componentType": 5123, "count": len(faces), "type": "SCALAR"}
    )
    primitive = {
        "attributes": {"POSITION": position},
        "indices": len(glb.json["accessors"]) - 1,
        "targets": targets,
        "material": 0,
    }
    glb.json["materials"] = [{"pbrMetallicRoughness": {"baseColorFactor": [0.7, 0.4, 0.2, 1]}}]
    glb.json["meshes"] = [
        {"primitives": [primitive], "weights": [0, 0, 0.25, 0], "extras": {"targetNames": list(TINY_TARGETS)}}
    ]
    glb.json["nodes"] = [{"children": [1], "translation": [0, 2, 0]}, {"mesh": 0, "name": "head"}]
    glb.json["buffers"] = [{"byteLength": len(glb.binary)}]
    path.write_bytes(glb.to_bytes())
    return path

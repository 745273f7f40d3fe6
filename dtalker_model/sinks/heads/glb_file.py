"""The head as glTF with the take baked on, face and turns, as an animation: for any viewer, for Blender and Unity."""

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from dtalker_model.blendshapes import ARKIT_NAMES
from dtalker_model.errors import SinkError
from dtalker_model.output.pose import at_rest
from dtalker_model.part_file import PartFile
from dtalker_model.sinks.heads.glb_container import Glb
from dtalker_model.sinks.heads.glb_morphs import damaged, known, mesh_weights, read_head
from dtalker_model.sinks.heads.head_mesh import bounds
from dtalker_model.sinks.heads.neck import neck_point, turning
from dtalker_model.sinks.protocol import StreamInfo, TimedWeights

RATE_HZ = 30.0
SHORTEST = 10
"""Frames; a disk that has no room for so few has room for nothing."""


class GlbSink:
    """``glb:FILE``; `avatar`: another head, with ARKit morph targets. The frames wait in memory (6 kB a second)."""

    address = None

    def __init__(
        self, target: str, label: str = "glb", rate_hz: float | None = None, avatar: Path | None = None
    ) -> None:
        self.label, self.rate_hz = label, rate_hz or RATE_HZ
        self.path = Path(target)
        self._avatar = avatar
        self._head: Glb | None = None
        self._times_s: list[float] = []
        self._weights: list[npt.NDArray[np.float32]] = []
        self._heads: list[npt.NDArray[np.float32]] = []

    def open(self, info: StreamInfo) -> None:
        head = read_head(self._avatar)
        with damaged(self._avatar):
            animated(head, np.zeros(1, np.float32), np.zeros((1, len(ARKIT_NAMES)), np.float32), at_rest()[None])
        PartFile(str(self.path), keep_ending=True).close(complete=False)  # a folder that cannot be written is told now
        self._head = head

    def write(self, frame: TimedWeights) -> None:
        self._times_s.append(frame.time_s)
        self._weights.append(frame.weights)
        self._heads.append(frame.head)

    def close(self) -> None:
        """Write the file; where the disk is too full for the take, as much of its beginning as there is room for."""
        head, self._head = self._head, None
        if head is None or not self._times_s:
            return
        count = len(self._times_s)
        try:
            self._save(head, count)
        except SinkError as error:
            while (count := count // 2) >= SHORTEST:
                try:
                    self._save(head, count)
                except SinkError:
                    continue
                raise SinkError(f"{error}; the first {count} of {len(self._times_s)} frames are there") from error
            raise

    def _save(self, head: Glb, count: int) -> None:
        times_s = np.array(self._times_s[:count], np.float32)
        file = PartFile(str(self.path), keep_ending=True)
        try:
            weights, heads = (np.array(rows[:count], np.float32) for rows in (self._weights, self._heads))
            file.write(animated(head, times_s, weights, heads).to_bytes(), lines=False)
        finally:
            file.close()


def animated(
    head: Glb, times_s: npt.NDArray[np.float32], weights: npt.NDArray[np.float32], heads: npt.NDArray[np.float32]
) -> Glb:
    """A copy of `head` with one animation ``speech``: ARKit `weights` (T, 52) and poses `heads` (T, 5) at `times_s`
    (T,), linear in between. The eyes turn by their eyeLook targets.
    """
    glb = Glb({**head.json}, head.binary)
    for key in ("accessors", "bufferViews", "buffers"):
        glb.json[key] = [dict(entry) for entry in head.json.get(key, [])]
    time = glb.add_floats(times_s)
    samplers: list[dict[str, Any]] = []
    channels: list[dict[str, Any]] = []
    by_mesh: dict[int, int] = {}
    for node, mesh in _moving(glb):
        if mesh not in by_mesh:
            values = mesh_weights(glb.json["meshes"][mesh], weights).reshape(-1)
            by_mesh[mesh] = len(samplers)
            samplers.append({"input": time, "output": glb.add_floats(values), "interpolation": "LINEAR"})
        channels.append({"sampler": by_mesh[mesh], "target": {"node": node, "path": "weights"}})
    node, turns = turning(glb, neck_point(*bounds(glb)), heads)
    samplers.append({"input": time, "output": glb.add_floats(turns, "VEC4"), "interpolation": "LINEAR"})
    channels.append({"sampler": len(samplers) - 1, "target": {"node": node, "path": "rotation"}})
    animation = {"name": "speech", "samplers": samplers, "channels": channels}
    glb.json["animations"] = [*head.json.get("animations", []), animation]
    return glb


def _moving(glb: Glb) -> list[tuple[int, int]]:
    """Nodes and their meshes that have ARKit morph targets."""
    nodes = enumerate(glb.json.get("nodes", []))
    return [(n, node["mesh"]) for n, node in nodes if "mesh" in node and known(glb.json["meshes"][node["mesh"]])]

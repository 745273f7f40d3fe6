"""Makes docs/fourteen.mp4: the head of fourteen joints speaks the demo clip, as joint_mapper_node would move it.

``python -m scripts.head_film [--out FILE.mp4] [--head NAME] [--picture FILE.png --at SECONDS]``
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray

import dtalker_model
from dtalker_model.sinks.heads.ffmpeg import Encoder, defragment
from dtalker_model.sinks.heads.head_picture import MeshPicture
from dtalker_ros.joints.head_file import read_head
from dtalker_ros.joints.mapper import JointMapper
from scripts.urdf import Robot, read_robot

ROOT = Path(__file__).parents[1]
HEADS = ROOT / "launch" / "heads"
DEMO = Path(dtalker_model.__file__).parent / "data" / "demo.wav"
SIZE, RATE_HZ = 400, 25
TICK_NS, AHEAD_NS = 10_000_000, 100_000_000
"""A frame is known so long before it is to be shown."""
VIEW_RAD = 0.35
"""The camera stands so far to the head's left."""


class RobotMesh:
    """The robot's triangles as `MeshPicture` wants them: x to the viewer's right, y up, z towards the viewer."""

    def __init__(self, robot: Robot, names: list[str]) -> None:
        """`names`: of the joints, in the order of the positions that `posed` gets."""
        self._robot, self._names = robot, names
        starts = np.cumsum([0] + [len(shape.vertices) for shape in robot.shapes])
        self.triangles = np.concatenate([shape.triangles + start for shape, start in zip(robot.shapes, starts)])
        colours = [np.full((len(shape.triangles), 3), shape.colour, np.float32) for shape in robot.shapes]
        self.colours = np.concatenate(colours)
        self.two_sided = np.zeros(len(self.triangles), bool)
        self.vertices = self.posed(np.zeros(len(names), np.float32))

    def posed(self, positions: NDArray[np.float32], /) -> NDArray[np.float32]:
        """Vertices (V, 3) for joint `positions` (J,)."""
        frames = self._robot.frames(dict(zip(self._names, positions.tolist())))
        placed = [
            shape.vertices @ frames[shape.link][:3, :3].T + frames[shape.link][:3, 3] for shape in self._robot.shapes
        ]
        x, y, z = np.concatenate(placed).T
        turned = np.cos(VIEW_RAD) * y - np.sin(VIEW_RAD) * x, z, np.cos(VIEW_RAD) * x + np.sin(VIEW_RAD) * y
        return np.column_stack(turned).astype(np.float32)


def motion(head: Path, seconds: float = 1e9) -> Iterator[NDArray[np.float64]]:
    """Positions (J,) of the head in `head` at each tick of 10 ms while the demo clip is spoken."""
    pcm, rate_hz = soundfile.read(DEMO, dtype="float32")
    talker = dtalker_model.load(seed=4)
    frames = talker.push(pcm, rate_hz) + talker.flush()
    mapper, waiting = JointMapper(read_head(head)), list(frames)
    for tick in range(round(min(seconds, frames[-1].time_s) * 1e9) // TICK_NS):
        now_ns = tick * TICK_NS
        while waiting and waiting[0].time_s * 1e9 <= now_ns + AHEAD_NS:
            frame = waiting.pop(0)
            stamp_ns = round(frame.time_s * 1e9)
            mapper.push_face(stamp_ns, now_ns, frame.weights)
            mapper.push_pose(stamp_ns, now_ns, frame.head)
        yield mapper.tick(now_ns).positions


def film(name: str, out: Path) -> None:
    """Draw the film of head `name`; raises `SinkError`."""
    robot, names = read_robot(HEADS / f"{name}.urdf"), read_head(HEADS / f"{name}.yaml").names
    picture = MeshPicture(RobotMesh(robot, names), SIZE)
    shown = list(motion(HEADS / f"{name}.yaml"))[:: round(1e9 / RATE_HZ) // TICK_NS]
    with tempfile.TemporaryDirectory() as folder:
        part = Path(folder) / out.name
        encoder = Encoder(part, SIZE, RATE_HZ, DEMO, len(shown) / RATE_HZ)
        for positions in shown:
            encoder.write(picture.draw(positions.astype(np.float32)))
        encoder.close()
        defragment(part, out, len(shown) / RATE_HZ)


def main() -> None:
    """Write the film, or one picture."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "fourteen.mp4")
    parser.add_argument("--head", default="fourteen")
    parser.add_argument("--picture", type=Path)
    parser.add_argument("--at", type=float, default=0.0)
    args = parser.parse_args()
    if args.picture is None:
        return film(args.head, args.out)
    from PIL import Image

    names = read_head(HEADS / f"{args.head}.yaml").names
    picture = MeshPicture(RobotMesh(read_robot(HEADS / f"{args.head}.urdf"), names), SIZE)
    *_, positions = [read_head(HEADS / f"{args.head}.yaml").neutral, *motion(HEADS / f"{args.head}.yaml", args.at)]
    image = Image.frombytes("RGB", (SIZE, SIZE), picture.draw(positions.astype(np.float32)))
    return image.save(args.picture)


if __name__ == "__main__":
    main()

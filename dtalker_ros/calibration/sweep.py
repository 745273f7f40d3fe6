"""Moves each joint of a head through its range, up and down, the others at neutral, and looks at the face each time."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dtalker_model.errors import DtalkerError
from dtalker_ros.calibration.face_camera import FaceCamera
from dtalker_ros.joints.head import Head

REST_LOOKS = 20
"""At neutral, before anything moves: what is seen there is the rest, and how it varies is noise."""


@dataclass(frozen=True, eq=False)
class Sweep:
    """What was seen while `joint` moved: `positions` (T,), and the face (T, 57) of `CHANNELS`, 0 as it is at rest."""

    joint: str
    positions: NDArray[np.float64]
    face: NDArray[np.float64]
    unseen: int
    """Positions at which no face was found."""


@dataclass(frozen=True, eq=False)
class Recording:
    """All sweeps, and `noise` (57,): standard deviation of one row, from the looks at rest."""

    sweeps: tuple[Sweep, ...]
    noise: NDArray[np.float64]


def record(
    head: Head,
    move: Callable[[NDArray[np.float64]], None],
    camera: FaceCamera,
    steps: int,
    looks: int,
    tell: Callable[[str], object],
) -> Recording:
    """Sweep every joint.

    Args:
        move: brings the head to positions (J,), and returns when it stands still there.
        steps: positions from one end of a range to the other, each visited twice.
        looks: pictures at each, whose mean counts.
        tell: gets a line for each joint.

    Raises:
        DtalkerError: at rest no face is seen.
    """
    move(head.neutral)
    rest = [face for _ in range(max(REST_LOOKS, looks)) if (face := camera.look()) is not None]
    if len(rest) < REST_LOOKS / 2:
        raise DtalkerError(
            "no face is seen at rest: look at light, distance and focus, and whether the face is frontal"
        )
    centre = np.mean(rest, axis=0)
    sweeps = []
    for place in range(len(head.joints)):
        tell(f"joint {head.names[place]} ({place + 1} of {len(head.joints)})")
        sweeps.append(_swept(head, place, move, camera, steps, looks, centre))
        move(head.neutral)
    return Recording(tuple(sweeps), np.std(rest, axis=0) / np.sqrt(looks))


def _swept(
    head: Head,
    place: int,
    move: Callable[[NDArray[np.float64]], None],
    camera: FaceCamera,
    steps: int,
    looks: int,
    centre: NDArray[np.float64],
) -> Sweep:
    joint = head.joints[place]
    up = np.linspace(joint.minimum, joint.maximum, steps)
    positions, faces = [], []
    for position in [*up, *up[::-1]]:
        wish = head.neutral
        wish[place] = position
        move(wish)
        found = [face for _ in range(looks) if (face := camera.look()) is not None]
        if 2 * len(found) > looks:
            positions.append(position)
            faces.append(np.mean(found, axis=0) - centre)
    return Sweep(joint.name, np.array(positions), np.reshape(faces, (-1, len(centre))), 2 * steps - len(positions))

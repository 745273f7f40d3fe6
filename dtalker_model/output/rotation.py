"""A head's turn as a quaternion, in the axes of files and programs."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt


def quaternions(turns: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Quaternions (T, 4), x y z w, of yaw, pitch and roll (T, 3 or more) in rad, as glTF has its axes.

    There x points to the character's own left, y up and z forward: yaw turns about y, pitch about x, roll about z,
    each about the axes that the one before has turned.
    """
    half = turns[:, :3].astype(np.float64).T / 2
    (cy, cp, cr), (sy, sp, sr) = np.cos(half), np.sin(half)
    x = cy * sp * cr + sy * cp * sr
    y = sy * cp * cr - cy * sp * sr
    z = cy * cp * sr - sy * sp * cr
    w = cy * cp * cr + sy * sp * sr
    return np.stack([x, y, z, w], axis=1).astype(np.float32)


def matrix(quaternion: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """The rotation (3, 3) of a unit quaternion (4,), x y z w."""
    x, y, z, w = quaternion.tolist()
    rows = [
        [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
        [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
        [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
    ]
    return np.array(rows, np.float32)

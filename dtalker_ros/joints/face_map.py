"""From coefficients to wishes: where each joint would be if it had no limits."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from dtalker_model.blendshapes import ARKIT_NAMES
from dtalker_ros.joints.head import CHANNELS, Head, Joint

FACE = len(ARKIT_NAMES)


class FaceMap:
    """The J weighted sums of a head, and what follows from them."""

    def __init__(self, head: Head) -> None:
        self._weights = np.array([[joint.weights.get(name, 0.0) for name in CHANNELS] for joint in head.joints])
        self._wishes = [_wish(joint) for joint in head.joints]
        self.uses_face: list[bool] = [bool(row[:FACE].any()) for row in self._weights]
        """Whether each joint looks at the blendshapes."""

    def face(self, weights: NDArray[np.float64]) -> list[float]:
        """What the blendshapes (52,) add to each joint's sum."""
        return (self._weights[:, :FACE] @ weights).tolist()

    def pose(self, pose: NDArray[np.float64]) -> list[float]:
        """What the pose (5,), rad, adds to each joint's sum."""
        return (self._weights[:, FACE:] @ pose).tolist()

    def wish(self, place: int, total: float) -> float:
        """Position that the joint at `place` has for the sum `total`, within its range."""
        return self._wishes[place](total)


def _wish(joint: Joint) -> Callable[[float], float]:
    sign = -1.0 if joint.invert else 1.0
    sums, deflections = [x for x, _ in joint.curve], [y for _, y in joint.curve]

    def wish(total: float) -> float:
        deflection = float(np.interp(total, sums, deflections)) if sums else total
        return min(max(joint.neutral + sign * deflection, joint.minimum), joint.maximum)

    return wish

"""Calm life while nobody speaks: the gaze rests, wanders and returns; the brows drift faintly."""

import numpy as np
import numpy.typing as npt

from dtalker_model.blendshapes import INDEX
from dtalker_model.output.event_random import BROW_STREAM, GAZE_STREAM, lognormal
from dtalker_model.output.wander import SACCADE_TIME_CONSTANT_MS, Point, Uniform, Wander, follow
from dtalker_model.rates import FRAME_RATE_HZ

Curves = npt.NDArray[np.float32]

IDLE_NAMES = (
    "eyeLookOutLeft",
    "eyeLookInRight",
    "eyeLookInLeft",
    "eyeLookOutRight",
    "eyeLookUpLeft",
    "eyeLookUpRight",
    "eyeLookDownLeft",
    "eyeLookDownRight",
    "browInnerUp",
    "browOuterUpLeft",
    "browOuterUpRight",
)
IDLE = [INDEX[name] for name in IDLE_NAMES]
"""Columns of a frame's weights that idle life adds to, in the order of `IDLE_NAMES`."""

GAZE_SIDE = 0.22
GAZE_UP = 0.08
GAZE_DOWN = 0.12
"""Farthest excursions; about 7 degrees to a side."""

GAZE_HOME = 0.65
"""Part of the fixations that stay with the person in front, within `GAZE_NEAR` of straight ahead."""

GAZE_NEAR = 0.25
"""Size of these small movements, as part of the farthest excursions."""

FIXATION_S = 2.0
FIXATION_MIN_S = 0.5
BROW_HOLD_S = 4.0
BROW_LIFT = 0.06
"""Highest the brows drift."""

BROW_TIME_CONSTANT_MS = 600.0
CALM_TIME_CONSTANT_MS = 400.0
"""How slowly the face notices that a voice has stopped or started."""

WANDER_CALM = 0.75
HOME_CALM = 0.5
"""The gaze leaves after 0.55 s of silence, not in every pause, and comes home 0.28 s after the voice is back."""

STILL = 1e-4
"""Movements smaller than this are none."""


_STILL = (0.0,) * len(IDLE)
_SACCADE = follow(SACCADE_TIME_CONSTANT_MS)
_BROW = follow(BROW_TIME_CONSTANT_MS)
_CALM = follow(CALM_TIME_CONSTANT_MS)


class IdleLife:
    """State of the idle movement; while somebody speaks, its targets are drawn all the same but not followed."""

    def __init__(self, seed: int) -> None:
        self.reset(seed)

    def reset(self, seed: int) -> None:
        """Start over with event 0, eyes ahead and brows at rest."""
        self.seed = seed
        self._calm = 0.0
        self._wanders = False
        self._gaze = Wander(GAZE_STREAM, _SACCADE, _fixation)
        self._brow = Wander(BROW_STREAM, _BROW, _brow_hold)

    def apply(self, speaking: npt.NDArray[np.float32], enabled: bool) -> Curves | None:
        """What to add to the `IDLE` columns (T, len(IDLE)), or None when all of it is 0; `speaking` (T,) in 0..1."""
        rows = [self._frame(1.0 - value if enabled else 0.0) for value in speaking.tolist()]
        return np.array(rows, np.float32) if any(row is not _STILL for row in rows) else None

    def _frame(self, silence: float) -> tuple[float, ...]:
        self._calm += _CALM * (silence - self._calm)
        self._wanders = self._calm > (HOME_CALM if self._wanders else WANDER_CALM)
        side, height = self._gaze.step(self.seed, 1.0 if self._wanders else 0.0)
        lift, _ = self._brow.step(self.seed, self._calm)
        if max(abs(side), abs(height), lift) < STILL:
            return _STILL
        left, right, up, down = max(side, 0.0), max(-side, 0.0), max(height, 0.0), max(-height, 0.0)
        return left, left, right, right, up, up, down, down, lift, 0.5 * lift, 0.5 * lift


def _fixation(uniform: Uniform) -> tuple[int, Point]:
    """How long the eyes rest, and where: to the character's left and up are positive."""
    seconds = max(FIXATION_MIN_S, FIXATION_S * lognormal(uniform, 0.6))
    reach = GAZE_NEAR if uniform() < GAZE_HOME else 1.0
    side = reach * GAZE_SIDE * (2 * uniform() - 1)
    height = 2 * uniform() - 1
    return round(seconds * FRAME_RATE_HZ), (side, reach * height * (GAZE_UP if height > 0 else GAZE_DOWN))


def _brow_hold(uniform: Uniform) -> tuple[int, Point]:
    """How long the brows stay, and how high; mostly low."""
    seconds = BROW_HOLD_S * lognormal(uniform, 0.5)
    return round(seconds * FRAME_RATE_HZ), (BROW_LIFT * uniform() ** 2, 0.0)

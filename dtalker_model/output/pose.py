"""The five numbers of a head's pose, their limits, and what the eyeLook blendshapes say of the eyes.

Axes are those of REP 103 in the head: x forward, y to the character's left, z up. The head turns by yaw, then pitch,
then roll, each about the axes that the one before has turned.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from dtalker_model.blendshapes import INDEX

Array = npt.NDArray[np.float32]

POSE_NAMES = ("yaw", "pitch", "roll", "gaze_yaw", "gaze_pitch")
"""Head: to the character's own left, down, towards the own right shoulder; eyes in the head: left, down. All in rad."""

POSE_LIMITS = np.array([1.2, 0.8, 0.8, 0.6, 0.5], np.float32)
"""No pose goes beyond these, either way; as ``msg/Head.msg`` says."""

LOOK_NAMES = (
    "eyeLookOutLeft",
    "eyeLookInRight",
    "eyeLookInLeft",
    "eyeLookOutRight",
    "eyeLookDownLeft",
    "eyeLookDownRight",
    "eyeLookUpLeft",
    "eyeLookUpRight",
)
LOOK = np.array([INDEX[name] for name in LOOK_NAMES])
"""Columns of a frame's weights that turn the eyes, in the order of `LOOK_NAMES`: two each to left, right, down, up."""

SIDE_RAD, DOWN_RAD, UP_RAD = 0.6, 0.6, 0.45
"""Turn of an eye whose eyeLook weight is 1. Iphones say 0.63, 0.64 and 0.43 (least squares over 329 s of Live Link Face
recordings that have both, the corpus' ``emotion_takes``)."""

_TURNS = np.array([[SIDE_RAD, 0]] * 2 + [[-SIDE_RAD, 0]] * 2 + [[0, DOWN_RAD]] * 2 + [[0, -UP_RAD]] * 2, np.float32)
_SHOWN = np.zeros((len(INDEX), 2), np.float32)
_SHOWN[LOOK] = _TURNS / 2
_WANTED = np.zeros((2, len(INDEX)), np.float32)
_WANTED[:, LOOK] = (np.sign(_TURNS) / np.abs(_TURNS).max(axis=1, keepdims=True)).T


def at_rest() -> Array:
    """The pose (5,) of a head that looks straight ahead."""
    return np.zeros(len(POSE_NAMES), np.float32)


def eyes_shown(weights: Array) -> Array:
    """Turn of the eyes (T, 2) in rad, to the left and down, that weights (T, 52) show: the mean of both eyes."""
    return weights @ _SHOWN


def look_weights(eyes: Array) -> Array:
    """Weights (T, 52), 0 but in the `LOOK` columns, that turn the eyes by (T, 2) rad, to the left and down."""
    return np.maximum(eyes @ _WANTED, 0)

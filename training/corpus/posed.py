"""Posed expressions for emotions that nobody recorded while speaking: synthetic, from published action units.

EMFACS (Friesen and Ekman 1983) names the action units of each emotion; their ARKit counterparts give the blendshapes.
A crop of neutral speech is posed by giving it such an expression, while its jaw and lips stay as recorded. Emotions
that the data have are not posed.
"""

from __future__ import annotations

import numpy as np

from dtalker_model.blendshapes import ARKIT_NAMES, EXPRESSION, INDEX

ACTION_UNITS: dict[str, dict[str, float]] = {
    "happy": {"mouthSmile": 0.45, "cheekSquint": 0.35, "eyeSquint": 0.25, "mouthDimple": 0.10},  # 6 + 12
    "sad": {"browInner": 0.55, "browDown": 0.15, "mouthFrown": 0.30, "eyeSquint": 0.10},  # 1 + 4 + 15
    "calm": {"cheekSquint": 0.05, "mouthSmile": 0.10, "eyeSquint": 0.08},  # a trace of 6 + 12
    "angry": {
        "browDown": 0.60,
        "eyeWide": 0.12,
        "eyeSquint": 0.35,
        "noseSneer": 0.20,
        "mouthFrown": 0.12,
    },  # 4 + 5 + 7 + 23
    "fearful": {"browInner": 0.60, "browOuter": 0.25, "browDown": 0.15, "eyeWide": 0.45},  # 1 + 2 + 4 + 5 + 20
    "disgust": {
        "noseSneer": 0.50,
        "browDown": 0.35,
        "eyeSquint": 0.35,
        "cheekSquint": 0.30,
        "mouthFrown": 0.20,
    },  # 9 + 15
    "surprised": {"browInner": 0.60, "browOuter": 0.55, "eyeWide": 0.40},  # 1 + 2 + 5
}
"""Blendshape prefix to weight at normal intensity."""

POSED = [i for i in EXPRESSION if not ARKIT_NAMES[i].startswith(("eyeBlink", "eyeLook"))]
"""Blendshapes that a pose decides; blinks and gaze stay as recorded."""


def expression(emotion: str) -> np.ndarray:
    """The posed face (52,) float32 of an emotion of `ACTION_UNITS`."""
    face = np.zeros(len(ARKIT_NAMES), np.float32)
    for prefix, weight in ACTION_UNITS[emotion].items():
        face[[i for name, i in INDEX.items() if name.startswith(prefix)]] = weight
    return face


def pose(motion: np.ndarray, observed: np.ndarray, emotion: str, strength: float) -> tuple[np.ndarray, np.ndarray]:
    """Motion (T, 52) of neutral speech with a posed expression, and what of it is supervised."""
    motion, observed = motion.copy(), observed.copy()
    motion[:, POSED] = strength * expression(emotion)[POSED]
    observed[:, POSED] = observed.max(axis=1, keepdims=True)
    return motion, observed

"""ARKit-52 blendshapes: their order, and the groups that dtalker treats alike."""

ARKIT_NAMES: tuple[str, ...] = (
    "eyeBlinkLeft",
    "eyeLookDownLeft",
    "eyeLookInLeft",
    "eyeLookOutLeft",
    "eyeLookUpLeft",
    "eyeSquintLeft",
    "eyeWideLeft",
    "eyeBlinkRight",
    "eyeLookDownRight",
    "eyeLookInRight",
    "eyeLookOutRight",
    "eyeLookUpRight",
    "eyeSquintRight",
    "eyeWideRight",
    "jawForward",
    "jawLeft",
    "jawRight",
    "jawOpen",
    "mouthClose",
    "mouthFunnel",
    "mouthPucker",
    "mouthLeft",
    "mouthRight",
    "mouthSmileLeft",
    "mouthSmileRight",
    "mouthFrownLeft",
    "mouthFrownRight",
    "mouthDimpleLeft",
    "mouthDimpleRight",
    "mouthStretchLeft",
    "mouthStretchRight",
    "mouthRollLower",
    "mouthRollUpper",
    "mouthShrugLower",
    "mouthShrugUpper",
    "mouthPressLeft",
    "mouthPressRight",
    "mouthLowerDownLeft",
    "mouthLowerDownRight",
    "mouthUpperUpLeft",
    "mouthUpperUpRight",
    "browDownLeft",
    "browDownRight",
    "browInnerUp",
    "browOuterUpLeft",
    "browOuterUpRight",
    "cheekPuff",
    "cheekSquintLeft",
    "cheekSquintRight",
    "noseSneerLeft",
    "noseSneerRight",
    "tongueOut",
)
"""The 52 names in ARKit order, as in ``face_basis_ict.npz``. Left is the character's left."""

INDEX: dict[str, int] = {name: i for i, name in enumerate(ARKIT_NAMES)}
"""Index of each name in a frame's ``weights``."""


def indices(*prefixes: str) -> list[int]:
    """Indices of the blendshapes whose name begins with one of `prefixes`, in ARKit order."""
    return [i for i, name in enumerate(ARKIT_NAMES) if name.startswith(prefixes)]


UPPER_FACE = indices("eye", "brow", "cheekSquint", "noseSneer")
"""Eyes, brows, upper cheeks and nose: 23 blendshapes."""

LOWER_FACE = [i for i in range(len(ARKIT_NAMES)) if i not in UPPER_FACE]
"""Jaw, lips, lower cheeks and tongue: 29 blendshapes."""

_GAZE = {"eyeLookInRight": "eyeLookOutLeft", "eyeLookOutRight": "eyeLookInLeft"}
_SIDEWAYS = ("jawRight", "mouthRight")

LEFT_OF = [
    i if name in _SIDEWAYS or not name.endswith("Right") else INDEX[_GAZE.get(name, name.replace("Right", "Left"))]
    for i, name in enumerate(ARKIT_NAMES)
]
"""For each blendshape of the right half the one of the left that moves with it, eyes looking the same way; for all
others themselves: jaw and mouth go to one side at a time."""

EXPRESSION = sorted(UPPER_FACE + indices("mouthSmile", "mouthFrown", "mouthDimple"))
"""Blendshapes that carry an expression and stay when nobody speaks."""

ARTICULATION = [i for i in range(len(ARKIT_NAMES)) if i not in EXPRESSION]
"""Blendshapes that articulate speech and come to rest when nobody speaks."""

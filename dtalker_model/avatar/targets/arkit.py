"""The 52 ARKit morph targets of the skin, in ARKit order; right ones are the mirror images of the left."""

import numpy as np

from dtalker_model.avatar.shape.face import Face
from dtalker_model.avatar.shape.falloff import Array
from dtalker_model.avatar.targets import mouth_targets, upper_targets
from dtalker_model.avatar.targets.jaw import mouth_frame
from dtalker_model.blendshapes import ARKIT_NAMES

MIRROR = np.array([-1.0, 1.0, 1.0])


def face_targets(face: Face) -> dict[str, Array]:
    """Target -> displacement (V, 3) mm, all 52 in ARKit order."""
    frame = mouth_frame(face)
    upper, inner_up = upper_targets.left_sided(face)
    left = {**mouth_targets.left_sided(frame), **upper}
    single = {**mouth_targets.one_sided(frame), "browInnerUp": inner_up}
    mirror = face.partner
    single["mouthRight"] = single["mouthLeft"][mirror] * MIRROR
    named = {f"{name}Left": way for name, way in left.items()}
    named |= {f"{name}Right": way[mirror] * MIRROR for name, way in left.items()}
    named |= single
    return {name: named[name] for name in ARKIT_NAMES}

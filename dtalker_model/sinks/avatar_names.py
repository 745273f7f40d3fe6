"""Which of an avatar's morph targets is which ARKit blendshape."""

import re

from dtalker_model.blendshapes import INDEX

_BY_LOWER = {name.lower(): index for name, index in INDEX.items()}


def arkit_index(name: str) -> int | None:
    """Index in `ARKIT_NAMES` of a morph target called `name`, None where it is none of them.

    Knows ``jawOpen``, ``JawOpen``, ``eyeBlink_L``, ``blendShape2.eyeBlinkLeft`` and the like.
    """
    plain = re.split(r"[.:|]", name)[-1]
    plain = re.sub(r"_L$", "Left", re.sub(r"_R$", "Right", plain))
    return _BY_LOWER.get(plain.replace("_", "").replace(" ", "").lower())

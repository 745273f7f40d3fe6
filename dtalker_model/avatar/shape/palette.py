"""Colours (sRGB as #rrggbb) and materials of the head. Skin, mouth and eyes are vertex colours under white."""

from dataclasses import dataclass

import numpy as np

from dtalker_model.avatar.shape.falloff import Array

SKIN = "#f5cfb7"
BLUSH = "#ee9f8c"
LIP = "#d98c7c"
LIP_EDGE = "#b4575c"
MOUTH = "#6e2730"
THROAT = "#2a0d14"
LID = "#e3ae9a"
LASH = "#2c2f3d"
SCLERA = "#fbfaf7"
IRIS = "#2fa7b8"
IRIS_INNER = "#7fe0de"
IRIS_EDGE = "#12485c"
PUPIL = "#0b141c"
BROW = "#3a4256"
TONGUE = "#dd7f82"
GUM = "#c4626a"
TOOTH = "#fbf7ee"


@dataclass(frozen=True)
class Material:
    """A glTF metallic-roughness material; `colour` and `glow` (emission) in sRGB."""

    colour: str = "#ffffff"
    metallic: float = 0.0
    roughness: float = 0.5
    glow: str = "#000000"


MATERIALS = {
    "skin": Material(roughness=0.48),
    "eye": Material(roughness=0.12),
    "catchlight": Material(colour="#ffffff", glow="#e6f4ff", roughness=0.3),
    "inside": Material(roughness=0.35),
    "brow": Material(colour=BROW, roughness=0.6),
    "shell": Material(colour="#4a7fb0", metallic=0.15, roughness=0.33),
    "trim": Material(colour="#e7ebf0", metallic=0.35, roughness=0.3),
    "joint": Material(colour="#3b4252", metallic=0.3, roughness=0.55),
    "glow": Material(colour="#37d6d0", glow="#2cc7c4", roughness=0.4),
}


def linear(colour: str) -> Array:
    """(3,) linear RGB in 0..1 of an sRGB colour written #rrggbb."""
    srgb = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255.0
    return np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)


def blend(first: Array, second: Array, weight: Array) -> Array:
    """Colours (V, 3) between `first` and `second` ((3,) or (V, 3)), by `weight` (V,) of the second."""
    return first + (second - first) * weight[..., None]

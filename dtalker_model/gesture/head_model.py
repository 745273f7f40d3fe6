"""What a head's way of moving is made of: filters and rates, fitted to recordings or set by hand, in one JSON file.

The file lies beside the model's ``.onnx`` as ``NAME.head.json`` and is its own card: data, licence, figures, seed,
commit. A model without one moves by `by_hand`.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

import numpy as np

from dtalker_model.errors import ModelError

FORMAT = "dtalker-head-1"
LARGEST = 1000.0
"""No number of a head is larger, so that every pose is finite."""
TURNS = 3
"""Yaw, pitch, roll."""
HEARD = 2
"""What the head hears: loudness and whether somebody speaks, both 0..1; see `dtalker_model.gesture.sway`."""
NOD_S = (0.2, 0.8)
"""Time constants of what the head does with it: more of them explain no more of unseen actors' pitch."""

HAND_TAPS = 200
HAND_TIME_CONSTANT_FRAMES = 8.0
HAND_DEVIATION_RAD = (0.04, 0.05, 0.03)
HAND_NOD_RAD = -0.05


@dataclass(frozen=True, eq=False)
class HeadModel:
    """How a head moves.

    Attributes:
        noise: (K, 3, 3) float32, rad: white noise of k frames ago and of source j moves turn i by ``noise[k, j, i]``.
        response: (2, 2) float32, rad: how far loudness (0) and speech (1) tilt the head down, each through a low-pass
            with the time constant of `NOD_S`.
        calm: deviation of the noise while nobody speaks; 1 while somebody does.
        contact_s, averted_s: mean length of a look at the person in front, and of one past them.
        aversion: part of all looks that go past them, 0..1.
        near_rad, far_rad: deviation to the side, and in height, of either kind of look.
        steady: part of the head's yaw and of its pitch that the eyes turn against, 0..1.
        card: data, licence and figures, as they stand in the file.
    """

    noise: np.ndarray
    response: np.ndarray
    calm: float
    contact_s: float
    averted_s: float
    aversion: float
    near_rad: tuple[float, float]
    far_rad: tuple[float, float]
    steady: tuple[float, float]
    card: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name, shape in (("noise", (len(self.noise), TURNS, TURNS)), ("response", (len(NOD_S), HEARD))):
            values = getattr(self, name)
            if values.shape != shape or not len(values) or not (np.abs(values) <= LARGEST).all():
                raise ValueError(f"{name}: expected finite numbers {shape}, found {values.shape}")
        if not all(0 <= n <= LARGEST for n in (self.calm, *self.near_rad, *self.far_rad, *self.steady)):
            raise ValueError(f"calm, near_rad, far_rad and steady: expected numbers from 0 to {LARGEST:g}")
        if not 0 <= self.aversion <= 1 or not all(0 < s <= LARGEST for s in (self.contact_s, self.averted_s)):
            raise ValueError("looks must last, and their part be 0..1")


def head_path(onnx: Path) -> Path:
    """``NAME.head.json`` beside ``NAME.onnx``."""
    return onnx.with_suffix(".head.json")


def read_head_model(onnx: Path) -> HeadModel:
    """The way of moving of the model at `onnx`; `by_hand` where it has none. Raises `ModelError`."""
    path = head_path(onnx)
    if not path.is_file():
        return by_hand()
    try:
        return from_dict(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError, KeyError, OverflowError, RecursionError) as error:
        raise ModelError(f"{path.name} does not say how a head moves ({error}): install the model again") from None


def from_dict(values: dict[str, Any]) -> HeadModel:
    """A head model from the content of its file; raises ValueError, TypeError or KeyError."""
    if not isinstance(values, dict):
        raise ValueError(f"expected keys and values, found {type(values).__name__}")
    if values.get("format") != FORMAT:
        raise ValueError(f"format {values.get('format')!r}, expected {FORMAT!r}")
    numbers = values["motion"]
    parts: dict[str, Any] = {name: np.array(numbers[name], np.float32) for name in ("noise", "response")}
    parts |= {name: float(numbers[name]) for name in ("calm", "contact_s", "averted_s", "aversion")}
    for name in ("near_rad", "far_rad", "steady"):
        side, height = numbers[name]
        parts[name] = float(side), float(height)
    return HeadModel(**parts, card={name: value for name, value in values.items() if name != "motion"})


def to_dict(model: HeadModel) -> dict[str, Any]:
    """The content of a model's file."""
    arrays = {name: np.round(getattr(model, name), 7).tolist() for name in ("noise", "response")}
    rest = {name: getattr(model, name) for name in _NUMBERS if name not in arrays}
    return {"format": FORMAT, **model.card, "motion": {**rest, **arrays}}


def by_hand() -> HeadModel:
    """A calm head whose numbers were chosen, not learned: free to use for whatever purpose.

    The noise has a third-order low-pass of 160 ms, so that most of it lies below 1 Hz; loud speech lifts the head by up
    to 3 degrees within a fifth of a second.
    """
    age = np.arange(HAND_TAPS)
    shape = (age + 1.0) ** 2 * np.exp(-age / HAND_TIME_CONSTANT_FRAMES)
    noise = (shape / np.linalg.norm(shape))[:, None, None] * np.diag(HAND_DEVIATION_RAD)
    response = np.zeros((len(NOD_S), HEARD))
    response[0, 0] = HAND_NOD_RAD
    return HeadModel(
        noise=noise.astype(np.float32),
        response=response.astype(np.float32),
        calm=0.5,
        contact_s=2.5,
        averted_s=0.9,
        aversion=0.35,
        near_rad=(0.02, 0.02),
        far_rad=(0.12, 0.08),
        steady=(0.5, 0.5),
        card={"name": "by hand", "licence": "as the model's", "description": str(by_hand.__doc__).split("\n")[0]},
    )


_NUMBERS = tuple(f.name for f in fields(HeadModel) if f.name != "card")

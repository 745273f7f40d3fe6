"""Lips by phones, in absolute terms: losses that hold on any voice, whether or not its motion was recorded.

Weights of blendshapes are turned into millimetres on the face basis: the gap of the inner lips, the width between the
corners of the mouth, and the height of the lower lip, each beyond rest; rounding is mouthFunnel + mouthPucker.
"""

from __future__ import annotations

import torch
from torch import Tensor

from dtalker_model.blendshapes import INDEX
from training.corpus.lip_targets import CLOSED, OPEN, REST, ROUND, SPREAD, TEETH, UNROUND, UNSPREAD

MEET_MM = 0.3
OVERLAP_MM = -1.0
"""Lips that close over each other this far are pressed hard enough."""
APART_MM = 5.0
AT_REST_MM = 1.0
AT_TEETH_MM = 0.7
ROUNDED, UNROUNDED = 0.3, 0.06
WIDE_MM, NARROW_MM = 2.0, 0.0

ROUNDING = [INDEX["mouthFunnel"], INDEX["mouthPucker"]]

LIPS = {
    "lips_closed": (CLOSED, 0.9),
    "lips_teeth": (TEETH, 0.9),
    "lips_round": (ROUND, 120.0),
    "lips_unround": (UNROUND, 60.0),
    "lips_spread": (SPREAD, 0.5),
    "lips_unspread": (UNSPREAD, 0.2),
    "lips_open": (OPEN, 0.6),
    "lips_rest": (REST, 0.05),
}
"""Terms of the loss: bit of the target, and scale of its squared violation (in mm; rounding in weights)."""

BELOW_ZERO = 0.05
"""What is left of a weight below 0, which the output stage clamps: a jaw cannot shut lips by opening backwards."""

OF_RECORDINGS = CLOSED
"""What is asked of recorded faces too: no tracker measures contact. All else they show themselves."""


def lips(weights: Tensor, targets: Tensor, geometry_mm: Tensor) -> dict[str, Tensor]:
    """Squared violation of each target of `LIPS`: mean over all frames, scaled.

    Args:
        weights: (B, T, 52) of blendshapes. targets: (B, T) bits of `lip_targets`.
        geometry_mm: (3, 52), what each blendshape adds to gap, width and height of the lower lip.
    """
    weights = torch.nn.functional.leaky_relu(weights, BELOW_ZERO)
    gap, width, height = (weights @ row for row in geometry_mm)
    rounding = weights[..., ROUNDING].sum(dim=-1)
    relu = torch.relu
    violations = {
        CLOSED: relu(gap - MEET_MM) + relu(OVERLAP_MM - gap),
        TEETH: relu(-height - AT_TEETH_MM),
        ROUND: relu(ROUNDED - rounding),
        UNROUND: relu(rounding - UNROUNDED),
        SPREAD: relu(WIDE_MM - width),
        UNSPREAD: relu(width - NARROW_MM),
        OPEN: relu(APART_MM - gap),
        REST: relu(gap - AT_REST_MM),
    }
    return {name: scale * (violations[bit] ** 2 * ((targets & bit) > 0)).mean() for name, (bit, scale) in LIPS.items()}


def asked(targets: Tensor, recorded: Tensor) -> Tensor:
    """The targets (B, T) that hold, where crops `recorded` (B,) of 0 or 1 show a face of their own."""
    return torch.where(recorded[:, None] > 0, targets & OF_RECORDINGS, targets)

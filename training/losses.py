"""Losses on predicted motion. Motion is normalised per coefficient; `observed` masks what nobody measured.

| our name        | DiffusionTalker |
| --------------- | --------------- |
| reconstruction  | eq. (4), L_rec  |
"""

from __future__ import annotations

import torch
from torch import Tensor, nn


def reconstruction(clean: Tensor, motion: Tensor, observed: Tensor) -> Tensor:
    """Mean squared error over observed coefficients, eq. (4). clean, motion (B, T, 52); observed (B, T, 52), 0 or 1."""
    return ((clean - motion) ** 2 * observed).sum() / observed.sum().clamp(min=1)


def velocity(clean: Tensor, motion: Tensor, observed: Tensor) -> Tensor:
    """`reconstruction` of the difference between successive frames."""
    both = observed[:, 1:] * observed[:, :-1]
    return reconstruction(clean.diff(dim=1), motion.diff(dim=1), both)


def vertex(clean: Tensor, motion: Tensor, observed: Tensor, gram: Tensor) -> Tensor:
    """Mean squared displacement error of a linear face: error^T G error, with G (52, 52) = basis basis^T / vertices."""
    error = (clean - motion) * observed
    frames = observed.any(dim=-1).sum().clamp(min=1)
    return torch.einsum("btc,cd,btd->", error, gram, error) / frames


def phone(logits: Tensor, labels: Tensor) -> Tensor:
    """Cross-entropy of phones; logits (B, T, P), labels (B, T), -1 where unknown."""
    return nn.functional.cross_entropy(logits.flatten(0, 1), labels.flatten(), ignore_index=-1, label_smoothing=0.05)

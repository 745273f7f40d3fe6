"""Losses on predicted motion. Motion is normalised per coefficient; `observed` masks what nobody measured.

Each is a sum over cells divided by their number, whether or not they are observed: so the mean over the processes of a
run is the loss of the global batch.

| our name        | DiffusionTalker |
| --------------- | --------------- |
| reconstruction  | eq. (4), L_rec  |
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from training.corpus.batches import Batch


def reconstruction(clean: Tensor, motion: Tensor, observed: Tensor) -> Tensor:
    """Squared error of observed coefficients, mean over all cells, eq. (4).

    Args:
        clean, motion: (B, T, 52). observed: (B, T, 52), 0 or 1, or a weight.
    """
    return ((clean - motion) ** 2 * observed).mean()


def velocity(clean: Tensor, motion: Tensor, observed: Tensor) -> Tensor:
    """`reconstruction` of the difference between successive frames."""
    return reconstruction(clean.diff(dim=1), motion.diff(dim=1), observed[:, 1:] * observed[:, :-1])


def vertex(clean: Tensor, motion: Tensor, observed: Tensor, gram: Tensor) -> Tensor:
    """Mean squared displacement error of a linear face: error^T G error, with G (52, 52) = basis basis^T / vertices."""
    error = (clean - motion) * observed
    return torch.einsum("btc,cd,btd->bt", error, gram, error).mean()


def lip_gap(clean: Tensor, motion: Tensor, observed: Tensor, gap: Tensor) -> Tensor:
    """Squared error of the gap between the lips, a linear function of the coefficients.

    Args:
        clean, motion, observed: (B, T, 52). gap: (52,), what a unit of each coefficient adds.
    """
    return _gap_error(clean, motion, observed, gap).square().mean()


def _gap_error(clean: Tensor, motion: Tensor, observed: Tensor, gap: Tensor) -> Tensor:
    return ((clean - motion) * observed) @ gap


def phone(logits: Tensor, labels: Tensor) -> Tensor:
    """Cross-entropy of phones, mean over all frames; logits (B, T, P), labels (B, T), -1 where unknown: no loss."""
    total = nn.functional.cross_entropy(
        logits.flatten(0, 1), labels.flatten(), ignore_index=-1, label_smoothing=0.05, reduction="sum"
    )
    return total / labels.numel()


def distances(clean: Tensor, motion: Tensor, batch: Batch, gram: Tensor, gap: Tensor) -> dict[str, Tensor]:
    """Terms between predicted and recorded motion, both normalised, (B, T, 52); gram, gap: the face's geometry."""
    return {
        "reconstruction": reconstruction(clean, motion, batch.observed),
        "velocity": velocity(clean, motion, batch.observed),
        "vertex": vertex(clean, motion, batch.observed, gram),
        "lip_gap": lip_gap(clean, motion, batch.observed, gap),
    }

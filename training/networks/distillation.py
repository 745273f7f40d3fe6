"""Personalizer-guided distillation: what a student of n steps learns from a teacher of 2n (section II.D).

| our name                   | DiffusionTalker                                       |
| -------------------------- | ----------------------------------------------------- |
| predict                    | t_theta, s_eta: noisy motion and level to clean motion |
| steps                      | n of the student                                      |
| level                      | tau / n                                               |
| halfway, next_level        | tau' (8), tau'' (9)                                   |
| halved_target              | x^te, eqs. (8) to (10)                                |
| distillation               | L_dis (11)                                            |
| alignment                  | L_ae (12)                                             |
| enhanced                   | F_pu (13)                                             |
| enhancement                | L_pc (14)                                             |
"""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor, nn

from dtalker_model.networks.diffusion import alpha_sigma, denoise

Predict = Callable[[Tensor, Tensor], Tensor]
"""noisy motion (B, T, 52), level (B,) -> clean motion (B, T, 52)."""


def halved_target(predict: Predict, noisy: Tensor, level: Tensor, steps: Tensor) -> Tensor:
    """The clean motion with which one step of a student goes where two of its teacher go, eqs. (8) to (10).

    Args:
        predict: the teacher, of twice as many steps.
        noisy: (B, T, 52) at `level` (B,), one of k / steps.
        steps: (B,) of the student.

    Returns:
        (B, T, 52).
    """
    halfway, next_level = level - 0.5 / steps, level - 1.0 / steps
    t, t1, t2 = (x[:, None, None] for x in (level, halfway, next_level.clamp(min=0)))
    middle = denoise(noisy, predict(noisy, level), t, t1)
    reached = denoise(middle, predict(middle, halfway), t1, t2)
    (alpha, sigma), (next_alpha, next_sigma) = alpha_sigma(t), alpha_sigma(t2)
    return (reached - next_sigma / sigma * noisy) / (next_alpha - next_sigma / sigma * alpha)


def distillation(student: Tensor, target: Tensor, level: Tensor) -> Tensor:
    """Squared distance of two clean motions (B, T, 52), weighed by the signal-to-noise ratio, at least 1: eq. (11)."""
    alpha, sigma = alpha_sigma(level)
    weight = ((alpha / sigma) ** 2).clamp(min=1.0)
    return (weight[:, None, None] * (student - target) ** 2).mean()


def alignment(large: Tensor, small: Tensor) -> Tensor:
    """One minus the mean cosine of two audio features (B, T, D): eq. (12)."""
    return 1 - nn.functional.cosine_similarity(large, small, dim=-1).mean()


class Enhancer(nn.Module):
    """The personalizer enhancer's cross-attention: p asks, the predicted upper face answers.

    One serves teacher and student. p is one vector a clip, x_u one a frame; what comes back is one vector a clip.
    """

    def __init__(self, embedding_dim: int, upper_dim: int, key_dim: int = 64) -> None:
        super().__init__()
        self.query = nn.Linear(embedding_dim, key_dim)
        self.f_k = nn.Sequential(nn.Linear(upper_dim, key_dim), nn.ReLU(), nn.Linear(key_dim, key_dim))
        self.f_v = nn.Sequential(nn.Linear(upper_dim, key_dim), nn.ReLU(), nn.Linear(key_dim, key_dim))

    def forward(self, p: Tensor, upper: Tensor) -> Tensor:
        """F_pu (B, key_dim), eq. (13), of p (B, embedding_dim) and the upper face x_u (B, T, upper_dim).

        The paper's p has the length of a key already; ours is brought to it by a linear layer.
        """
        keys = self.f_k(upper)
        scores = torch.einsum("bd,btd->bt", self.query(p), keys) / math.sqrt(keys.shape[-1])
        return torch.einsum("bt,btd->bd", torch.softmax(scores, dim=-1), self.f_v(upper))


def enhancement(teacher: Tensor, student: Tensor, temperature: float = 0.1) -> Tensor:
    """L_pc, eq. (14), of the feature maps F_pu (M, D) of M clips of different identities and emotions.

    Normalised before they are compared, as for eqs. (5) and (6).
    """
    unit = nn.functional.normalize
    logits = unit(teacher, dim=-1) @ unit(student, dim=-1).T / temperature
    return nn.functional.cross_entropy(logits, torch.arange(len(logits), device=logits.device))


def different(identity: Tensor, emotion: Tensor, most: int) -> Tensor:
    """Rows of a batch of which no two share an identity or an emotion, the first that fit, at most `most`: (M,)."""
    rows: list[int] = []
    for row, (i, e) in enumerate(zip(identity.tolist(), emotion.tolist())):
        if len(rows) < most and all(i != int(identity[r]) and e != int(emotion[r]) for r in rows):
            rows.append(row)
    return torch.tensor(rows, device=identity.device)

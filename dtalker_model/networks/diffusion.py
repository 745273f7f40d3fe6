"""The diffusion process: schedule, noising, and steps back. Plain functions of tensors; torch, not on the runtime path.

| our name                 | DiffusionTalker                                          |
| ------------------------ | -------------------------------------------------------- |
| level                    | t / T, in 0 (data) .. 1 (noise)                          |
| alpha                    | alpha_tau of eq. (8), the root of bar-alpha_t of eq. (2) |
| sigma                    | sigma_tau of eq. (8), the root of 1 - bar-alpha_t        |
| clean                    | x_0, which the network predicts                          |
| noisy                    | x_t                                                      |
| levels                   | t of each step: N / N, (N - 1) / N, ..., 1 / N           |
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from dtalker_model.blendshapes import ARKIT_NAMES, UPPER_FACE


def alpha_sigma(level: Tensor) -> tuple[Tensor, Tensor]:
    """Cosine schedule, variance preserving: signal alpha and noise sigma at noise level 0 (data) to 1 (noise)."""
    return torch.cos(level * (math.pi / 2)), torch.sin(level * (math.pi / 2))


def diffuse(clean: Tensor, noise: Tensor, level: Tensor) -> Tensor:
    """Noisy motion at `level`, eq. (2), which is the chain of eq. (1) in one step; level broadcasts against clean."""
    alpha, sigma = alpha_sigma(level)
    return alpha * clean + sigma * noise


def denoise(noisy: Tensor, clean: Tensor, level: Tensor, next_level: Tensor) -> Tensor:
    """One deterministic step from `level` to `next_level` given the predicted clean motion: eq. (8)."""
    alpha, sigma = alpha_sigma(level)
    next_alpha, next_sigma = alpha_sigma(next_level)
    return next_alpha * clean + next_sigma / sigma * (noisy - alpha * clean)


def ancestral_step(noisy: Tensor, clean: Tensor, level: Tensor, next_level: Tensor, noise: Tensor) -> Tensor:
    """One random step from `level` to `next_level`, eq. (3), written for a network that predicts the clean motion.

    With alpha_t of eq. (3) the ratio of successive squared alphas, epsilon_theta the noise that `clean` leaves in
    `noisy`, and sigma_t squared the variance of the posterior. At next_level 0 it gives `clean`.
    """
    alpha, sigma = alpha_sigma(level)
    next_alpha, next_sigma = alpha_sigma(next_level)
    ratio = (alpha / next_alpha) ** 2
    towards_clean = next_alpha * (1 - ratio) / sigma**2 * clean
    mean = towards_clean + ratio.sqrt() * (next_sigma / sigma) ** 2 * noisy
    return mean + next_sigma / sigma * (1 - ratio).sqrt() * noise


def sampling_levels(steps: int) -> list[float]:
    """Noise levels visited by a sampler of `steps` steps, from 1 down: 1, (N-1)/N, ..., 1/N."""
    return [k / steps for k in range(steps, 0, -1)]


def noise_scale(upper: float, lower: float) -> Tensor:
    """Temperature of each blendshape's noise, (52,): below 1 the samples lie nearer to the most likely motion."""
    scale = torch.full((len(ARKIT_NAMES),), lower)
    scale[UPPER_FACE] = upper
    return scale

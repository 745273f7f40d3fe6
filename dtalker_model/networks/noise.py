"""Noise with the motion's own spectrum: white noise through a causal low-pass of each coefficient's own time constant.

With white noise a network of few steps cannot tell noise from motion by its level alone, and what it samples jitters.
The filter is the impulse response t^2 exp(-t / tau) of a third-order low-pass, cut at `TAPS` frames and scaled to unit
variance; its state is the white noise that it still needs, so that it streams. Noise of such a filter has a velocity of
1 / (sqrt(3) tau) of its deviation, which is how `time_constants` finds tau.

Both halves of the face get the same noise: in recordings lids, brows and eyes move together (r of 1.0 on RAVDESS), and
in two steps a network cannot bring together what noise has put apart.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from dtalker_model.blendshapes import LEFT_OF

TAPS = 96
"""Length of the filter, 1.92 s: 8 of the longest time constant."""

LEAST_FRAMES, MOST_FRAMES = 1.0, 12.0
"""Time constants lie between these: 20 to 240 ms."""


def time_constants(deviation: Tensor, velocity: Tensor) -> Tensor:
    """Time constants in frames of motion with this deviation and this deviation of its differences, both (52,)."""
    return (deviation / (math.sqrt(3) * velocity.clamp(min=1e-6))).clamp(LEAST_FRAMES, MOST_FRAMES)


def low_pass(time_constant_frames: Tensor) -> Tensor:
    """Filters (52, TAPS) of unit energy, the newest frame last; its peak is two time constants ago."""
    age = torch.arange(TAPS - 1, -1, -1, dtype=time_constant_frames.dtype, device=time_constant_frames.device)
    response = (age + 1) ** 2 * torch.exp(-age / time_constant_frames[:, None])
    return response / response.norm(dim=1, keepdim=True)


class NoiseColour(nn.Module):
    """White noise to noise as smooth as motion, of unit variance once `TAPS` frames have passed."""

    taps: Tensor
    drawn: Tensor

    def __init__(self, dim: int) -> None:
        super().__init__()
        drawn = LEFT_OF if dim == len(LEFT_OF) else range(dim)
        self.register_buffer("drawn", torch.tensor(drawn), persistent=False)
        self.register_buffer("taps", low_pass(torch.full((dim,), LEAST_FRAMES)))

    def initial_state(self, batch: int) -> Tensor:
        """No noise yet: (B, TAPS - 1, dim)."""
        return self.taps.new_zeros(batch, TAPS - 1, len(self.taps))

    def forward(self, white: Tensor, past: Tensor) -> tuple[Tensor, Tensor]:
        """white (B, T, dim), past (B, TAPS - 1, dim) -> coloured noise (B, T, dim), new past."""
        x = torch.cat([past, white[..., self.drawn]], dim=1)
        coloured = nn.functional.conv1d(x.transpose(1, 2), self.taps[:, None], groups=len(self.taps))
        return coloured.transpose(1, 2), x[:, x.shape[1] - past.shape[1] :]

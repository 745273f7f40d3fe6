"""The teacher's large audio encoder, trained here: bidirectional, over the shared log-mel features.

Every audio encoder names what it hears in `hearing` (see `training.corpus.variants.Variant.heard`) and turns (B, T, D)
of it into the audio feature F_a (B, T, audio_dim), of zero mean and unit variance in each frame, so that a small
encoder that is aligned with a large one by cosine (eq. 12) can take its place.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn


@dataclass(frozen=True)
class ScratchConfig:
    """Sizes of the `scratch` encoder.

    Attributes:
        dim: channels of the convolutions and of each direction of the GRU.
        kernel_frames: frames that each of the two centred convolutions sees; odd.
        layers: layers of the bidirectional GRU.
        dropout: between the layers, in training; none before the norm at the end, whose scale it would change.
    """

    feature_dim: int = 128
    dim: int = 320
    kernel_frames: int = 5
    layers: int = 2
    dropout: float = 0.3


class ScratchEncoder(nn.Module):
    """Two convolutions and a bidirectional GRU: it hears the whole clip, so it cannot stream."""

    hearing = "log_mel"
    mean: Tensor
    scale: Tensor

    def __init__(self, config: ScratchConfig, audio_dim: int) -> None:
        super().__init__()
        dim, kernel = config.dim, config.kernel_frames
        self.register_buffer("mean", torch.zeros(config.feature_dim))
        self.register_buffer("scale", torch.ones(config.feature_dim))
        self.conv_0 = nn.Conv1d(config.feature_dim, dim, kernel, padding=kernel // 2)
        self.conv_1 = nn.Conv1d(dim, dim, kernel, padding=kernel // 2)
        self.drop = nn.Dropout(config.dropout)
        self.gru = nn.GRU(dim, dim, config.layers, batch_first=True, bidirectional=True, dropout=config.dropout)
        self.out = nn.Linear(2 * dim, audio_dim)
        self.norm = nn.LayerNorm(audio_dim, elementwise_affine=False)

    def forward(self, heard: Tensor) -> Tensor:
        """heard (B, T, feature_dim) -> F_a (B, T, audio_dim)."""
        x = ((heard - self.mean) * self.scale).transpose(1, 2)
        x = torch.relu(self.conv_1(self.drop(torch.relu(self.conv_0(x))))).transpose(1, 2)
        return self.norm(self.out(self.gru(self.drop(x))[0]))

"""The small audio encoder that streams: log-mel to the audio feature F_a^S. Torch, not on the runtime path."""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor, nn

from dtalker_model.networks.student_config import StudentConfig

State = dict[str, Tensor]


class CausalConv(nn.Module):
    """A convolution over time that sees the present and the past; its state is the past it still needs."""

    def __init__(self, in_dim: int, out_dim: int, kernel_frames: int) -> None:
        super().__init__()
        self.conv = nn.Conv1d(in_dim, out_dim, kernel_frames)

    def forward(self, x: Tensor, past: Tensor) -> tuple[Tensor, Tensor]:
        """x (B, T, in), past (B, kernel - 1, in) -> (B, T, out), new past."""
        x = torch.cat([past, x], dim=1)
        return self.conv(x.transpose(1, 2)).transpose(1, 2), x[:, x.shape[1] - past.shape[1] :]


class AudioEncoder(nn.Module):
    """Log-mel to the audio feature F_a, of unit variance in each frame: two causal convolutions and GRU layers."""

    hearing: ClassVar[str] = "log_mel"
    mean: Tensor
    scale: Tensor

    def __init__(self, config: StudentConfig) -> None:
        super().__init__()
        self.config = config
        dim, kernel = config.encoder_hidden, config.kernel_frames
        self.register_buffer("mean", torch.zeros(config.feature_dim))
        self.register_buffer("scale", torch.ones(config.feature_dim))
        self.conv_0 = CausalConv(config.feature_dim, dim, kernel)
        self.conv_1 = CausalConv(dim, dim, kernel)
        self.gru = nn.GRU(dim, dim, config.encoder_layers, batch_first=True)
        self.out = nn.Linear(dim, config.encoder_dim)
        self.norm = nn.LayerNorm(config.encoder_dim, elementwise_affine=False)

    def normalise(self, mean: Tensor, scale: Tensor) -> None:
        """Bring features of this mean and 1 / deviation, each (feature_dim,), to zero and one."""
        self.mean.copy_(mean)
        self.scale.copy_(scale)

    def initial_state(self, batch: int) -> State:
        """Zeros for `batch` fresh streams."""
        c = self.config
        return {
            "conv_0": self.mean.new_zeros(batch, c.kernel_frames - 1, c.feature_dim),
            "conv_1": self.mean.new_zeros(batch, c.kernel_frames - 1, c.encoder_hidden),
            "encoder": self.mean.new_zeros(batch, c.encoder_layers, c.encoder_hidden),
        }

    def forward(self, features: Tensor, state: State) -> tuple[Tensor, State]:
        """features (B, T, feature_dim) -> audio feature (B, T, encoder_dim)."""
        x, past_0 = self.conv_0((features - self.mean) * self.scale, state["conv_0"])
        x, past_1 = self.conv_1(torch.relu(x), state["conv_1"])
        x = torch.relu(x)
        y, hidden = self.gru(x, state["encoder"].transpose(0, 1).contiguous())
        return self.norm(self.out(x + y)), {"conv_0": past_0, "conv_1": past_1, "encoder": hidden.transpose(0, 1)}

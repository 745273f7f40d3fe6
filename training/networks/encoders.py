"""The teacher's large audio encoders: trained here from log-mel, or on the frozen features of pretrained ears.

Every audio encoder names what it hears in `hearing` (see `training.corpus.variants.Variant.heard`) and turns (B, T, D)
of it into the audio feature F_a (B, T, audio_dim), of zero mean and unit variance in each frame, so that a small
encoder that is aligned with a large one by cosine (eq. 12) can take its place.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from dtalker_model.errors import ModelError
from dtalker_model.hearing.features import FEATURE_DIM


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


@dataclass(frozen=True)
class PretrainedConfig:
    """Sizes of the encoder on frozen pretrained features.

    Attributes:
        layer_dims: lengths of the pretrained layers in a row; log-mel follows them.
        dim: channels of the convolutions.
        dilations: of each of the centred residual convolutions of three frames.
        dropout: behind the mixture and the convolutions, in training.
        level_deviation: of a change of a crop's level in training, in natural log of power (1.0: 4.3 dB).
    """

    layer_dims: tuple[int, ...] = (512, 512)
    dim: int = 256
    dilations: tuple[int, ...] = (1, 2, 4, 8)
    dropout: float = 0.2
    level_deviation: float = 1.0


def check_rows(config: PretrainedConfig, length: int) -> None:
    """Raise ModelError unless `length` of the ears' rows is that of the layers of `config` and log-mel."""
    layers, taken = config.layer_dims, sum(config.layer_dims) + FEATURE_DIM
    if length == taken:
        return
    theirs = [(length - FEATURE_DIM) // len(layers)] * len(layers)
    raise ModelError(
        f"these ears give rows of {length} values, layers of {theirs} and {FEATURE_DIM} of log-mel; the teacher takes "
        f"{taken}, layers of {list(layers)}: give the Whisper that it learned on (teacher.whisper or DTALKER_WHISPER), "
        f"or train a new teacher with teacher.pretrained.layer_dims {theirs}"
    )


class PretrainedEncoder(nn.Module):
    """Frozen layers of pretrained ears and log-mel beside them to F_a^L: a learned mixture, dilated convolutions.

    Each layer is normalised by itself; the first linear layer mixes them. It hears the whole clip: it cannot stream.
    """

    mean: Tensor
    scale: Tensor

    def __init__(self, hearing: str, config: PretrainedConfig, audio_dim: int) -> None:
        """hearing: what it hears, a name of `training.hearing.registry`. audio_dim: length of F_a."""
        super().__init__()
        self.hearing, self.config = hearing, config
        self.norms = nn.ModuleList(nn.LayerNorm(dim) for dim in config.layer_dims)
        self.register_buffer("mean", torch.zeros(FEATURE_DIM))
        self.register_buffer("scale", torch.ones(FEATURE_DIM))
        self.mix = nn.Linear(sum(config.layer_dims) + FEATURE_DIM, config.dim)
        self.convolutions = nn.ModuleList(
            nn.Conv1d(config.dim, config.dim, 3, padding=dilation, dilation=dilation) for dilation in config.dilations
        )
        self.drop = nn.Dropout(config.dropout)
        self.out = nn.Linear(config.dim, audio_dim)
        self.norm = nn.LayerNorm(audio_dim, elementwise_affine=False)

    def forward(self, heard: Tensor) -> Tensor:
        """heard (B, T, sum of layer_dims + 128) -> F_a^L (B, T, audio_dim). Raises ModelError as `check_rows`."""
        check_rows(self.config, heard.shape[-1])
        *layers, log_mel = heard.split([*self.config.layer_dims, FEATURE_DIM], dim=-1)
        if self.training:
            log_mel = log_mel + self.config.level_deviation * torch.randn_like(log_mel[:, :1, :1])
        normalised = [norm(layer) for norm, layer in zip(self.norms, layers)]
        x = self.drop(self.mix(torch.cat([*normalised, (log_mel - self.mean) * self.scale], dim=-1))).transpose(1, 2)
        for convolution in self.convolutions:
            x = x + self.drop(nn.functional.gelu(convolution(x)))
        return self.norm(self.out(x.transpose(1, 2)))

"""The paper's small audio encoder: HuBERT's convolutions, a bidirectional LSTM, a linear layer (section II.D.2).

| our name         | DiffusionTalker, section II.D.2                                   |
| ---------------- | ----------------------------------------------------------------- |
| FeatureExtractor | "the feature extractor (CNN) from HuBERT"                         |
| HubertCnn.lstm   | "extracts temporal features through a bidirectional LSTM"         |
| HubertCnn.linear | "maps them to the target dimension using a fully connected layer" |
| HubertCnn.encode | small audio feature F_a^S                                         |

It is an offline encoder twice over: the LSTM reads the future, and the group norm of the first convolution takes its
mean and deviation over the whole recording, so that every row depends on every sample.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import ClassVar

from torch import Tensor, nn

from dtalker_model.rates import FRAME_SAMPLES

CONV_KERNELS = (10, 3, 3, 3, 3, 2, 2)
CONV_STRIDES = (5, 2, 2, 2, 2, 2, 2)
"""HuBERT's seven convolutions. Together they step by one frame, and one row of them sees 400 samples."""

RECEPTIVE_SAMPLES = 1 + sum((k - 1) * math.prod(CONV_STRIDES[:i]) for i, k in enumerate(CONV_KERNELS))
EDGE_SAMPLES = (RECEPTIVE_SAMPLES - FRAME_SAMPLES) // 2
"""Zeros before and after the audio, 40: then T frames give T rows, and row k is centred on frame k, 320 k + 160."""

assert math.prod(CONV_STRIDES) == FRAME_SAMPLES and RECEPTIVE_SAMPLES == FRAME_SAMPLES + 2 * EDGE_SAMPLES


@dataclass(frozen=True)
class HubertCnnConfig:
    """Sizes of the encoder. The defaults have the paper's shape; it names no size but the 45 MB of its whole student.

    Attributes:
        conv_dim: channels of each of the seven convolutions; HuBERT's own weights need 512.
        lstm_dim: hidden size of the LSTM in each direction.
        lstm_layers: layers of the LSTM.
        audio_dim: length of the audio feature F_a.
    """

    conv_dim: int = 512
    lstm_dim: int = 512
    lstm_layers: int = 1
    audio_dim: int = 192

    def to_dict(self) -> dict[str, int]:
        """Plain data for a card or a checkpoint."""
        return asdict(self)


class ConvLayer(nn.Module):
    """A strided convolution without bias, a norm, GELU. Names are HuBERT's, so that its weights fit."""

    def __init__(self, in_dim: int, out_dim: int, kernel: int, stride: int, norm: nn.Module) -> None:
        super().__init__()
        self.conv = nn.Conv1d(in_dim, out_dim, kernel, stride, bias=False)
        self.layer_norm = norm
        nn.init.kaiming_normal_(self.conv.weight)

    def forward(self, x: Tensor) -> Tensor:
        """x (B, in, n) -> (B, out, (n - kernel) // stride + 1)."""
        return nn.functional.gelu(self.layer_norm(self.conv(x)))


class FeatureExtractor(nn.Module):
    """HuBERT's convolutional front-end (the base model's: one group per channel normalised in the first layer)."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        norms = [nn.GroupNorm(dim, dim), *(nn.Identity() for _ in CONV_KERNELS[1:])]
        ins = [1, *[dim] * (len(CONV_KERNELS) - 1)]
        layers = [ConvLayer(i, dim, k, s, norm) for i, k, s, norm in zip(ins, CONV_KERNELS, CONV_STRIDES, norms)]
        self.conv_layers = nn.Sequential(*layers)

    def forward(self, audio: Tensor) -> Tensor:
        """audio (B, samples) -> (B, (samples - 400) // 320 + 1, dim)."""
        return self.conv_layers(audio[:, None]).transpose(1, 2)


class HubertCnn(nn.Module):
    """Raw audio to the small audio feature F_a^S, of zero mean and unit variance in each frame, offline.

    Its memory grows with the clip: about 17 MB a second with 512 channels and no gradients, because the first
    convolution gives 3200 rows a second. Cut long recordings into windows that overlap.
    """

    hearing: ClassVar[str] = "waveform"

    def __init__(self, config: HubertCnnConfig) -> None:
        super().__init__()
        self.config = config
        self.feature_extractor = FeatureExtractor(config.conv_dim)
        self.norm = nn.LayerNorm(config.conv_dim)  # HuBERT's transformer, too, reads the convolutions through one
        self.lstm = nn.LSTM(config.conv_dim, config.lstm_dim, config.lstm_layers, batch_first=True, bidirectional=True)
        self.linear = nn.Linear(2 * config.lstm_dim, config.audio_dim)
        self.out_norm = nn.LayerNorm(config.audio_dim, elementwise_affine=False)

    def initial_state(self, batch: int) -> dict[str, Tensor]:
        """Nothing: no state joins two chunks of an encoder that needs the whole clip."""
        return {}

    def encode(self, waveform: Tensor) -> Tensor:
        """Audio of whole frames (B, T, 320), -1..1, not normalised -> F_a^S (B, T, audio_dim), row k for frame k."""
        audio = nn.functional.pad(waveform.flatten(1), (EDGE_SAMPLES, EDGE_SAMPLES))
        x = self.norm(self.feature_extractor(audio))
        # Explicit, because the ONNX exporter would else freeze the batch size into it.
        start = x.new_zeros(2 * self.config.lstm_layers, x.shape[0], self.config.lstm_dim)
        return self.out_norm(self.linear(self.lstm(x, (start, start))[0]))

    def forward(self, waveform: Tensor, state: dict[str, Tensor]) -> tuple[Tensor, dict[str, Tensor]]:
        """`encode` with the signature that a `Student` calls its audio encoder by: the state stays empty."""
        return self.encode(waveform), {}

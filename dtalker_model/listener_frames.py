"""What the listener hears in each frame: sizes, and the causal convolutions before its memories. Torch."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import Tensor, nn

from dtalker_model.audio_encoder import State


@dataclass(frozen=True)
class ListenerConfig:
    """Sizes of a listener.

    Attributes:
        identities, emotions: names that it can tell. voices: entries of the identity library; each counts as a name.
        dim, voice_dim: channels of the convolutions that hear the mood, and of the one that hears whose voice it is.
        pitches: classes of the pitch of a frame, beside one for none.
        embedding_dim: length of F_a, F_id and F_e.
        temperature: tau of the contrastive losses.
        memory_s: speech after which the long memory has forgotten a part of 1 - 1/e.
        usual_s: speech that people in general weigh in what is usual for a voice.
    """

    identities: int
    emotions: int
    voices: int
    feature_dim: int = 128
    dim: int = 84
    voice_dim: int = 64
    pitches: int = 40
    embedding_dim: int = 32
    temperature: float = 0.1
    memory_s: float = 150.0
    usual_s: float = 40.0

    def to_dict(self) -> dict[str, Any]:
        """Plain data for a card or a checkpoint."""
        return asdict(self)


class CausalBlock(nn.Module):
    """A convolution over the present and every `dilation`-th frame before, normalised, rectified. Channels first."""

    KERNEL = 3

    def __init__(self, in_dim: int, out_dim: int, dilation: int) -> None:
        super().__init__()
        self.in_dim, self.past_frames = in_dim, (self.KERNEL - 1) * dilation
        self.conv = nn.Conv1d(in_dim, out_dim, self.KERNEL, dilation=dilation)
        self.norm = nn.BatchNorm1d(out_dim)

    def forward(self, x: Tensor, past: Tensor) -> tuple[Tensor, Tensor]:
        """x (B, in, T), past (B, in, past_frames) -> (B, out, T), new past."""
        x = torch.cat([past, x], dim=2)
        return torch.relu(self.norm(self.conv(x))), x[..., -self.past_frames :]


class FrameEncoder(nn.Module):
    """What each frame says about mood and voice: causal convolutions over log-mel, the pitch in between."""

    mean: Tensor
    scale: Tensor

    def __init__(self, config: ListenerConfig) -> None:
        super().__init__()
        c, tones = config, config.pitches + 1
        self.register_buffer("mean", torch.zeros(c.feature_dim))
        self.register_buffer("scale", torch.ones(c.feature_dim))
        self.pitch = nn.Sequential(nn.Conv1d(c.dim, 64, 1), nn.ReLU(), nn.Conv1d(64, tones, 1))
        blocks = {
            "conv_0": CausalBlock(c.feature_dim, c.dim, 1),
            "conv_1": CausalBlock(c.dim + tones, c.dim, 2),
            "conv_2": CausalBlock(c.dim, c.dim, 4),
            "conv_voice": CausalBlock(c.feature_dim, c.voice_dim, 1),
        }
        self.blocks = nn.ModuleDict(blocks)
        self.pasts = {name: (block.in_dim, block.past_frames) for name, block in blocks.items()}
        self.voice_mix = nn.Conv1d(c.voice_dim, c.voice_dim, 1)
        self.drop = nn.Dropout(0.3)
        self.mood_dim, self.voice_dim = 2 * c.dim + tones, c.voice_dim

    def normalise(self, mean: Tensor, scale: Tensor) -> None:
        """Bring features of this mean and 1 / deviation, each (feature_dim,), to zero and one."""
        self.mean.copy_(mean)
        self.scale.copy_(scale)

    def initial_state(self, batch: int) -> State:
        """Zeros for `batch` fresh streams."""
        return {name: torch.zeros(batch, *shape) for name, shape in self.pasts.items()}

    def forward(self, features: Tensor, state: State) -> tuple[Tensor, Tensor, Tensor, State]:
        """features (B, T, feature_dim) -> mood (B, T, mood_dim), voice (B, T, voice_dim), pitch logits, state."""
        new: State = {}

        def block(name: str, x: Tensor) -> Tensor:
            y, new[name] = self.blocks[name](x, state[name])
            return y

        heard = ((features - self.mean) * self.scale).transpose(1, 2)
        x = block("conv_0", heard)
        pitch = self.pitch(x)
        pitched = torch.softmax(pitch, dim=1)
        y = block("conv_1", torch.cat([self.drop(x), pitched], dim=1))
        z = block("conv_2", self.drop(y))
        voice = torch.relu(self.voice_mix(block("conv_voice", heard)))
        mood = torch.cat([y, z, pitched], dim=1)
        return mood.transpose(1, 2), voice.transpose(1, 2), pitch.transpose(1, 2), new

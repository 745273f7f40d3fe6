"""What the listener hears in each frame: sizes, and the causal convolutions before its memories. Torch."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import Tensor, nn

from dtalker_model.networks.audio_encoder import State


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
    usual_s: float = 20.0

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

    def initial_past(self, batch: int) -> Tensor:
        """Zeros (B, in, past_frames): nothing was heard."""
        return torch.zeros(batch, self.in_dim, self.past_frames)

    def forward(self, x: Tensor, past: Tensor) -> tuple[Tensor, Tensor]:
        """x (B, in, T), past (B, in, past_frames) -> (B, out, T), new past."""
        x = torch.cat([past, x], dim=2)
        return torch.relu(self.norm(self.conv(x))), x[..., -self.past_frames :]


class MoodEncoder(nn.Module):
    """What each frame says about a mood: causal convolutions, with the pitch in between."""

    def __init__(self, config: ListenerConfig) -> None:
        super().__init__()
        c, tones = config, config.pitches + 1
        self.conv_0 = CausalBlock(c.feature_dim, c.dim, 1)
        self.pitch = nn.Sequential(nn.Conv1d(c.dim, 64, 1), nn.ReLU(), nn.Conv1d(64, tones, 1))
        self.conv_1 = CausalBlock(c.dim + tones, c.dim, 2)
        self.conv_2 = CausalBlock(c.dim, c.dim, 4)
        self.drop = nn.Dropout(0.3)
        self.dim = 2 * c.dim + tones

    def initial_state(self, batch: int) -> State:
        """Zeros for `batch` fresh streams."""
        return {name: getattr(self, name).initial_past(batch) for name in ("conv_0", "conv_1", "conv_2")}

    def forward(self, heard: Tensor, state: State) -> tuple[Tensor, Tensor, State]:
        """heard (B, feature_dim, T), normalised -> mood (B, T, dim), pitch logits (B, T, pitches + 1), state."""
        x, past_0 = self.conv_0(heard, state["conv_0"])
        pitch = self.pitch(x)
        pitched = torch.softmax(pitch, dim=1)
        y, past_1 = self.conv_1(torch.cat([self.drop(x), pitched], dim=1), state["conv_1"])
        z, past_2 = self.conv_2(self.drop(y), state["conv_2"])
        mood = torch.cat([y, z, pitched], dim=1).transpose(1, 2)
        return mood, pitch.transpose(1, 2), {"conv_0": past_0, "conv_1": past_1, "conv_2": past_2}


class VoiceEncoder(nn.Module):
    """What each frame says about whose voice it is: one causal convolution, mixed once."""

    def __init__(self, config: ListenerConfig) -> None:
        super().__init__()
        self.dim = config.voice_dim
        self.conv = CausalBlock(config.feature_dim, self.dim, 1)
        self.mix = nn.Conv1d(self.dim, self.dim, 1)

    def initial_state(self, batch: int) -> State:
        """Zeros for `batch` fresh streams."""
        return {"voice": self.conv.initial_past(batch)}

    def forward(self, heard: Tensor, state: State) -> tuple[Tensor, State]:
        """heard (B, feature_dim, T), normalised -> voice (B, T, dim), state."""
        x, past = self.conv(heard, state["voice"])
        return torch.relu(self.mix(x)).transpose(1, 2), {"voice": past}

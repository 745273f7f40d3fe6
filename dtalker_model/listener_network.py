"""The listener's torch definition: audio embeddings compared with a library of identities and emotions.

| our name             | DiffusionTalker                     |
| -------------------- | ----------------------------------- |
| identity, emotion    | libraries, F_id and F_e (II.C)      |
| audio embedding      | F_a                                 |
| logits               | F_a^T F_k / tau, eqs. (5) and (6)   |
"""

from __future__ import annotations

from dataclasses import asdict, dataclass

import torch
from torch import Tensor, nn

from dtalker_model.audio_encoder import CausalConv, State


@dataclass(frozen=True)
class ListenerConfig:
    """Sizes of a listener.

    Attributes:
        identities, emotions: entries of its libraries.
        dim: channels of the convolution and the GRU. embedding_dim: length of F_a, F_id and F_e.
        temperature: tau of the contrastive losses.
    """

    identities: int
    emotions: int
    feature_dim: int = 128
    dim: int = 96
    kernel_frames: int = 5
    embedding_dim: int = 32
    temperature: float = 0.1

    def to_dict(self) -> dict[str, float]:
        """Plain data for a card or a checkpoint."""
        return asdict(self)


class ListenerNetwork(nn.Module):
    """Causal; its `forward` is the exported graph."""

    mean: Tensor
    scale: Tensor

    def __init__(self, config: ListenerConfig) -> None:
        super().__init__()
        self.config = config
        self.register_buffer("mean", torch.zeros(config.feature_dim))
        self.register_buffer("scale", torch.ones(config.feature_dim))
        self.conv = CausalConv(config.feature_dim, config.dim, config.kernel_frames)
        self.gru = nn.GRU(config.dim, config.dim, batch_first=True)
        self.drop = nn.Dropout(0.4)
        self.identity_head = nn.Linear(2 * config.dim, config.embedding_dim)
        self.emotion_head = nn.Linear(2 * config.dim, config.embedding_dim)
        self.identity = nn.Parameter(torch.randn(config.identities, config.embedding_dim))
        self.emotion = nn.Parameter(torch.randn(config.emotions, config.embedding_dim))

    def initial_state(self, batch: int) -> State:
        """Zeros for `batch` fresh streams."""
        c = self.config
        return {
            "conv": torch.zeros(batch, c.kernel_frames - 1, c.feature_dim),
            "gru": torch.zeros(batch, 1, c.dim),
        }

    def forward(self, features: Tensor, state: State) -> tuple[Tensor, Tensor, State]:
        """features (B, T, 128) -> identity logits (B, T, I), emotion logits (B, T, E), state."""
        x, past = self.conv((features - self.mean) * self.scale, state["conv"])
        x = self.drop(torch.relu(x))
        y, hidden = self.gru(x, state["gru"].transpose(0, 1).contiguous())
        heard = self.drop(torch.cat([x, y], dim=-1))
        identity = self._similarity(self.identity_head(heard), self.identity)
        emotion = self._similarity(self.emotion_head(heard), self.emotion)
        return identity, emotion, {"conv": past, "gru": hidden.transpose(0, 1)}

    def _similarity(self, audio: Tensor, library: Tensor) -> Tensor:
        """Cosine over temperature: the audio embedding against every entry of a library."""
        unit = nn.functional.normalize(library, dim=-1)
        return nn.functional.normalize(audio, dim=-1) @ unit.T / self.config.temperature

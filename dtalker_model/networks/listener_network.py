"""The listener's torch definition: audio embeddings of a voice and its mood, compared with libraries of both.

| our name                      | DiffusionTalker                     |
| ----------------------------- | ----------------------------------- |
| voices, emotion               | libraries, F_id and F_e (II.C)      |
| voice embedding, mood         | F_a, once for each library          |
| logits                        | F_a^T F_k / tau, eqs. (5) and (6)   |

Both embeddings are read from mean and standard deviation over speech, not frame by frame: how a voice moves, its melody
and its loudness, is what tells a mood. Two memories hold those moments as decaying sums. The short one follows the
voice as slowly as the caller asks. The long one knows how this voice usually sounds. A mood is what differs from that;
before much was heard, from how people usually sound.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from dtalker_model.networks.audio_encoder import State
from dtalker_model.networks.listener_frames import ListenerConfig, MoodEncoder, VoiceEncoder
from dtalker_model.rates import FRAME_RATE_HZ

INPUTS = {"features": 128, "pace": 1}
OUTPUTS = ("identity_logits", "emotion_logits", "voice")
"""Of the exported graph, beside the state: names in the order of `forward`."""

LEAST_VARIANCE = 1e-3
LEAST_MASS = 1e-12
LEAST_SHARE = 1e-9


class Norm(nn.BatchNorm1d):
    """Batch normalisation of the last axis. Unlike layer norm, it keeps loud frames apart from soft ones."""

    def forward(self, x: Tensor) -> Tensor:
        """(B, dim) or (B, T, dim) -> the same shape."""
        return super().forward(x.transpose(1, -1)).transpose(1, -1)


def with_squares(x: Tensor) -> Tensor:
    """x, x^2 and 1, whose sums are a memory: (..., D) -> (..., 2 D + 1)."""
    return nn.functional.pad(torch.cat([x, x * x], dim=-1), (0, 1), value=1.0)


def remember(x: Tensor, pace: Tensor, memory: Tensor) -> Tensor:
    """Decaying sums of x, x^2 and 1 after each frame: s_t = exp(-pace_t) s_(t-1) + pace_t [x_t, x_t^2, 1].

    Args:
        x: (B, T, D). pace: (B, T, 1), 0 where nothing is remembered and nothing forgotten.
        memory: (B, 2 D + 1), the sums before the first frame.

    Returns:
        (B, T, 2 D + 1); the last row is the memory to go on from.
    """
    passed = torch.cumsum(pace, dim=1)
    age = torch.relu(passed - passed.transpose(1, 2))
    weight = torch.tril(torch.exp(-age)) * pace.transpose(1, 2)
    return weight @ with_squares(x) + torch.exp(-passed) * memory[:, None]


def moments(sums: Tensor, dim: int) -> tuple[Tensor, Tensor]:
    """Mean and standard deviation, each (..., dim), of sums (..., 2 dim + 1) of x, x^2 and 1."""
    x, squares, mass = torch.split(sums, [dim, dim, 1], dim=-1)
    mass = mass.clamp(min=LEAST_MASS)
    mean = x / mass
    return mean, torch.sqrt(torch.relu(squares / mass - mean * mean) + LEAST_VARIANCE)


class Embedding(nn.Module):
    """Mean and standard deviation to an embedding of length 1: each moment normalised, dropout, one linear layer."""

    def __init__(self, dim: int, embedding_dim: int) -> None:
        super().__init__()
        self.norm, self.drop = Norm(2 * dim), nn.Dropout(0.3)
        self.read = nn.Linear(2 * dim, embedding_dim)

    def forward(self, mean: Tensor, deviation: Tensor) -> Tensor:
        """Each (B, dim) or (B, T, dim) -> (..., embedding_dim)."""
        return unit(self.read(self.drop(self.norm(torch.cat([mean, deviation], dim=-1)))))


def unit(x: Tensor) -> Tensor:
    """Vectors of length 1 in the direction of the last axis."""
    return x / (torch.linalg.vector_norm(x, dim=-1, keepdim=True) + 1e-12)


class ListenerNetwork(nn.Module):
    """Causal; its `forward` is the exported graph."""

    mean: Tensor
    scale: Tensor
    name_of: Tensor
    usual: Tensor

    def __init__(self, config: ListenerConfig) -> None:
        super().__init__()
        c = self.config = config
        self.register_buffer("mean", torch.zeros(c.feature_dim))
        self.register_buffer("scale", torch.ones(c.feature_dim))
        self.mood, self.voice = MoodEncoder(c), VoiceEncoder(c)
        self.dims = [self.mood.dim, self.voice.dim]
        self.mood_embedding, self.voice_embedding = (Embedding(dim, c.embedding_dim) for dim in self.dims)
        self.emotion = nn.Parameter(torch.randn(c.emotions, c.embedding_dim))
        self.voices = nn.Parameter(torch.randn(c.voices, c.embedding_dim))
        # Sums of what people usually sound like, of mass 1.
        self.register_buffer("usual", with_squares(torch.zeros(self.mood.dim)))
        # Which name each voice of the library counts as.
        self.register_buffer("name_of", torch.zeros(c.voices, c.identities))

    @property
    def long_pace(self) -> float:
        """A frame's duration over the long memory's time constant."""
        return 1 / (FRAME_RATE_HZ * self.config.memory_s)

    def normalise(self, mean: Tensor, scale: Tensor) -> None:
        """Bring features of this mean and 1 / deviation, each (feature_dim,), to zero and one."""
        self.mean.copy_(mean)
        self.scale.copy_(scale)

    def initial_state(self, batch: int) -> State:
        """Zeros for `batch` fresh streams."""
        memories = {"short": sum(self.dims), "long": self.mood.dim}
        sums = {name: torch.zeros(batch, 2 * dim + 1) for name, dim in memories.items()}
        return {**self.mood.initial_state(batch), **self.voice.initial_state(batch), **sums}

    def heard(self, features: Tensor) -> Tensor:
        """What the encoders hear of features (B, T, feature_dim): normalised, channels first."""
        return ((features - self.mean) * self.scale).transpose(1, 2)

    def forward(self, features: Tensor, pace: Tensor, state: State) -> tuple[Tensor, Tensor, Tensor, State]:
        """Listen to T frames of B streams.

        Args:
            features: (B, T, 128) log-mel.
            pace: (B, T, 1), the frame's duration over the short memory's time constant; 0 where nobody speaks.
            state: as `initial_state` or as returned by the previous call. ``short`` and ``long`` are the memories.

        Returns:
            identity logits (B, T, I), emotion logits (B, T, E), voice embedding (B, T, embedding_dim) and the state.
            They are functions of the memories: constant while nobody speaks.
        """
        heard, pace = self.heard(features), torch.relu(pace)
        mood, _, mood_state = self.mood(heard, state)
        voice, voice_state = self.voice(heard, state)
        short = remember(torch.cat([mood, voice], dim=-1), pace, state["short"])
        long = remember(mood, torch.sign(pace) * self.long_pace, state["long"])
        means, deviations = (torch.split(x, self.dims, dim=-1) for x in moments(short, sum(self.dims)))
        emotion = self.emotion_logits((means[0], deviations[0]), long)
        embedding = self.voice_embedding(means[1], deviations[1])
        state = {**mood_state, **voice_state, "short": short[:, -1], "long": long[:, -1]}
        return self.identity_logits(self.voice_logits(embedding)), emotion, embedding, state

    def emotion_logits(self, heard: tuple[Tensor, Tensor], long: Tensor) -> Tensor:
        """Eq. (6)'s exponents: moments of the mood, each (..., D), and long memory (..., 2 D + 1) -> (..., E).

        What is usual is a maximum a posteriori estimate: people in general count as `usual_s` of speech.
        """
        people = self.usual * (self.config.usual_s / self.config.memory_s)
        mean, deviation = moments(long + people, self.mood.dim)
        return self._similarity(self.mood_embedding(heard[0] - mean, heard[1] - deviation), self.emotion)

    def voice_logits(self, embedding: Tensor) -> Tensor:
        """Eq. (5)'s exponents: voice embedding (..., embedding_dim) -> (..., voices)."""
        return self._similarity(embedding, self.voices)

    def identity_logits(self, voices: Tensor) -> Tensor:
        """Voices (..., V) to names (..., I): the softmax of the names is that of the voices, summed."""
        return torch.log(torch.exp(voices) @ self.name_of + LEAST_SHARE)

    def _similarity(self, audio: Tensor, library: Tensor) -> Tensor:
        return audio @ (unit(library) / self.config.temperature).T

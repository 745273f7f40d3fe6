"""The student's torch definition. Training and export import it; the runtime never does.

| our name            | DiffusionTalker            |
| ------------------- | -------------------------- |
| identity, emotion   | i, e (section II.C)        |
| Integrator          | eq. (7), f_k, f_v, d_k     |
| audio_feature       | F_a                        |
| MotionDecoder       | motion decoder, DT_theta   |
| alpha, sigma        | alpha_tau, sigma_tau (8)   |
| noise level         | t / T, in 0..1             |

Everything is causal over feature frames. State goes in and comes out; noise is an argument.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass

import torch
from torch import Tensor, nn

State = dict[str, Tensor]


@dataclass(frozen=True)
class StudentConfig:
    """Sizes of a student.

    Attributes:
        feature_dim: log-mel values a frame.
        motion_dim: blendshapes.
        encoder_dim: channels of the convolutions, of the encoder's GRU and of the audio feature.
        kernel_frames: frames that each of the two causal convolutions sees.
        decoder_dim: hidden size of the three GRU layers of the motion decoder.
        embedding_dim: length of an identity or emotion embedding.
        embedding_tokens: tokens that an embedding is read as by the integrator's cross-attention.
        noise_dim: length of the noise-level embedding.
        steps: denoising steps of the exported graph.
    """

    feature_dim: int = 128
    motion_dim: int = 52
    encoder_dim: int = 192
    kernel_frames: int = 3
    decoder_dim: int = 128
    embedding_dim: int = 64
    embedding_tokens: int = 8
    noise_dim: int = 32
    steps: int = 2

    def to_dict(self) -> dict[str, int]:
        """Plain data for a card or a checkpoint."""
        return asdict(self)


def alpha_sigma(level: Tensor) -> tuple[Tensor, Tensor]:
    """Cosine schedule, variance preserving: signal alpha and noise sigma at noise level 0 (data) to 1 (noise)."""
    return torch.cos(level * (math.pi / 2)), torch.sin(level * (math.pi / 2))


def denoise(noisy: Tensor, clean: Tensor, level: Tensor, next_level: Tensor) -> Tensor:
    """One deterministic step from `level` to `next_level` given the predicted clean motion: eq. (8)."""
    alpha, sigma = alpha_sigma(level)
    next_alpha, next_sigma = alpha_sigma(next_level)
    return next_alpha * clean + next_sigma / sigma * (noisy - alpha * clean)


def sampling_levels(steps: int) -> list[float]:
    """Noise levels visited by a sampler of `steps` steps, from 1 down: 1, (N-1)/N, ..., 1/N."""
    return [k / steps for k in range(steps, 0, -1)]


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
    """Log-mel to the audio feature F_a: two causal convolutions and a GRU."""

    mean: Tensor
    scale: Tensor

    def __init__(self, config: StudentConfig) -> None:
        super().__init__()
        dim, kernel = config.encoder_dim, config.kernel_frames
        self.register_buffer("mean", torch.zeros(config.feature_dim))
        self.register_buffer("scale", torch.ones(config.feature_dim))
        self.conv_0 = CausalConv(config.feature_dim, dim, kernel)
        self.conv_1 = CausalConv(dim, dim, kernel)
        self.gru = nn.GRU(dim, dim, batch_first=True)

    def forward(self, features: Tensor, state: State) -> tuple[Tensor, State]:
        """features (B, T, feature_dim) -> audio feature (B, T, encoder_dim)."""
        x, past_0 = self.conv_0((features - self.mean) * self.scale, state["conv_0"])
        x, past_1 = self.conv_1(torch.relu(x), state["conv_1"])
        x = torch.relu(x)
        y, hidden = self.gru(x, state["encoder"].transpose(0, 1).contiguous())
        return x + y, {"conv_0": past_0, "conv_1": past_1, "encoder": hidden.transpose(0, 1)}


class Integrator(nn.Module):
    """Personalized embedding p by cross-attention of identity over emotion, eq. (7)."""

    def __init__(self, config: StudentConfig) -> None:
        super().__init__()
        self.tokens = config.embedding_tokens
        dim = config.embedding_dim // config.embedding_tokens
        self.f_k = nn.Sequential(nn.Linear(dim, 4 * dim), nn.Tanh(), nn.Linear(4 * dim, dim))
        self.f_v = nn.Sequential(nn.Linear(dim, 4 * dim), nn.Tanh(), nn.Linear(4 * dim, 2 * dim))

    def forward(self, identity: Tensor, emotion: Tensor) -> Tensor:
        """identity, emotion (B, T, embedding_dim) -> p (B, T, 2 embedding_dim)."""
        B, T, D = identity.shape
        i = identity.reshape(B, T, self.tokens, D // self.tokens)
        e = emotion.reshape(B, T, self.tokens, D // self.tokens)
        attention = torch.softmax(i @ self.f_k(e).transpose(-1, -2) / math.sqrt(D // self.tokens), dim=-1)
        return (attention @ self.f_v(e)).reshape(B, T, 2 * D)


class MotionDecoder(nn.Module):
    """Predicts clean motion x0 from p, F_a, noisy motion and the noise level: LayerNorm, three GRU layers, MLP."""

    LAYERS = 3

    def __init__(self, config: StudentConfig) -> None:
        super().__init__()
        dim = config.decoder_dim
        inputs = 2 * config.embedding_dim + config.encoder_dim + config.motion_dim + config.noise_dim
        self.angles = config.noise_dim // 2
        self.norm = nn.LayerNorm(inputs)
        self.gru = nn.GRU(inputs, dim, num_layers=self.LAYERS, batch_first=True)
        self.mlp = nn.Sequential(nn.Linear(dim, dim), nn.ReLU(), nn.Linear(dim, config.motion_dim))
        self.style = nn.Linear(2 * config.embedding_dim, config.motion_dim)

    def noise_embedding(self, level: Tensor) -> Tensor:
        """Sinusoids of the noise level (...,) -> (..., noise_dim). Continuous: any number of steps can be run."""
        angles = level[..., None] * torch.exp(torch.linspace(0.0, math.log(100.0), self.angles))
        return torch.cat([torch.sin(angles), torch.cos(angles)], dim=-1)

    def forward(self, p: Tensor, audio: Tensor, noisy: Tensor, level: Tensor, hidden: Tensor) -> tuple[Tensor, Tensor]:
        """p, audio, noisy (B, T, .), level (B,), hidden (B, 3, dim) -> clean motion (B, T, motion_dim), hidden."""
        B, T, _ = noisy.shape
        noise = self.noise_embedding(level)[:, None].expand(B, T, 2 * self.angles)
        x = self.norm(torch.cat([p, audio, noisy, noise], dim=-1))
        y, hidden = self.gru(x, hidden.transpose(0, 1).contiguous())
        return self.mlp(y) + self.style(p), hidden.transpose(0, 1)


class Student(nn.Module):
    """The few-step student. Its `forward` is the exported graph."""

    motion_mean: Tensor
    motion_scale: Tensor

    def __init__(self, config: StudentConfig) -> None:
        super().__init__()
        self.config = config
        self.encoder = AudioEncoder(config)
        self.integrator = Integrator(config)
        self.decoder = MotionDecoder(config)
        self.register_buffer("motion_mean", torch.zeros(config.motion_dim))
        self.register_buffer("motion_scale", torch.ones(config.motion_dim))

    def initial_state(self, batch: int) -> State:
        """Zeros for `batch` fresh streams; the batch axis comes first everywhere."""
        c = self.config
        return {
            "conv_0": torch.zeros(batch, c.kernel_frames - 1, c.feature_dim),
            "conv_1": torch.zeros(batch, c.kernel_frames - 1, c.encoder_dim),
            "encoder": torch.zeros(batch, 1, c.encoder_dim),
            "decoder": torch.zeros(batch, c.steps, MotionDecoder.LAYERS, c.decoder_dim),
        }

    def forward(
        self, features: Tensor, noise: Tensor, identity: Tensor, emotion: Tensor, state: State
    ) -> tuple[Tensor, State]:
        """Sample blendshapes for T frames of B streams.

        Args:
            features: (B, T, 128) log-mel.
            noise: (B, T, 52), standard normal.
            identity, emotion: (B, T, 64) embeddings.
            state: as `initial_state` or as returned by the previous call.

        Returns:
            weights (B, T, 52), not yet clamped, and the new state. Row j is frame j - DELAY_FRAMES of the stream.
        """
        audio, new_state = self.encoder(features, state)
        p = self.integrator(identity, emotion)
        motion, hidden = self.sample(p, audio, noise, state["decoder"])
        return motion / self.motion_scale + self.motion_mean, {**new_state, "decoder": hidden}

    def sample(self, p: Tensor, audio: Tensor, noise: Tensor, hidden: Tensor) -> tuple[Tensor, Tensor]:
        """All denoising steps; each keeps a GRU state of its own along time, so that chunks join exactly."""
        levels = sampling_levels(self.config.steps)
        motion, new_hidden = noise, []
        for step, level in enumerate(levels):
            now = torch.full((noise.shape[0],), level)
            clean, h = self.decoder(p, audio, motion, now, hidden[:, step])
            new_hidden.append(h)
            if step + 1 < len(levels):
                motion = denoise(motion, clean, torch.tensor(level), torch.tensor(levels[step + 1]))
        return clean, torch.stack(new_hidden, dim=1)

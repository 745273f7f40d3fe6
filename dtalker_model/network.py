"""The student's torch definition. Training and export import it; the runtime never does.

| our name            | DiffusionTalker            |
| ------------------- | -------------------------- |
| identity, emotion   | i, e (section II.C)        |
| Integrator          | eq. (7), f_k, f_v, d_k     |
| audio_feature       | F_a                        |
| MotionDecoder       | motion decoder, DT_theta   |
| noise level         | t / T, in 0..1             |
| steps               | N or n, steps of a sampler |

Everything is causal over feature frames. State goes in and comes out; noise is an argument.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import Tensor, nn

from dtalker_model.diffusion import denoise, noise_scale, sampling_levels

State = dict[str, Tensor]

MOTION_DIM = 52


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
        noise_dim: length of the embedding of noise level and number of steps.
        step_counts: numbers of denoising steps that the exported graph offers.
        default_steps: the one that is used unless another is asked for.
        temperature_upper, temperature_lower: scale of the noise of upper and of lower face. Below 1 the samples lie
            nearer to the most likely motion.
    """

    feature_dim: int = 128
    motion_dim: int = MOTION_DIM
    encoder_dim: int = 192
    kernel_frames: int = 3
    decoder_dim: int = 128
    embedding_dim: int = 64
    embedding_tokens: int = 8
    noise_dim: int = 32
    step_counts: tuple[int, ...] = (1, 2, 4)
    default_steps: int = 2
    temperature_upper: float = 1.0
    temperature_lower: float = 1.0

    def to_dict(self) -> dict[str, Any]:
        """Plain data for a card or a checkpoint."""
        return asdict(self)


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
    """Log-mel to the audio feature F_a, of unit variance in each frame: two causal convolutions and a GRU."""

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
        self.norm = nn.LayerNorm(dim, elementwise_affine=False)

    def forward(self, features: Tensor, state: State) -> tuple[Tensor, State]:
        """features (B, T, feature_dim) -> audio feature (B, T, encoder_dim)."""
        x, past_0 = self.conv_0((features - self.mean) * self.scale, state["conv_0"])
        x, past_1 = self.conv_1(torch.relu(x), state["conv_1"])
        x = torch.relu(x)
        y, hidden = self.gru(x, state["encoder"].transpose(0, 1).contiguous())
        return self.norm(x + y), {"conv_0": past_0, "conv_1": past_1, "encoder": hidden.transpose(0, 1)}


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
        self.angles = config.noise_dim // 4
        self.norm = nn.LayerNorm(inputs)
        self.gru = nn.GRU(inputs, dim, num_layers=self.LAYERS, batch_first=True)
        self.mlp = nn.Sequential(nn.Linear(dim, dim), nn.ReLU(), nn.Linear(dim, config.motion_dim))
        self.style = nn.Linear(2 * config.embedding_dim, config.motion_dim)

    def noise_embedding(self, level: Tensor, steps: Tensor) -> Tensor:
        """Sinusoids of noise level (B,), 0..1, and steps (B,), 1..16, as floats -> (B, noise_dim)."""
        frequencies = torch.exp(torch.linspace(0.0, math.log(100.0), self.angles, device=level.device))
        angles = torch.cat([level[:, None] * frequencies, torch.log2(steps)[:, None] / 4 * frequencies], dim=-1)
        return torch.cat([torch.sin(angles), torch.cos(angles)], dim=-1)

    def forward(
        self, p: Tensor, audio: Tensor, noisy: Tensor, level: Tensor, steps: Tensor, hidden: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Predict the clean motion.

        Args:
            p, audio, noisy: (B, T, .).
            level: (B,) noise level of `noisy`.
            steps: (B,) float, steps of the sampler that asks: a sampler of few steps must take larger ones.
            hidden: (B, 3, dim).

        Returns:
            clean motion (B, T, motion_dim) and the new hidden state.
        """
        B, T, _ = noisy.shape
        noise = self.noise_embedding(level, steps)[:, None].expand(B, T, 4 * self.angles)
        x = self.norm(torch.cat([p, audio, noisy, noise], dim=-1))
        y, hidden = self.gru(x, hidden.transpose(0, 1).contiguous())
        return self.mlp(y) + self.style(p), hidden.transpose(0, 1)


def sample(
    decoder: MotionDecoder, p: Tensor, audio: Tensor, noise: Tensor, hidden: Tensor, steps: int, trained: int = 0
) -> tuple[Tensor, Tensor]:
    """Clean motion from noise in `steps` steps; each keeps a GRU state of its own along time: chunks join exactly.

    Args:
        p, audio, noise: (B, T, .).
        hidden: (B, steps, 3, dim).
        trained: the number of steps that the decoder was trained for, where its sampler is respaced to another.

    Returns:
        clean motion (B, T, motion_dim) and the new hidden state.
    """
    levels = sampling_levels(steps)
    motion, new_hidden = noise, []
    count = torch.full(noise.shape[:1], float(trained or steps), device=noise.device)
    for step, level in enumerate(levels):
        now = torch.full(noise.shape[:1], level, device=noise.device)
        clean, h = decoder(p, audio, motion, now, count, hidden[:, step])
        new_hidden.append(h)
        if step + 1 < len(levels):
            motion = denoise(motion, clean, torch.tensor(level), torch.tensor(levels[step + 1]))
    return clean, torch.stack(new_hidden, dim=1)


class Student(nn.Module):
    """The few-step student. Its `forward` is the exported graph."""

    motion_mean: Tensor
    motion_scale: Tensor
    temperature: Tensor

    def __init__(self, config: StudentConfig) -> None:
        super().__init__()
        self.config = config
        self.encoder = AudioEncoder(config)
        self.integrator = Integrator(config)
        self.decoder = MotionDecoder(config)
        self.register_buffer("motion_mean", torch.zeros(config.motion_dim))
        self.register_buffer("motion_scale", torch.ones(config.motion_dim))
        temperature = noise_scale(config.temperature_upper, config.temperature_lower)
        self.register_buffer("temperature", temperature, persistent=False)

    def initial_state(self, batch: int) -> State:
        """Zeros for `batch` fresh streams; the batch axis comes first everywhere."""
        c = self.config
        return {
            "conv_0": torch.zeros(batch, c.kernel_frames - 1, c.feature_dim),
            "conv_1": torch.zeros(batch, c.kernel_frames - 1, c.encoder_dim),
            "encoder": torch.zeros(batch, 1, c.encoder_dim),
            **{f"decoder_{n}": torch.zeros(batch, n, MotionDecoder.LAYERS, c.decoder_dim) for n in c.step_counts},
        }

    def forward(
        self, features: Tensor, noise: Tensor, identity: Tensor, emotion: Tensor, state: State, steps: int = 0
    ) -> tuple[Tensor, State]:
        """Sample blendshapes for T frames of B streams.

        Args:
            features: (B, T, 128) log-mel.
            noise: (B, T, 52), standard normal.
            identity, emotion: (B, T, 64) embeddings.
            state: as `initial_state` or as returned by the previous call.
            steps: one of `config.step_counts`; 0 for `config.default_steps`.

        Returns:
            weights (B, T, 52), not yet clamped, and the new state. Row j is frame j - DELAY_FRAMES of the stream.
        """
        steps = steps or self.config.default_steps
        audio, encoder_state = self.encoder(features, state)
        p = self.integrator(identity, emotion)
        name = f"decoder_{steps}"
        motion, hidden = sample(self.decoder, p, audio, noise * self.temperature, state[name], steps)
        return motion / self.motion_scale + self.motion_mean, {**state, **encoder_state, name: hidden}

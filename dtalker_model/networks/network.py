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
from dataclasses import replace

import torch
from torch import Tensor, nn

from dtalker_model.networks.audio_encoder import AudioEncoder, State
from dtalker_model.networks.diffusion import alpha_sigma, denoise, noise_scale, sampling_levels
from dtalker_model.networks.hubert_cnn import HubertCnn
from dtalker_model.networks.noise import NoiseColour
from dtalker_model.networks.student_config import StudentConfig

FIRST_SCALE = 12.0
"""Of the last layers of f_k and f_v: the first attention scores and p then vary by about 1, like the audio feature.

Else all identities would get almost the same p, too small to be seen beside F_a, and would hardly learn to differ.
"""

MOST_LOG_RANGE = 2.0
"""A person's coefficients range at most exp(2) times as far as the average, and at least exp(-2) times."""


def audio_encoder(config: StudentConfig) -> AudioEncoder | HubertCnn:
    """The small audio encoder that `config` names."""
    if config.encoder == "hubert_cnn":
        return HubertCnn(replace(config.hubert_cnn, audio_dim=config.encoder_dim))
    return AudioEncoder(config)


class Integrator(nn.Module):
    """Personalized embedding p by cross-attention of identity over emotion, eq. (7)."""

    def __init__(self, config: StudentConfig) -> None:
        super().__init__()
        self.tokens = config.embedding_tokens
        dim = config.embedding_dim // config.embedding_tokens
        self.f_k, self.f_v = _mlp(dim, dim), _mlp(dim, 2 * dim)

    def forward(self, identity: Tensor, emotion: Tensor) -> Tensor:
        """identity, emotion (B, T or 1, embedding_dim) -> p (B, T or 1, 2 embedding_dim); 1 stays the same for T."""
        i, e = (x.reshape(*x.shape[:2], self.tokens, x.shape[2] // self.tokens) for x in (identity, emotion))
        attention = torch.softmax(i @ self.f_k(e).transpose(-1, -2) / math.sqrt(i.shape[-1]), dim=-1)
        return (attention @ self.f_v(e)).flatten(-2)


def _mlp(in_dim: int, out_dim: int) -> nn.Sequential:
    first, last = nn.Linear(in_dim, 4 * in_dim), nn.Linear(4 * in_dim, out_dim)
    with torch.no_grad():
        last.weight.mul_(FIRST_SCALE)
    return nn.Sequential(first, nn.Tanh(), last)


class MotionDecoder(nn.Module):
    """Predicts clean motion x0 from p, F_a, noisy motion and the noise level: LayerNorm, three GRU layers, MLP.

    What the layers give is -v of Salimans and Ho (the paper's reference 17): x0 = alpha x_t - sigma v. So x_t has a way
    through, and at little noise the prediction keeps what it was given; a network without that way predicts the mean.

    Ours: p also sets where each coefficient rests and how far it ranges (sources differ in both by factors, which
    layers that only add p to what is heard learn slowly), and a linear path leads from F_a past the GRUs.

    `regularise` sets the dropout on the normalised audio feature and between the layers; both are 0 at first.
    """

    LAYERS = 3

    def __init__(self, config: StudentConfig) -> None:
        super().__init__()
        dim = config.decoder_dim
        inputs = 2 * config.embedding_dim + config.encoder_dim + config.motion_dim + config.noise_dim
        self.angles = config.noise_dim // 6
        self.norm = nn.LayerNorm(inputs)
        self.drop = nn.Dropout(0.0)  # behind the norm: before it, dropping would change the scale of all inputs
        self.gru = nn.GRU(inputs, dim, num_layers=self.LAYERS, batch_first=True)
        self.mlp = nn.Sequential(nn.Linear(dim, dim), nn.ReLU(), nn.Linear(dim, config.motion_dim))
        self.style = nn.Linear(2 * config.embedding_dim, config.motion_dim)
        self.direct = nn.Linear(config.encoder_dim, config.motion_dim)
        self.range = nn.Parameter(torch.zeros(2 * config.embedding_dim, config.motion_dim))

    def regularise(self, dropout: float, recurrent_dropout: float) -> None:
        """Shares dropped in training."""
        self.drop.p = dropout
        self.gru.dropout = recurrent_dropout

    def noise_embedding(self, level: Tensor, steps: Tensor, articulation: Tensor) -> Tensor:
        """Sinusoids of noise level 0..1, steps 1..16 and articulation 0.5..2, each (B,) -> (B, noise_dim)."""
        frequencies = torch.exp(torch.linspace(0.0, math.log(100.0), self.angles, device=level.device))
        told = (level, torch.log2(steps) / 4, torch.log2(articulation) / 4)
        angles = torch.cat([x[:, None] * frequencies for x in told], dim=-1)
        return torch.cat([torch.sin(angles), torch.cos(angles)], dim=-1)

    def forward(
        self,
        p: Tensor,
        audio: Tensor,
        noisy: Tensor,
        level: Tensor,
        steps: Tensor,
        articulation: Tensor,
        hidden: Tensor,
    ) -> tuple[Tensor, Tensor]:
        """Predict the clean motion.

        Args:
            p: (B, T, .), or (B, 1, .) where it stays the same.
            audio, noisy: (B, T, .).
            level: (B,) noise level of `noisy`.
            steps: (B,) float, steps of the sampler that asks: a sampler of few steps must take larger ones.
            articulation: (B,) float, how far the motion is led away from what would be said without the audio.
            hidden: (B, 3, dim).

        Returns:
            clean motion (B, T, motion_dim) and the new hidden state.
        """
        B, T, _ = noisy.shape
        noise = self.noise_embedding(level, steps, articulation)[:, None].expand(B, T, 6 * self.angles)
        x = self.norm(torch.cat([p.expand(B, T, -1), audio, noisy, noise], dim=-1))
        if self.training:
            before, after = p.shape[-1], p.shape[-1] + audio.shape[-1]
            x = torch.cat([x[..., :before], self.drop(x[..., before:after]), x[..., after:]], dim=-1)
            audio = self.drop(audio)
        y, hidden = self.gru(x, hidden.transpose(0, 1).contiguous())
        amplitude = torch.exp(MOST_LOG_RANGE * torch.tanh(p @ self.range))
        minus_v = amplitude * (self.mlp(y) + self.direct(audio)) + self.style(p)
        alpha, sigma = alpha_sigma(level[:, None, None])
        return alpha * noisy + sigma * minus_v, hidden.transpose(0, 1)


def sample(
    decoder: MotionDecoder,
    p: Tensor,
    audio: Tensor,
    noise: Tensor,
    articulation: Tensor,
    hidden: Tensor,
    steps: int,
    trained: int = 0,
) -> tuple[Tensor, Tensor]:
    """Clean motion from noise in `steps` steps; each keeps a GRU state of its own along time: chunks join exactly.

    Args:
        p: (B, T, .), or (B, 1, .) where it stays the same.
        audio, noise: (B, T, .).
        articulation: (B,).
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
        clean, h = decoder(p, audio, motion, now, count, articulation, hidden[:, step])
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
        self.encoder = audio_encoder(config)
        self.integrator = Integrator(config)
        self.decoder = MotionDecoder(config)
        self.colour = NoiseColour(config.motion_dim)
        self.register_buffer("motion_mean", torch.zeros(config.motion_dim))
        self.register_buffer("motion_scale", torch.ones(config.motion_dim))
        temperature = noise_scale(config.temperature_upper, config.temperature_lower)
        self.register_buffer("temperature", temperature, persistent=False)

    def initial_state(self, batch: int, *more: int) -> State:
        """Zeros for `batch` fresh streams, for the numbers of steps offered and `more`; the batch axis is first."""
        c, zeros = self.config, self.motion_mean.new_zeros
        return {
            **self.encoder.initial_state(batch),
            "noise": self.colour.initial_state(batch),
            **{f"decoder_{n}": zeros(batch, n, MotionDecoder.LAYERS, c.decoder_dim) for n in (*c.step_counts, *more)},
        }

    def forward(
        self,
        features: Tensor,
        noise: Tensor,
        identity: Tensor,
        emotion: Tensor,
        articulation: Tensor,
        state: State,
        steps: int = 0,
    ) -> tuple[Tensor, State]:
        """Sample blendshapes for T frames of B streams.

        Args:
            features: (B, T, feature_dim), what the encoder hears.
            noise: (B, T, 52), standard normal.
            identity, emotion: embeddings (B, T, 64), or (B, 1, 64) where they stay the same.
            articulation: (B, 1, 1), 1 as learned, 0.5 to 2.
            state: as `initial_state` or as returned by the previous call.
            steps: one of `config.step_counts`; 0 for `config.default_steps`.

        Returns:
            weights (B, T, 52), not yet clamped, and the new state. Row j is frame j - DELAY_FRAMES of the stream.
        """
        steps = steps or self.config.default_steps
        audio, encoder_state = self.encoder(features, state)
        p = self.integrator(identity, emotion)
        coloured, past = self.colour(noise, state["noise"])
        name = f"decoder_{steps}"
        motion, hidden = sample(
            self.decoder, p, audio, coloured * self.temperature, articulation[:, 0, 0], state[name], steps
        )
        new_state = {**state, **encoder_state, "noise": past, name: hidden}
        return motion / self.motion_scale + self.motion_mean, new_state

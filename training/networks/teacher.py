"""The teacher: DDPM that predicts the clean motion, 16 sampling steps, a large audio encoder (sections II.A to II.C).

| our name                | DiffusionTalker                                     |
| ----------------------- | --------------------------------------------------- |
| Teacher                 | DT_theta, t_theta                                   |
| encoder                 | large audio encoder, F_a^L                          |
| library                 | identity and emotion libraries, i and e             |
| personalizer            | contrastive personalizer                            |
| integrator, decoder     | personalized integrator (7), motion decoder         |
| steps                   | N = 16                                              |
| reconstruction          | L_rec (4)                                           |
| identity_, emotion_contrast | L_con (5), (6)                                  |
| Weights                 | lambda_1, lambda_2 of eq. (15) and those of ours    |
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from dtalker_model.networks.diffusion import alpha_sigma, diffuse, noise_scale
from dtalker_model.networks.network import Integrator, MotionDecoder, StudentConfig, sample
from dtalker_model.networks.noise import NoiseColour
from training.corpus.batches import Batch, joined
from training.corpus.library import Library, Names
from training.corpus.phones import PHONES
from training.hearing.hubert import HubertEncoder
from training.hearing.registry import hearing_dim
from training.networks import losses
from training.networks.encoders import PretrainedConfig, PretrainedEncoder, ScratchConfig, ScratchEncoder
from training.networks.lips import LIPS, asked, lips
from training.networks.personalizer import ContrastivePersonalizer

MOST_WEIGHT = 20.0
"""Of an error at little noise, 1 / sigma^2 elsewhere: the error of v (Salimans and Ho), as large at every level."""

LOUD_ENOUGH = 2.0
"""Log-mel this far above a crop's quietest frames is speech."""


@dataclass(frozen=True)
class Weights:
    """Weights of the losses. The first two are the paper's (15); at 0 the others leave it as published.

    Attributes:
        reconstruction, contrast: lambda_1 and lambda_2.
        velocity, vertex, lip_gap, phone: of our own terms, see `training.networks.losses`.
        lips: of what the lips must do at each phone, see `training.networks.lips`.
    """

    reconstruction: float = 1.0
    contrast: float = 0.007
    velocity: float = 1.0
    vertex: float = 2.0
    lip_gap: float = 0.05
    lips: float = 1.0
    phone: float = 0.1

    def of_terms(self) -> dict[str, float]:
        """The weight of each term of the loss."""
        each = dict.fromkeys(("identity_contrast", "emotion_contrast"), self.contrast)
        return {**vars(self), **each, **dict.fromkeys(LIPS, self.lips)}


@dataclass(frozen=True)
class TeacherConfig:
    """What the teacher is made of.

    Attributes:
        shared: sizes of integrator and decoder, which the students inherit; `encoder_dim` is the length of F_a.
        encoder: the large audio encoder: `whisper` or `hubert`, pretrained and frozen, or `scratch`, trained here.
        pretrained: sizes of what stands on `whisper`'s features; whisper: as `whisper_source` takes it.
        scratch: sizes of the encoder trained here. hubert: hub id, folder or ``torchaudio:`` bundle.
        steps: N.
        dropout, recurrent_dropout: on the audio feature, and between the decoder's GRU layers.
        temperature_upper, temperature_lower: scale of the sampler's noise on upper and lower face.
        deaf: share of crops whose audio is dropped, so that `articulation` can lead away from what they say.
    """

    shared: StudentConfig = field(default_factory=StudentConfig)
    encoder: str = "whisper"
    pretrained: PretrainedConfig = field(default_factory=PretrainedConfig)
    whisper: str = ""
    scratch: ScratchConfig = field(default_factory=ScratchConfig)
    hubert: str = ""
    steps: int = 16
    dropout: float = 0.3
    recurrent_dropout: float = 0.2
    temperature_upper: float = 1.0
    temperature_lower: float = 0.5
    deaf: float = 0.1
    weights: Weights = field(default_factory=Weights)

    @property
    def ears(self) -> str:
        """Where the pretrained ears of `encoder` are; empty for their own place, or where it has none."""
        return {"whisper": self.whisper, "hubert": self.hubert}.get(self.encoder, "")


class Teacher(nn.Module):
    """The networks, the library and what training alone needs: phone head and geometry of the face."""

    motion_mean: Tensor
    motion_scale: Tensor
    gram: Tensor
    gap: Tensor
    lips_mm: Tensor
    temperature: Tensor

    def __init__(self, config: TeacherConfig, names: Names) -> None:
        super().__init__()
        self.config = config
        shared = config.shared
        self.encoder = large_encoder(config)
        self.personalizer = ContrastivePersonalizer(names, shared.embedding_dim, shared.encoder_dim)
        self.integrator = Integrator(shared)
        self.decoder = MotionDecoder(shared)
        self.decoder.regularise(config.dropout, config.recurrent_dropout)
        self.colour = NoiseColour(shared.motion_dim)
        self.drop = nn.Dropout(config.dropout)
        self.phone_head = nn.Linear(shared.encoder_dim, len(PHONES))
        self.register_buffer("motion_mean", torch.zeros(shared.motion_dim))
        self.register_buffer("motion_scale", torch.ones(shared.motion_dim))
        self.register_buffer("gram", torch.zeros(shared.motion_dim, shared.motion_dim))
        self.register_buffer("gap", torch.zeros(shared.motion_dim))
        self.register_buffer("lips_mm", torch.zeros(3, shared.motion_dim))
        scale = noise_scale(config.temperature_upper, config.temperature_lower)
        self.register_buffer("temperature", scale, persistent=False)

    @property
    def library(self) -> Library:
        """Embeddings of identities and emotions."""
        return self.personalizer.library

    def encode(self, batch: Batch) -> Tensor:
        """F_a^L (B, T, encoder_dim)."""
        return self.encoder(batch.heard[self.encoder.hearing])

    def forward(self, seen: Batch, heard: Batch) -> dict[str, Tensor]:
        """Terms of the loss (15) with ours, and their weighted sum `loss`."""
        batch = joined(seen, heard)
        audio = self.encode(batch)
        return self.total({**self.heard_terms(batch, audio), **self._motion_terms(batch, audio)})

    def heard_terms(self, batch: Batch, audio: Tensor) -> dict[str, Tensor]:
        """What the audio feature tells of phones, and of voices and moods: eqs. (5) and (6)."""
        contrast = self.personalizer.losses(audio, speech(batch.heard["log_mel"]), batch.spoken_by, batch.spoken_as)
        return {"phone": losses.phone(self.phone_head(self.drop(audio)), batch.phones), **contrast}

    def total(self, terms: dict[str, Tensor]) -> dict[str, Tensor]:
        """The terms and their weighted sum `loss`."""
        return with_total(terms, self.config.weights.of_terms())

    def personalized(self, batch: Batch) -> Tensor:
        """p (B, T, .) of eq. (7), retrieved by label."""
        B, T, _ = batch.motion.shape
        i, e = self.personalizer.retrieve_labelled(batch.identity, batch.emotion, batch.strength)
        return self.integrator(i[:, None].expand(B, T, -1), e[:, None].expand(B, T, -1))

    def _motion_terms(self, batch: Batch, audio: Tensor) -> dict[str, Tensor]:
        """At t = T, where all must come from the audio, and at another t: two predictions, each term their mean.

        What nobody recorded of a face, the first prediction says in the second one's noisy motion.
        """
        motion = (batch.motion - self.motion_mean) * self.motion_scale
        p = self.personalized(batch)
        hears = (batch.dice[:, 2] >= self.config.deaf).float()
        audio = audio * hears[:, None, None]
        noise = self.colour(batch.noise, self.colour.initial_state(len(motion)))[0]
        steps = torch.full_like(hears, float(self.config.steps))
        first = self.predict(p, audio, noise, torch.ones_like(steps), steps)
        level = (1 + torch.floor(batch.dice[:, 0] * (self.config.steps - 1))) / self.config.steps
        start = batch.observed * motion + (1 - batch.observed) * first.detach()
        second = self.predict(p, audio, diffuse(start, noise, level[:, None, None]), level, steps)
        weight = (1 / alpha_sigma(level)[1] ** 2).clamp(max=MOST_WEIGHT).sqrt()[:, None, None]
        weighted = motion + weight * (second - motion)
        both = [losses.distances(clean, motion, batch, self.gram, self.gap) for clean in (first, weighted)]
        terms = {name: (both[0][name] + both[1][name]) / 2 for name in both[0]}
        return terms | self._lip_terms((first, second), batch, hears)

    def _lip_terms(self, motions: Sequence[Tensor], batch: Batch, hears: Tensor) -> dict[str, Tensor]:
        """What the lips of predicted, normalised motions (B, T, 52) do at phones; `hears` (B,) masks deaf crops."""
        recorded = batch.observed.amax(dim=(1, 2))
        targets = asked(batch.lips, recorded) * hears[:, None].to(batch.lips.dtype)
        found = [lips(x / self.motion_scale + self.motion_mean, targets, self.lips_mm) for x in motions]
        return {name: torch.stack([each[name] for each in found]).mean() for name in LIPS}

    def predict(self, p: Tensor, audio: Tensor, noisy: Tensor, level: Tensor, steps: Tensor) -> Tensor:
        """The clean motion (B, T, 52), predicted from noisy motion at `level` (B,) by a fresh decoder told `steps`."""
        hidden = noisy.new_zeros(len(noisy), MotionDecoder.LAYERS, self.config.shared.decoder_dim)
        return self.decoder(p, audio, noisy, level, steps, torch.ones_like(level), hidden)[0]

    def guided(
        self, p: Tensor, audio: Tensor, noisy: Tensor, level: Tensor, steps: Tensor, articulation: Tensor
    ) -> Tensor:
        """As `predict`, led away from what is said without audio by `articulation` (B,): classifier-free guidance."""
        clean, led = self.predict(p, audio, noisy, level, steps), articulation != 1
        if not led.any():
            return clean
        deaf = self.predict(p[led], torch.zeros_like(audio[led]), noisy[led], level[led], steps[led])
        return clean.index_put((led,), deaf + articulation[led, None, None] * (clean[led] - deaf))

    @torch.no_grad()
    def speak(self, heard: Tensor, identity: Tensor, emotion: Tensor, noise: Tensor, steps: int = 0) -> Tensor:
        """Sample a whole clip.

        Args:
            heard: (B, T, D) of `encoder.hearing`.
            identity, emotion: (B, T, 64), or (B, 1, 64) where they stay the same.
            noise: (B, T, 52), standard normal.
            steps: of the sampler; 0 for N, fewer respace it without distillation.

        Returns:
            weights (B, T, 52), not clamped. Row j is frame j - DELAY_FRAMES.
        """
        steps = steps or self.config.steps
        hidden = noise.new_zeros(len(noise), steps, MotionDecoder.LAYERS, self.config.shared.decoder_dim)
        p = self.integrator(identity, emotion)
        coloured = self.colour(noise, self.colour.initial_state(len(noise)))[0] * self.temperature
        as_learned = noise.new_ones(len(noise))
        motion, _ = sample(
            self.decoder, p, self.encoder(heard), coloured, as_learned, hidden, steps, trained=self.config.steps
        )
        return motion / self.motion_scale + self.motion_mean


def large_encoder(config: TeacherConfig) -> ScratchEncoder | HubertEncoder | PretrainedEncoder:
    """The audio encoder that `config` names.

    Raises:
        ValueError: there is no such encoder, or no HuBERT is given.
        ModelError: the pretrained model cannot be loaded.
    """
    if config.encoder == "whisper":
        return PretrainedEncoder("whisper", config.pretrained, config.shared.encoder_dim)
    if config.encoder == "scratch":
        return ScratchEncoder(config.scratch, config.shared.encoder_dim)
    if config.encoder == "hubert":
        return HubertEncoder(hearing_dim("hubert", config.hubert), config.shared.encoder_dim)
    raise ValueError(f"encoder {config.encoder!r}: expected whisper, hubert or scratch")


class HearingTask(nn.Module):
    """The teacher's first lesson: phones, voices and moods, without motion."""

    def __init__(self, teacher: Teacher) -> None:
        super().__init__()
        self.teacher = teacher

    def forward(self, seen: Batch, heard: Batch) -> dict[str, Tensor]:
        """Terms of hearing and their weighted sum `loss`."""
        batch = joined(seen, heard)
        return self.teacher.total(self.teacher.heard_terms(batch, self.teacher.encode(batch)))


def speech(log_mel: Tensor) -> Tensor:
    """Where crops (B, T, D) are loud, (B, T) of 0 and 1."""
    level = log_mel.mean(dim=-1)
    return (level > torch.quantile(level, 0.05, dim=1, keepdim=True) + LOUD_ENOUGH).float()


def with_total(terms: dict[str, Tensor], weights: Mapping[str, float]) -> dict[str, Tensor]:
    """The terms and their weighted sum `loss`."""
    return {**terms, "loss": torch.stack([weights[name] * term for name, term in terms.items()]).sum()}

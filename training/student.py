"""The first student: a few-step denoiser trained on recordings, without a teacher.

Each crop is denoised at every level that the sampler visits. Below the first level, noisy motion is made either from
the recording (plain DDPM training, eqs. 1 and 4) or, as the sampler will make it, from the network's own last
prediction; coefficients that nobody observed always come from the prediction.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from dtalker_model.network import Student, StudentConfig, alpha_sigma, sampling_levels
from training import losses
from training.augment import Augmentation
from training.batches import Batch, Sampling
from training.corpus import EMOTIONS
from training.library import Library, Names
from training.phones import PHONES


@dataclass(frozen=True)
class TrainConfig:
    """Everything that decides a run; saved beside its weights.

    Attributes:
        share: how often each source is drawn; clips of sources without motion teach phones alone.
        copies, phone_copies: augmented variants of each clip, by source, and of each clip that teaches phones.
        batch, phone_batch: crops with motion, and crops for phones, a step.
        own: share of crops whose later steps start from the network's own prediction.
        dropout, recurrent_dropout: on the audio feature, and between the decoder's GRU layers.
        vertex, velocity, phone: weights of the losses beside the reconstruction.
        patience: validations without improvement before the run stops.
    """

    student: StudentConfig = field(default_factory=StudentConfig)
    sampling: Sampling = field(default_factory=Sampling)
    augmentation: Augmentation = field(default_factory=Augmentation)
    emotions: tuple[str, ...] = EMOTIONS
    share: dict[str, float] = field(
        default_factory=lambda: {"ravdess": 2, "ravdess_song": 1.5, "facegood": 2, "grid": 5}
    )
    phone_share: dict[str, float] = field(default_factory=lambda: {"ravdess": 1, "flite": 2})
    copies: dict[str, int] = field(
        default_factory=lambda: {"ravdess": 10, "ravdess_song": 10, "facegood": 10, "grid": 3}
    )
    phone_copies: int = 2
    synthetic_sentences: int = 1200
    seed: int = 0
    steps: int = 900
    batch: int = 32
    phone_batch: int = 12
    learning_rate: float = 1e-3
    weight_decay: float = 0.05
    dropout: float = 0.4
    recurrent_dropout: float = 0.2
    own: float = 0.75
    vertex: float = 1.0
    velocity: float = 1.0
    phone: float = 0.3
    ema: float = 0.995
    validate_every: int = 100
    patience: int = 6


class TrainedStudent(nn.Module):
    """The student with what training alone needs: its library of embeddings and the phone head."""

    gram: Tensor

    def __init__(self, config: TrainConfig, names: Names, gram: Tensor) -> None:
        super().__init__()
        self.config = config
        self.student = Student(config.student)
        self.library = Library(names, config.student.embedding_dim)
        self.phone_head = nn.Linear(config.student.encoder_dim, len(PHONES))
        self.drop = nn.Dropout(config.dropout)
        self.student.decoder.gru.dropout = config.recurrent_dropout
        self.register_buffer("gram", gram)

    def losses(self, batch: Batch, phones_only: Batch) -> dict[str, Tensor]:
        """The terms of the loss and their weighted sum, `loss`."""
        c = self.config
        features = torch.cat([batch.features, phones_only.features])
        audio, _ = self.student.encoder(features, self.student.initial_state(len(features)))
        audio = self.drop(audio)
        labels = torch.cat([batch.phones, phones_only.phones])
        terms = {"phone": losses.phone(self.phone_head(audio), labels)}
        terms |= self._motion_terms(batch, audio[: len(batch.features)])
        weights = {"reconstruction": 1.0, "vertex": c.vertex, "velocity": c.velocity, "phone": c.phone}
        terms["loss"] = torch.stack([weights[name] * term for name, term in terms.items()]).sum()
        return terms

    def _motion_terms(self, batch: Batch, audio: Tensor) -> dict[str, Tensor]:
        B, T, _ = audio.shape
        motion = (batch.motion - self.student.motion_mean) * self.student.motion_scale
        identity = self.library.identity[batch.identity][:, None].expand(B, T, -1)
        emotion = self.library.emotion(batch.emotion, batch.strength)[:, None].expand(B, T, -1)
        p = self.student.integrator(identity, emotion)
        total = dict.fromkeys(("reconstruction", "vertex", "velocity"), torch.zeros(()))
        for clean in self.denoised(p, audio, motion, batch.observed):
            terms = {
                "reconstruction": losses.reconstruction(clean, motion, batch.observed),
                "vertex": losses.vertex(clean, motion, batch.observed, self.gram),
                "velocity": losses.velocity(clean, motion, batch.observed),
            }
            total = {name: total[name] + term for name, term in terms.items()}
        return total

    def denoised(self, p: Tensor, audio: Tensor, motion: Tensor, observed: Tensor) -> list[Tensor]:
        """The predicted clean motion at each level of the sampler."""
        predictions: list[Tensor] = []
        B = len(motion)
        hidden = self.student.initial_state(B)["decoder"][:, 0]
        noise = torch.randn_like(motion)
        from_recording = (torch.rand(B, 1, 1) >= self.config.own) * observed
        noisy = noise
        for level in sampling_levels(self.config.student.steps):
            now = torch.full((B,), level)
            if predictions:
                source = from_recording * motion + (1 - from_recording) * predictions[-1].detach()
                alpha, sigma = alpha_sigma(now[0])
                noisy = alpha * source + sigma * noise
            predictions.append(self.student.decoder(p, audio, noisy, now, hidden)[0])
        return predictions

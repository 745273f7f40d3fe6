"""The rival that a sceptic asks for: a plain regression network of the student's size, without diffusion.

Encoder, integrator and decoder are the student's; the noisy motion that the decoder gets is always zero, its noise
level and number of steps always 1. It learns from the same crops by the same losses, (4), (5), (6) and ours.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from dtalker_model.networks.network import MotionDecoder, Student, StudentConfig
from training.corpus.batches import Batch, joined
from training.corpus.library import Library, Names
from training.corpus.phones import PHONES
from training.loop import config
from training.networks import losses
from training.networks.lips import asked, lips
from training.networks.personalizer import ContrastivePersonalizer
from training.networks.runs import BEST, saved_names, saved_settings
from training.networks.teacher import Weights, speech, with_total


@dataclass(frozen=True)
class RegressionConfig:
    """What the network is made of and how it learns.

    Attributes:
        student: sizes, those of the student that it is compared with.
        dropout, recurrent_dropout: on the audio feature, and between the decoder's GRU layers.
    """

    student: StudentConfig = field(default_factory=StudentConfig)
    weights: Weights = field(default_factory=Weights)
    dropout: float = 0.3
    recurrent_dropout: float = 0.2


class Regression(nn.Module):
    """Audio, identity and emotion to motion, in one pass."""

    gram: Tensor
    gap: Tensor
    lips_mm: Tensor

    def __init__(self, config: RegressionConfig, names: Names) -> None:
        super().__init__()
        self.config = config
        c = config.student
        self.student = Student(c)
        self.student.decoder.regularise(config.dropout, config.recurrent_dropout)
        self.personalizer = ContrastivePersonalizer(names, c.embedding_dim, c.encoder_dim)
        self.phone_head = nn.Linear(c.encoder_dim, len(PHONES))
        self.drop = nn.Dropout(config.dropout)
        self.register_buffer("gram", torch.zeros(c.motion_dim, c.motion_dim))
        self.register_buffer("gap", torch.zeros(c.motion_dim))
        self.register_buffer("lips_mm", torch.zeros(3, c.motion_dim))

    @property
    def library(self) -> Library:
        """Embeddings of identities and emotions."""
        return self.personalizer.library

    def forward(self, seen: Batch, heard: Batch) -> dict[str, Tensor]:
        """Terms of the loss and their weighted sum `loss`."""
        s, batch = self.student, joined(seen, heard)
        hears = batch.heard[s.encoder.hearing]
        audio, _ = s.encoder(hears, s.encoder.initial_state(len(hears)))
        clean = self._regress(batch, audio)
        motion = (batch.motion - s.motion_mean) * s.motion_scale
        targets = asked(batch.lips, batch.observed.amax(dim=(1, 2)))
        terms = {
            "phone": losses.phone(self.phone_head(self.drop(audio)), batch.phones),
            **self.personalizer.losses(audio, speech(batch.heard["log_mel"]), batch.spoken_by, batch.spoken_as),
            **losses.distances(clean, motion, batch, self.gram, self.gap),
            **lips(clean / s.motion_scale + s.motion_mean, targets, self.lips_mm),
        }
        return with_total(terms, self.config.weights.of_terms())

    def _regress(self, batch: Batch, audio: Tensor) -> Tensor:
        """Normalised motion (B, T, 52) of labelled crops with the audio feature (B, T, encoder_dim)."""
        s, (B, T, M) = self.student, batch.motion.shape
        labelled = self.personalizer.retrieve_labelled(batch.identity, batch.emotion, batch.strength)
        i, e = (x[:, None].expand(B, T, -1) for x in labelled)
        hidden = audio.new_zeros(B, MotionDecoder.LAYERS, self.config.student.decoder_dim)
        one = audio.new_ones(B)
        return s.decoder(s.integrator(i, e), audio, audio.new_zeros(B, T, M), one, one, one, hidden)[0]

    @torch.no_grad()
    def speak(self, heard: Tensor, identity: Tensor, emotion: Tensor, noise: Tensor, steps: int = 0) -> Tensor:
        """As `Teacher.speak`, streaming from a fresh state; the noise is not heard, and there are no steps."""
        assert not steps, "a regression network has no steps"
        state = self.student.initial_state(len(heard), 1)
        as_learned = noise.new_ones(len(noise), 1, 1)
        return self.student(heard, torch.zeros_like(noise), identity, emotion, as_learned, state, steps=1)[0]


def open_regression(folder: Path) -> Regression:
    """A trained network in evaluation mode, from its run or from the committed weights, which are half precision."""
    settings = config.from_dict(RegressionConfig, saved_settings(folder)["config"]["regression"])
    network = Regression(settings, saved_names(folder))
    network.load_state_dict({name: x.float() for name, x in load_file(folder / BEST).items()})
    return network.eval()

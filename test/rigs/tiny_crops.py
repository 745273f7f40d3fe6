"""A batch of a few random crops, for losses that are looked at without a corpus."""

from __future__ import annotations

import torch

from dtalker_model.networks.noise import low_pass
from dtalker_model.networks.student_config import StudentConfig
from training.corpus.batches import Batch
from training.corpus.library import Names
from training.networks.encoders import ScratchConfig
from training.networks.teacher import Teacher, TeacherConfig

B, T = 4, 12
"""Crops of a batch, frames of a crop."""

SIZES = StudentConfig(encoder_dim=16, encoder_hidden=12, decoder_dim=16)
NAMES = Names(("default", "ann"), ("neutral", "happy"))


def crops() -> Batch:
    """Observed motion in 0..1, unknown voices, and no phones."""
    torch.manual_seed(2)
    zero, unknown = torch.zeros(B, dtype=torch.long), torch.full((B,), -1)
    return Batch(
        heard={"log_mel": torch.randn(B, T, 128)},
        motion=torch.rand(B, T, 52),
        observed=torch.ones(B, T, 52),
        phones=torch.full((B, T), -1),
        lips=torch.zeros(B, T, dtype=torch.uint8),
        identity=zero,
        emotion=zero,
        strength=torch.ones(B),
        spoken_by=unknown,
        spoken_as=unknown,
        noise=torch.randn(B, T, 52),
        dice=torch.rand(B, 6),
    )


def teacher(deaf: float = 0.0) -> Teacher:
    """An untrained one in evaluation mode; motion rests at 0.1, is scaled by 2, and its noise is 40 ms smooth."""
    torch.manual_seed(3)
    config = TeacherConfig(SIZES, encoder="scratch", scratch=ScratchConfig(dim=8), deaf=deaf)
    made = Teacher(config, NAMES).eval()
    made.motion_mean.fill_(0.1)
    made.motion_scale.fill_(2.0)
    made.colour.taps.copy_(low_pass(torch.full((52,), 2.0)))
    return made

"""Train the regression network from the corpus: ``python -m training regression RUN``."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import torch

from dtalker_model.networks.audio_encoder import AudioEncoder
from training.corpus.clips import corpus_folder
from training.corpus.variants import feature_statistics
from training.hearing.registry import HEARS, hearings
from training.loop import loop
from training.networks.regression import Regression, RegressionConfig
from training.networks.runs import save_settings
from training.stages.preparation import Data, DataConfig, face_geometry, lip_geometry, motion_statistics, prepare
from training.stages.run_teacher import Validation


@dataclass(frozen=True)
class RegressionTraining:
    """Everything that decides a run; saved beside its weights."""

    regression: RegressionConfig = field(default_factory=RegressionConfig)
    data: DataConfig = field(default_factory=DataConfig)
    plan: loop.Plan = field(default_factory=lambda: loop.Plan(600, ema=0.985, validate_every=120))
    seed: int = 0


def build(config: RegressionConfig, data: Data, corpus: Path) -> Regression:
    """A fresh network whose normalisation is that of the training data."""
    network = Regression(config, data.names)
    mean, scale = motion_statistics(data.moving, data.config.posed_deviation)
    network.student.motion_mean.copy_(mean)
    network.student.motion_scale.copy_(scale)
    for buffer, value in zip((network.gram, network.gap), face_geometry(corpus, scale)):
        buffer.copy_(value)
    network.lips_mm.copy_(lip_geometry(corpus))
    if isinstance(network.student.encoder, AudioEncoder):
        network.student.encoder.normalise(*map(torch.from_numpy, feature_statistics(data.moving)))
    return network


def run(config: RegressionTraining, folder: Path) -> None:
    """Prepare, train, keep the best weights and the configuration in `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    corpus = corpus_folder()
    encoder = config.regression.student.encoder
    hears = hearings({encoder})
    data = prepare(config.data, corpus, folder.parent, hears)
    torch.manual_seed(config.seed)
    network = build(config.regression, data, corpus)
    save_settings(folder, config, data.names)
    validation = Validation(corpus, hears[HEARS[encoder]], tuple(config.data.share))
    loop.train(network, data.batch, lambda m: validation(m.speak, m.library), config.plan, folder, config.seed)

"""Train the first student from the corpus: ``python -m training student RUN``."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from dtalker_model.network import Student
from dtalker_model.rates import DELAY_FRAMES
from training import loop
from training.batches import Sampler
from training.commit import current_commit
from training.corpus import Clip, corpus_folder, generic_name, load_audio, read_manifest
from training.evaluate import SOURCES, Row, figures
from training.face_basis import lip_basis_cm
from training.library import Library, Names, names_of
from training.phones import synthesise
from training.student import TrainConfig, TrainedStudent
from training.variants import Variant, feature_statistics, make_variants, variant

LEAST_DEVIATION = 0.02
"""Coefficients that hardly move are scaled as if they moved this much, so that noise in them is not amplified."""


def motion_statistics(variants: Sequence[Variant]) -> tuple[Tensor, Tensor]:
    """Mean and 1 / deviation of each coefficient over observed frames; one that nobody observed stays at zero."""
    weights = np.concatenate([v.weights for v in variants]).astype(np.float64)
    observed = np.concatenate([v.observed for v in variants])
    count = np.maximum(observed.sum(axis=0), 1)
    mean = (weights * observed).sum(axis=0) / count
    deviation = np.sqrt((((weights - mean) ** 2) * observed).sum(axis=0) / count)
    scale = np.where(observed.any(axis=0), 1 / np.maximum(deviation, LEAST_DEVIATION), 1e6)
    return torch.from_numpy(mean).float(), torch.from_numpy(scale).float()


def vertex_gram(folder: Path, scale: Tensor) -> Tensor:
    """Mean squared lip displacement as a quadratic form of normalised errors; unit errors give about 1."""
    basis = torch.from_numpy(lip_basis_cm(folder)) / scale[:, None]
    gram = basis @ basis.T
    return gram / gram.trace()


def predict(student: Student, library: Library, features: Tensor, clip: Clip, seed: int = 0) -> np.ndarray:
    """Frames (T, 52) of a clip: the generic style of its source, the emotion of its label."""
    T = len(features)
    padded = torch.cat([features, features[-1:].expand(DELAY_FRAMES, -1)])[None]
    name = clip.identity if clip.identity in library.names.identities else generic_name(clip)
    identity = library.identity[library.names.identities.index(name)].expand(1, T + DELAY_FRAMES, -1)
    label = library.names.emotions.index(clip.emotion) if clip.emotion in library.names.emotions else 0
    emotion = library.emotion(torch.tensor([label]), torch.ones(1))[:, None].expand(1, T + DELAY_FRAMES, -1)
    noise = torch.randn(1, T + DELAY_FRAMES, 52, generator=torch.Generator().manual_seed(seed))
    weights, _ = student(padded, noise, identity, emotion, student.initial_state(1))
    return weights[0, DELAY_FRAMES:].clamp(0, 1).numpy()


class Validation:
    """Figures of a model on the validation clips. The score, to be minimised, weighs the sources equally."""

    def __init__(self, folder: Path) -> None:
        clips = [c for c in read_manifest(folder, "val") if c.motion]
        self.heard = {c.id: torch.from_numpy(variant(c, load_audio(c)).features.astype(np.float32)) for c in clips}
        self.by_source = {s: [c for c in clips if c.source == s] for s in SOURCES}
        self.basis_cm = lip_basis_cm(folder)

    @torch.no_grad()
    def __call__(self, model: TrainedStudent) -> dict:
        model.eval()
        rows = {s: self._figures(model, clips) for s, clips in self.by_source.items()}
        model.train()
        flat = {f"{s}_{name}": value for s, row in rows.items() for name, value in row.items()}
        score = np.mean([np.log(row["LVE"]) - 2 * row["jawOpen"] for row in rows.values()])
        return {"score": float(score), **flat}

    def _figures(self, model: TrainedStudent, clips: Sequence[Clip]) -> Row:
        return figures(lambda c: predict(model.student, model.library, self.heard[c.id], c), clips, self.basis_cm)


def run(config: TrainConfig, folder: Path) -> None:
    """Prepare variants, train, keep the best weights and the configuration in `folder`."""
    torch.manual_seed(config.seed)
    folder.mkdir(parents=True, exist_ok=True)
    corpus = corpus_folder()
    clips = read_manifest(corpus, "train")
    paired = [c for c in clips if c.motion]
    spoken = [c for c in clips if c.phones and not c.motion] + synthesise(
        folder.parent / "flite", config.synthetic_sentences
    )
    moving = [
        v
        for source, copies in config.copies.items()
        for v in make_variants([c for c in paired if c.source == source], copies, config.augmentation, config.seed)
    ]
    heard = make_variants(spoken, config.phone_copies, config.augmentation, config.seed + 1)
    names = names_of(paired, config.emotions)
    model = build(config, names, moving, corpus)
    (folder / "config.json").write_text(
        json.dumps({"config": asdict(config), "names": asdict(names), "commit": current_commit()}, indent=1)
    )
    sampler = Sampler(moving, config.share, names, config.sampling, config.seed)
    phones = Sampler(heard, config.phone_share, names, config.sampling, config.seed + 1)
    plan = loop.Plan(
        config.steps, config.learning_rate, config.weight_decay, config.ema, config.validate_every, config.patience
    )
    step = lambda _: model.losses(sampler.batch(config.batch), phones.batch(config.phone_batch))  # noqa: E731
    loop.train(model, step, Validation(corpus), plan, folder)


def saved_names(run: Path) -> Names:
    """The library's names of a finished run."""
    names = json.loads((run / "config.json").read_text(encoding="utf-8"))["names"]
    return Names(tuple(names["identities"]), tuple(names["emotions"]))


def build(config: TrainConfig, names: Names, moving: Sequence[Variant], corpus: Path) -> TrainedStudent:
    """A fresh model whose normalisation is that of the training data."""
    mean, scale = motion_statistics(moving)
    model = TrainedStudent(config, names, vertex_gram(corpus, scale))
    model.student.motion_mean.copy_(mean)
    model.student.motion_scale.copy_(scale)
    feature_mean, feature_scale = feature_statistics(moving)
    model.student.encoder.mean.copy_(torch.from_numpy(feature_mean))
    model.student.encoder.scale.copy_(torch.from_numpy(feature_scale))
    return model

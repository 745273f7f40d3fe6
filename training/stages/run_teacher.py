"""Train the teacher from the corpus: ``python -m training teacher RUN``."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import load_file

from training.corpus.clips import corpus_folder, load_audio, read_manifest
from training.corpus.face_basis import lip_basis_cm
from training.corpus.library import Library
from training.corpus.variants import Hearing, feature_statistics, hear_clip, log_mel
from training.evaluation.evaluate import SOURCES, figures
from training.hearing.registry import EARS
from training.loop import loop
from training.networks.encoders import PretrainedEncoder, ScratchEncoder
from training.networks.runs import save_settings
from training.networks.speaking import Speak, predict
from training.networks.teacher import HearingTask, Teacher, TeacherConfig
from training.stages.preparation import (
    Data,
    DataConfig,
    ears,
    face_geometry,
    lip_geometry,
    motion_colour,
    motion_statistics,
    prepare,
)


@dataclass(frozen=True)
class TeacherTraining:
    """Everything that decides a run; saved beside its weights.

    Attributes:
        hearing: how the audio encoder learns phones, voices and moods first.
        plan: how everything then learns.
    """

    teacher: TeacherConfig = field(default_factory=TeacherConfig)
    data: DataConfig = field(default_factory=DataConfig)
    hearing: loop.Plan = field(default_factory=lambda: loop.Plan(300, ema=0.98))
    plan: loop.Plan = field(default_factory=lambda: loop.Plan(1000, encoder_rate=0.5, ema=0.99, validate_every=200))
    seed: int = 0


class Validation:
    """Figures of a model on the validation clips. The score, to be minimised, weighs the sources equally."""

    def __init__(self, folder: Path, hear: Hearing = log_mel, sources: Sequence[str] = SOURCES) -> None:
        clips = [c for c in read_manifest(folder, "val") if c.motion and c.source in sources]
        self.heard = {
            c.id: torch.from_numpy(np.asarray(hear_clip(hear, c, 1.0, load_audio(c)), np.float32)) for c in clips
        }
        self.by_source = {s: [c for c in clips if c.source == s] for s in sources}
        self.basis_cm = lip_basis_cm(folder)

    def __call__(self, speak: Speak, library: Library) -> dict[str, float]:
        """LVE and correlations by source, and their score."""
        said = {s: predict(speak, library, clips, self.heard) for s, clips in self.by_source.items()}
        rows = {s: figures(lambda c: said[c.source][c.id], c, self.basis_cm) for s, c in self.by_source.items()}
        flat = {f"{s}_{name}": value for s, row in rows.items() for name, value in row.items()}
        # A jaw that keeps still follows nothing: its correlation is not defined, and counts as none.
        score = np.mean([np.log(row["LVE"]) - 2 * np.nan_to_num(row["jawOpen"]) for row in rows.values()])
        return {"score": float(score), **flat}


def build(config: TeacherConfig, data: Data, corpus: Path) -> Teacher:
    """A fresh teacher whose normalisation is that of the training data."""
    teacher = Teacher(config, data.names)
    mean, scale = motion_statistics(data.moving, data.config.posed_deviation)
    gram, gap = face_geometry(corpus, scale)
    feature_mean, feature_scale = map(torch.from_numpy, feature_statistics(data.moving))
    buffers = {teacher.motion_mean: mean, teacher.motion_scale: scale, teacher.gram: gram, teacher.gap: gap}
    buffers |= {teacher.lips_mm: lip_geometry(corpus), teacher.colour.taps: motion_colour(data.moving)}
    if isinstance(teacher.encoder, ScratchEncoder | PretrainedEncoder):
        buffers |= {teacher.encoder.mean: feature_mean, teacher.encoder.scale: feature_scale}
    for buffer, value in buffers.items():
        buffer.copy_(value)
    return teacher


def run(config: TeacherTraining, folder: Path) -> None:
    """Prepare, train, keep the best weights and the configuration in `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    corpus = corpus_folder()
    hears = ears(config.teacher, {config.teacher.encoder}, folder.parent / EARS)
    data = prepare(config.data, corpus, folder.parent, hears)
    torch.manual_seed(config.seed)
    teacher = build(config.teacher, data, corpus)
    save_settings(folder, config, data.names)
    validation = Validation(corpus, hears[teacher.encoder.hearing], tuple(config.data.share))
    figures = lambda m: validation(m.speak, m.library)  # noqa: E731
    hearing = replace(config.hearing, validate_every=config.hearing.steps)
    lesson(HearingTask(teacher), data, lambda _: {"score": 0.0}, hearing, folder / "hearing", config.seed)
    lesson(teacher, data, figures, config.plan, folder, config.seed)


def lesson(
    task: torch.nn.Module,
    data: Data,
    figures: Callable[[Any], dict[str, float]],
    plan: loop.Plan,
    folder: Path,
    seed: int,
) -> None:
    """Train `task`; it holds its best weights when this returns."""
    loop.train(task, data.batch, figures, plan, folder, seed)
    task.load_state_dict(load_file(folder / loop.BEST))

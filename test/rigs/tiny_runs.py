"""Runs of a few steps on the tiny corpus: a teacher, a chain of distillation, a regression network."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tiny_corpus import write_corpus

from training.loop import config
from training.stages import run_distill, run_regression, run_teacher

SIZES = {"encoder_dim": 16, "encoder_hidden": 12, "encoder_layers": 1, "decoder_dim": 16}
DATA = {
    "sampling": {"crop_frames": 50},
    "share": {"ravdess": 1.0, "grid": 1.0, "facegood": 1.0, "ravdess_song": 1.0},
    "heard_share": {"ravdess": 1.0},
    "copies": {"ravdess": 0, "ravdess_song": 0, "facegood": 0, "grid": 0},
    "heard_copies": 0,
    "batch": 4,
    "heard_batch": 2,
}
PLAN = {"steps": 1, "validate_every": 1}
TEACHER: dict[str, Any] = {
    "teacher": {"shared": SIZES, "encoder": "scratch", "scratch": {"dim": 12}},
    "data": DATA,
    "hearing": PLAN,
    "plan": PLAN,
}
CHAIN: dict[str, Any] = {"distilled": {"student": SIZES}, "data": DATA, "align": PLAN, "first": PLAN, "later": PLAN}
REGRESSION: dict[str, Any] = {"regression": {"student": SIZES}, "data": DATA, "plan": {**PLAN, "steps": 2}}


@dataclass(frozen=True)
class Runs:
    """Folders: the corpus, and what was trained from it."""

    corpus: Path
    teacher: Path
    chain: Path
    regression: Path


def train_runs(folder: Path) -> Runs:
    """Train all of them under `folder`; ``$DTALKER_CORPUS`` must be ``folder / corpus``, which is written here."""
    runs = Runs(*(folder / name for name in ("corpus", "teacher", "chain", "regression")))
    runs.corpus.mkdir()
    write_corpus(runs.corpus)
    run_teacher.run(config.from_dict(run_teacher.TeacherTraining, TEACHER), runs.teacher)
    run_distill.run(config.from_dict(run_distill.DistillTraining, CHAIN), runs.chain, runs.teacher)
    run_regression.run(config.from_dict(run_regression.RegressionTraining, REGRESSION), runs.regression)
    return runs

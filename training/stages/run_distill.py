"""Distil the teacher into the few-step student: ``python -m training distill OUT``.

`align` teaches the small audio encoder alone; then rounds of 8, 4, 2 and 1 steps follow, each from the one before, each
in a folder of its own. What is finished is not done again, so an interrupted chain goes on where it was.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path

import torch

from dtalker_model.networks.audio_encoder import AudioEncoder
from training.corpus.clips import corpus_folder
from training.corpus.variants import feature_statistics
from training.hearing.registry import EARS, HEARS
from training.loop import loop
from training.networks.distilled import Distilled, DistilledConfig
from training.networks.runs import open_distilled, open_teacher, save_settings
from training.networks.teacher import Teacher
from training.stages.preparation import Data, DataConfig, ears, prepare
from training.stages.run_teacher import Validation

TEACHER = Path(__file__).parents[1] / "weights" / "teacher"
ALIGN, ROUNDS = 0, (8, 4, 2, 1)


@dataclass(frozen=True)
class DistillTraining:
    """Everything that decides the chain; saved beside the weights of each round.

    Attributes:
        align: how the small encoder is aligned before the first round.
        first, later: how the first round learns, and the others.
    """

    distilled: DistilledConfig = field(default_factory=DistilledConfig)
    data: DataConfig = field(default_factory=DataConfig)
    align: loop.Plan = field(default_factory=lambda: loop.Plan(200, ema=0.98))
    first: loop.Plan = field(default_factory=lambda: loop.Plan(350, ema=0.98, validate_every=175))
    later: loop.Plan = field(default_factory=lambda: loop.Plan(150, 5e-4, ema=0.98, validate_every=75))
    seed: int = 0

    def plan(self, steps: int) -> loop.Plan:
        """How the round of `steps` learns."""
        return {ALIGN: self.align, ROUNDS[0]: self.first}.get(steps, self.later)


def round_folder(out: Path, steps: int) -> Path:
    """Where a round keeps its run."""
    return out / ("align" if steps == ALIGN else f"{steps}_steps")


def run(settings: DistillTraining, out: Path, teacher_folder: Path = TEACHER) -> None:
    """The whole chain; every round leaves its best weights under `out`."""
    corpus = corpus_folder()
    large = open_teacher(teacher_folder)
    encoders = {large.config.encoder, settings.distilled.student.encoder}
    hears = ears(large.config, encoders, out.parent / EARS)
    data = prepare(settings.data, corpus, out.parent, hears)
    if data.names != large.library.names:
        raise ValueError(f"the data and the teacher of {teacher_folder} know different speakers: use its data settings")
    hear = hears[HEARS[settings.distilled.student.encoder]]
    validation = Validation(corpus, hear, tuple(settings.data.share))
    teacher: Teacher | Distilled = large
    for steps in (ALIGN, *ROUNDS):
        student = round_of(settings, large, teacher, steps)
        if steps == ALIGN and isinstance(student.student.encoder, AudioEncoder):
            student.student.encoder.normalise(*map(torch.from_numpy, feature_statistics(data.moving)))
        learn(settings, student, data, validation, round_folder(out, steps))
        teacher = open_distilled(round_folder(out, steps), large)


def round_of(settings: DistillTraining, large: Teacher, teacher: Teacher | Distilled, steps: int) -> Distilled:
    """A student of `steps` that starts where the one before has ended; the first round's teacher is `large`."""
    torch.manual_seed(settings.seed + steps)
    first = steps in (ALIGN, ROUNDS[0])
    student = Distilled(settings.distilled, large, large if first else teacher, steps)
    if steps == ROUNDS[0]:
        student.load_state_dict(teacher.state_dict())
    return student


def learn(settings: DistillTraining, student: Distilled, data: Data, validation: Validation, folder: Path) -> None:
    """One round; before the first, where nothing speaks yet, the last weights are the best."""
    save_settings(folder, settings, data.names, steps=student.steps)
    plan = settings.plan(student.steps)

    def figures(model: torch.nn.Module) -> dict[str, float]:
        assert isinstance(model, Distilled)
        return validation(model.speak, model.library)

    if student.steps == ALIGN:
        plan = replace(plan, validate_every=plan.steps)
        loop.train(student, data.batch, lambda _: {"score": 0.0}, plan, folder, settings.seed)
    else:
        loop.train(student, data.batch, figures, plan, folder, settings.seed + student.steps)

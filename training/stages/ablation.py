"""What each part of the distillation is worth: ``python -m training ablate CHAIN OUT``, the paper's Table III.

Every variant is a student of 2 steps that learns under the same short schedule, the whole one among them. Where the
paper's student has gone through rounds of 8 and 4 steps, a variant learns in one round straight from the 16-step
teacher, respaced to the 4 steps that a round of 2 asks of it. All begin with the chain's aligned audio encoder and the
teacher's other weights, but the last.

| variant                       | what it lacks                                                                    |
| ----------------------------- | -------------------------------------------------------------------------------- |
| without identity embedding    | all speakers have the entry `default`, in training and when it speaks            |
| without emotion embedding     | all emotions have the entry `neutral`                                            |
| without enhancer              | L_pc (14)                                                                        |
| without L_dis                 | L_dis (11) alone: it still begins with the teacher's weights and its encoder     |
| without distillation          | the teacher: L_dis, L_ae (12), L_pc, and its weights; it begins with random ones |

The paper does not say what its "w/o distillation" begins with. A student that begins with its teacher's weights has
been taught by it, so the last row begins with none; the one before tells what the loss itself adds.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import torch
from torch import Tensor

from training.corpus.clips import corpus_folder
from training.hearing.registry import EARS, HEARS
from training.loop import config, loop
from training.networks.distilled import Distilled, DistilledConfig
from training.networks.runs import BEST, open_distilled, open_teacher, saved_settings
from training.networks.teacher import Teacher
from training.stages.preparation import Data, ears, prepare
from training.stages.run_distill import ALIGN, TEACHER, DistillTraining, learn, round_folder
from training.stages.run_teacher import Validation

FULL, UNTAUGHT = "full", "without distillation"
STEPS = 2


@dataclass(frozen=True)
class Ablation:
    """The schedule that all variants share; everything else is the chain's.

    Attributes:
        steps, learning_rate, ema: of the one round.
    """

    steps: int = 120
    learning_rate: float = 1e-3
    ema: float = 0.97
    seed: int = 0


def _weighted(**weights: float) -> Callable[[DistilledConfig], DistilledConfig]:
    return lambda whole: replace(whole, weights=replace(whole.weights, **weights))


VARIANTS: dict[str, Callable[[DistilledConfig], DistilledConfig]] = {
    FULL: lambda whole: whole,
    "without identity embedding": lambda whole: replace(whole, use_identity=False),
    "without emotion embedding": lambda whole: replace(whole, use_emotion=False),
    "without enhancer": _weighted(enhancement=0.0),
    "without L_dis": _weighted(distillation=0.0),
    UNTAUGHT: _weighted(distillation=0.0, alignment=0.0, enhancement=0.0),
}


class Respaced(Teacher):
    """A teacher whose decoder is told its own number of steps, however few its sampler takes."""

    def predict(self, p: Tensor, audio: Tensor, noisy: Tensor, level: Tensor, steps: Tensor) -> Tensor:
        """See `Teacher.predict`."""
        return super().predict(p, audio, noisy, level, torch.full_like(steps, float(self.config.steps)))


def respaced(teacher: Teacher) -> Respaced:
    """`teacher` as one that may be asked in few steps."""
    other = Respaced(teacher.config, teacher.library.names)
    other.load_state_dict(teacher.state_dict())
    return other.eval()


def variant_folder(out: Path, name: str) -> Path:
    """Where a variant keeps its run."""
    return out / name.replace(" ", "_")


def variant(name: str, chained: DistilledConfig, teacher: Respaced, aligned: Distilled) -> Distilled:
    """The untrained student of a variant."""
    settings = VARIANTS[name](chained)
    alone = replace(settings, student=replace(settings.student, step_counts=(STEPS,), default_steps=STEPS))
    student = Distilled(alone, teacher, teacher, STEPS)
    student.load_state_dict(aligned.state_dict())
    if name == UNTAUGHT:
        fresh = Distilled(alone, teacher, Teacher(teacher.config, teacher.library.names), STEPS)
        student.load_state_dict({**student.state_dict(), **dict(fresh.named_parameters())})
    return student


def train(settings: Ablation, chain: Path, out: Path, teacher_folder: Path = TEACHER) -> None:
    """Train every variant that `out` does not have yet.

    Raises:
        FileNotFoundError: the chain has not aligned its encoder yet.
        ValueError: `out` holds variants of another schedule.
    """
    corpus, begun = corpus_folder(), round_folder(chain, ALIGN)
    chained = config.from_dict(DistillTraining, saved_settings(begun)["config"])
    scheduled = replace(chained, later=plan(settings, chained.later), seed=settings.seed)
    teacher = respaced(open_teacher(teacher_folder))
    aligned = open_distilled(begun, teacher)
    encoder = chained.distilled.student.encoder
    hears = ears(teacher.config, {teacher.config.encoder, encoder}, out.parent / EARS)

    @cache
    def data() -> Data:
        return prepare(chained.data, corpus, chain.parent, hears)

    validation = Validation(corpus, hears[HEARS[encoder]], tuple(chained.data.share))
    for name in VARIANTS:
        folder = variant_folder(out, name)
        torch.manual_seed(settings.seed)
        student = variant(name, chained.distilled, teacher, aligned)
        if not finished(folder, scheduled.later):
            learn(replace(scheduled, distilled=student.config), student, data(), validation, folder)


def plan(settings: Ablation, later: loop.Plan) -> loop.Plan:
    """The chain's plan of later rounds, shortened; the last weights are the best."""
    n = settings.steps
    return replace(later, steps=n, learning_rate=settings.learning_rate, ema=settings.ema, validate_every=n)


def finished(folder: Path, scheduled: loop.Plan) -> bool:
    """Whether a variant has been trained, under this very schedule."""
    try:
        saved = config.from_dict(loop.Plan, saved_settings(folder)["config"]["later"])
    except FileNotFoundError:
        return False
    if saved != scheduled:
        raise ValueError(f"{folder} was trained under another schedule: give another folder, or remove it")
    return (folder / BEST).is_file()

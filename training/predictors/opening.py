"""Names and folders in, predictors out.

| given                                                     | is                                              |
| --------------------------------------------------------- | ----------------------------------------------- |
| a shipped name, or the path of an ``.onnx``               | a model file, as the runtime runs it            |
| a folder with a teacher, a round of distillation or a     | networks of training, in torch                  |
| regression network: a run, or committed weights           | (`training.predictors.runs`)                    |
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from training.evaluation.predictor import Predictor
from training.predictors.shipped import Shipped

REGRESSION = Path(__file__).parents[1] / "weights" / "regression"
"""Committed weights of a plain regression network of the student's size; a row of every evaluation."""

MODEL = "model"
"""Name of the rows of the model that is evaluated."""


def open_predictor(model: str | Path, steps: int = 0) -> Predictor:
    """The predictor of a shipped name, an ``.onnx`` or a folder.

    Args:
        model: see the table at the top of this file.
        steps: of the sampler, 0 for the model's own number. A teacher is respaced, without distillation.

    Raises:
        FileNotFoundError: the folder holds no run, or one that has no weights yet.
        ModelError, SettingError, ValueError: there is no such model, or it does not offer so many steps.
    """
    if Path(model).is_dir():
        from training.predictors.runs import open_run  # torch, which a model file does not need

        return open_run(Path(model), steps)
    return Shipped(str(model), steps)


def open_beside(arguments: Sequence[str]) -> dict[str, Predictor]:
    """What stands beside a model: the regression network, where its weights are committed, and NAME=MODEL of each."""
    found = {"regression": open_predictor(REGRESSION)} if REGRESSION.is_dir() else {}
    return found | {name: open_predictor(model) for name, model in named_models(arguments).items()}


def named_models(arguments: Sequence[str]) -> dict[str, str]:
    """NAME=MODEL of each argument.

    Raises:
        ValueError: one is not of this form, or two have one name; `MODEL` is that of the rows of the first model.
    """
    pairs = [(name, model) for name, _, model in (argument.partition("=") for argument in arguments)]
    if not all(name and model for name, model in pairs):
        raise ValueError(f"--beside takes NAME=MODEL, such as teacher=runs/teacher; received {' '.join(arguments)!r}")
    names = [MODEL, *(name for name, _ in pairs)]
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise ValueError(f"--beside: the name {twice!r} is taken: give another NAME=MODEL")
    return dict(pairs)

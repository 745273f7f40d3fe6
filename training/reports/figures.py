"""Validation figures of a model, next to its rivals and the floors: ``python -m training evaluate MODEL``."""

from __future__ import annotations

import json
from collections.abc import Sequence

from training.evaluation.evaluate import evaluate
from training.predictors.opening import open_beside, open_predictor
from training.reports.figure_tables import tables


def main(model: str, split: str, as_json: bool, beside: Sequence[str], steps: int = 0) -> None:
    """Print the figures.

    Args:
        model: shipped name, path of an ``.onnx``, or folder of a run or of committed weights.
        beside: other models as NAME=MODEL, such as a teacher.
        steps: of the model's sampler; 0 for its own number.
    """
    rows = list(evaluate(open_predictor(model, steps), split, beside=open_beside(beside)))
    print(json.dumps(rows, indent=1) if as_json else tables(rows))

"""Who opens which run: every kind of network that speaks registers here, and nobody who measures knows a network.

A kind is named as in its run's ``config.json``: by the part of the configuration that describes the network.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from training.evaluation.predictor import Predictor
from training.networks.runs import saved_settings
from training.predictors.trained import Trained

Open = Callable[[Path, int], Predictor]
"""Folder of a run or of committed weights, and steps of its sampler (0 for its own number), in; a predictor out.

It raises FileNotFoundError for a run without weights, ValueError for a network that does not speak, or not in so many
steps.
"""

OPENERS: dict[str, Open] = {"teacher": Trained, "distilled": Trained, "regression": Trained}


def open_run(folder: Path, steps: int = 0) -> Predictor:
    """The predictor of a finished run, opened by whoever registered for its kind.

    Raises:
        FileNotFoundError: `folder` holds no run, or one that has no weights yet.
        ValueError: its network does not speak, or not in so many steps.
    """
    kind = next((name for name in saved_settings(folder)["config"] if name in OPENERS), None)
    if kind is None:
        raise ValueError(f"{folder}: this network does not speak; give a run of one that does ({', '.join(OPENERS)})")
    return OPENERS[kind](folder, steps)

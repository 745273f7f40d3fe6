"""Whatever can speak, as the evaluation wants it: clips in, frames out.

The evaluation knows no model. Whoever opens one (`training.predictors`) gives it in this shape.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from training.corpus.clips import Clip
from training.evaluation.retrieval import Ear


@dataclass(frozen=True)
class About:
    """What a predictor is.

    Attributes:
        name: such as ``dtalker`` or ``teacher``.
        description: a sentence or two.
        parameters: numbers learned that speaking and listening need.
        steps: denoising steps that it takes here; 0 where there is no diffusion.
        stored_bytes: its files with weights.
        sha256: of the file with the weights that speak.
        commit: that it was trained from.
    """

    name: str
    description: str
    parameters: int
    steps: int
    stored_bytes: int
    sha256: str
    commit: str


class Predictor(Protocol):
    """Speaks clips: the network's own output in the style of each clip's speaker, or source, and emotion."""

    @property
    def about(self) -> About:
        """What it is."""

    @property
    def ear(self) -> Ear | None:
        """What hears identity and emotion; None where nothing does."""

    @property
    def live(self) -> Predictor | None:
        """The same, told neither who speaks nor how: it infers both from each clip alone; None where nothing hears."""

    def __call__(self, clips: Sequence[Clip], seed: int = 0) -> list[np.ndarray]:
        """Frames (T, 52) at 50 Hz, 0..1, of each clip; `seed` decides the noise."""

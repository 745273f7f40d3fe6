"""Whatever can speak, as the evaluation wants it: clips in, frames out.

| given                                                     | is                                              |
| --------------------------------------------------------- | ----------------------------------------------- |
| a shipped name, or the path of an ``.onnx``               | a model file, as the runtime runs it            |
| a folder with a teacher, a round of distillation or a     | networks of training, in torch                  |
| regression network: a run, or committed weights           | (``predictors_trained.py``)                     |
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np

from dtalker_model.card import ModelCard, listener_path, model_path
from dtalker_model.rates import DELAY_FRAMES, FRAME_SAMPLES
from dtalker_model.settings import Settings
from dtalker_model.talker import load_engine
from training.corpus.clips import Clip, generic_name, load_audio
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

    def __call__(self, clips: Sequence[Clip], seed: int = 0) -> list[np.ndarray]:
        """Frames (T, 52) at 50 Hz, 0..1, of each clip; `seed` decides the noise."""


class Shipped:
    """A model file."""

    def __init__(self, model: str, steps: int = 0) -> None:
        """Load it; `steps` of its sampler, 0 for its own number.

        Raises:
            ModelError: there is no such model.
            SettingError: it does not offer so many steps.
        """
        self._model = model
        self._card, self._engine = load_engine(model)
        self._steps = steps
        Settings(steps=steps).check(self._card.identities, self._card.emotions, self._card.step_counts)

    @property
    def about(self) -> About:
        """What its card says."""
        c, path = self._card, model_path(self._model)
        files = [path, listener_path(path)] if c.listener_sha256 else [path]
        stored = sum(file.stat().st_size for file in files)
        text = f"{c.description} {c.licence}."
        return About(c.name, text, c.parameters, self._steps or c.steps, stored, c.sha256, c.commit)

    @property
    def ear(self) -> Ear | None:
        """The listener beside the model."""
        return Ear(self._model) if self._card.listener_sha256 else None

    def __call__(self, clips: Sequence[Clip], seed: int = 0) -> list[np.ndarray]:
        """See `Predictor`."""
        return [self._speak(clip, seed) for clip in clips]

    def _speak(self, clip: Clip, seed: int) -> np.ndarray:
        self._engine.reset(seed=seed)
        audio = load_audio(clip)
        padded = np.pad(audio, (0, (clip.frames + DELAY_FRAMES) * FRAME_SAMPLES - len(audio)))
        blocks = self._engine.push(padded, style(self._card, clip).replace(steps=self._steps))
        return np.concatenate([block.weights for block in blocks]).clip(0, 1)


def style(card: ModelCard, clip: Clip) -> Settings:
    """Settings of a clip: itself where the card knows the speaker, else the generic style of its source."""
    identity = next((n for n in (clip.identity, generic_name(clip)) if n in card.identities), "default")
    return Settings(identity=identity, emotion=clip.emotion if clip.emotion in card.emotions else "neutral")


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
        from training.evaluation.predictors_trained import Trained  # torch, which a model file does not need

        return Trained(Path(model), steps)
    return Shipped(str(model), steps)

"""A model file as a predictor: it speaks as the runtime runs it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from dtalker_model.card import ModelCard, listener_path, model_path
from dtalker_model.rates import DELAY_FRAMES, FRAME_SAMPLES
from dtalker_model.settings import LIVE, Settings
from dtalker_model.talker import load_engine
from training.corpus.clips import Clip, generic_name, load_audio
from training.evaluation.predictor import About
from training.evaluation.retrieval import Ear


class Shipped:
    """A model file."""

    def __init__(self, model: str, steps: int = 0, follows: bool = False) -> None:
        """Load it.

        Args:
            steps: of its sampler, 0 for its own number.
            follows: identity and emotion are `live`.

        Raises:
            ModelError: there is no such model.
            SettingError: it does not offer so many steps.
        """
        self._model = model
        self._card, self._engine = load_engine(model)
        self._steps, self._follows = steps, follows
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

    @property
    def live(self) -> Shipped | None:
        """Identity and emotion are what the listener believes at each frame; None without a listener."""
        return Shipped(self._model, self._steps, follows=True) if self._card.listener_sha256 else None

    def __call__(self, clips: Sequence[Clip], seed: int = 0) -> list[np.ndarray]:
        """See `Predictor`."""
        return [self._speak(clip, seed) for clip in clips]

    def _speak(self, clip: Clip, seed: int) -> np.ndarray:
        self._engine.reset(seed=seed)
        audio = load_audio(clip)
        padded = np.pad(audio, (0, (clip.frames + DELAY_FRAMES) * FRAME_SAMPLES - len(audio)))
        settings = Settings(identity=LIVE, emotion=LIVE) if self._follows else style(self._card, clip)
        blocks = self._engine.push(padded, settings.replace(steps=self._steps))
        return np.concatenate([block.weights for block in blocks]).clip(0, 1)


def style(card: ModelCard, clip: Clip) -> Settings:
    """Settings of a clip: itself where the card knows the speaker, else the generic style of its source."""
    identity = next((n for n in (clip.identity, generic_name(clip)) if n in card.identities), "default")
    return Settings(identity=identity, emotion=clip.emotion if clip.emotion in card.emotions else "neutral")

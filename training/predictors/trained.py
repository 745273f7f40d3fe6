"""Networks of training as predictors: teachers, rounds of distillation, regression networks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache, partial
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from dtalker_model.card import sha256_of
from training.corpus.clips import Clip, load_audio
from training.corpus.variants import Hearing, log_mel
from training.evaluation.predictor import About
from training.evaluation.retrieval import Ear, Heard
from training.hearing.registry import hearing
from training.loop import config
from training.networks.distilled import Distilled, DistilledConfig
from training.networks.encoders import ScratchConfig
from training.networks.regression import Regression, open_regression
from training.networks.runs import BEST, open_distilled, open_teacher, saved_names, saved_settings
from training.networks.speaking import predict
from training.networks.teacher import Teacher, TeacherConfig, speech

Network = Teacher | Distilled | Regression

TRAINING_ONLY = ("phone_head.", "enhancer.")
"""Parts of a network that neither speak nor hear who speaks."""

MOST_STEPS = 16


def open_network(folder: Path) -> Network:
    """The network of a run or of committed weights, in evaluation mode.

    Raises:
        FileNotFoundError: `folder` holds no run, or one that has no weights yet.
        ValueError: its network does not speak.
    """
    saved = saved_settings(folder)
    if not (folder / BEST).is_file():
        raise FileNotFoundError(f"{folder} has no {BEST} yet: train on until the first validation")
    if "teacher" in saved["config"]:
        return open_teacher(folder)
    if "regression" in saved["config"]:
        return open_regression(folder)
    if not saved.get("steps"):
        raise ValueError(f"{folder}: this network does not speak; give a teacher, a round or a regression network")
    return open_distilled(folder, _shapes(folder))


def _shapes(folder: Path) -> Teacher:
    """A teacher that only lends its shapes: a round of distillation keeps all the weights that it needs."""
    settings = config.from_dict(DistilledConfig, saved_settings(folder)["config"]["distilled"])
    small = TeacherConfig(shared=settings.student, scratch=ScratchConfig(dim=8))
    return Teacher(small, saved_names(folder))


def hearing_of(network: Network) -> Hearing:
    """What the network's audio encoder hears."""
    if isinstance(network, Teacher):
        return hearing(network.encoder.hearing, network.config.hubert or None)
    return hearing(network.student.encoder.hearing)


def audio_feature(network: Network, heard: Tensor) -> Tensor:
    """F_a (B, T, .) of what is heard (B, T, D)."""
    if isinstance(network, Teacher):
        return network.encoder(heard)
    return network.student.encoder(heard, network.student.initial_state(len(heard)))[0]


def parameters(network: Network) -> int:
    """Numbers learned that speaking and hearing who speaks need; those of training alone are left out."""
    return sum(p.numel() for name, p in network.named_parameters() if not name.startswith(TRAINING_ONLY))


class Trained:
    """A predictor of torch networks; clips of like length are sampled together."""

    def __init__(self, folder: Path, steps: int = 0, follows: bool = False) -> None:
        """Open it.

        Args:
            steps: of its sampler; 0 for the number that it was trained for.
            follows: identity and emotion are those that its personalizer retrieves for each clip.

        Raises:
            FileNotFoundError, ValueError: as `open_network`, or no sampler has so many steps.
        """
        self.folder, self.network = folder, open_network(folder)
        own = 0 if isinstance(self.network, Regression) else _trained_steps(self.network)
        if not 0 <= steps <= (own and MOST_STEPS):
            raise ValueError(f"{folder} cannot speak in {steps} steps: " + ("1 to 16" if own else "it has no steps"))
        self.steps, self.follows = steps or own, follows

    @property
    def about(self) -> About:
        """What it is."""
        name, text = _named(self.network, self.steps)
        weights, commit = self.folder / BEST, str(saved_settings(self.folder)["commit"])
        size = weights.stat().st_size
        return About(name, text, parameters(self.network), self.steps, size, sha256_of(weights), commit)

    @property
    def ear(self) -> Ear:
        """The contrastive personalizer on the network's own audio feature."""
        return PersonalizerEar(self.network)

    @property
    def live(self) -> Trained | None:
        """Identity and emotion are retrieved from a whole clip; None for a regression network, which is but a floor."""
        return None if isinstance(self.network, Regression) else Trained(self.folder, self.steps, follows=True)

    def __call__(self, clips: Sequence[Clip], seed: int = 0) -> list[np.ndarray]:
        """See `Predictor`."""
        hear = hearing_of(self.network)
        heard = {c.id: _heard(hear, replace(c, emotion="")) for c in clips}
        styles = {c.id: self._retrieved(c, heard[c.id]) for c in clips} if self.follows else None
        speak = partial(self.network.speak, steps=self.steps)
        said = predict(speak, self.network.library, clips, heard, seed, styles)
        return [said[c.id] for c in clips]

    @torch.no_grad()
    def _retrieved(self, clip: Clip, heard: Tensor) -> tuple[Tensor, Tensor]:
        loud = speech(torch.from_numpy(log_mel(load_audio(clip)).astype(np.float32))[None])
        identity, emotion = self.network.personalizer.retrieve(audio_feature(self.network, heard[None]), loud)
        return identity[0], emotion[0]


@lru_cache(maxsize=256)
def _heard(hear: Hearing, clip: Clip) -> Tensor:
    """What is heard of a clip, (T, D) float32."""
    return torch.from_numpy(hear(load_audio(clip)).astype(np.float32))


def _trained_steps(network: Teacher | Distilled) -> int:
    return network.config.steps if isinstance(network, Teacher) else network.steps


def _named(network: Network, steps: int) -> tuple[str, str]:
    """Name and description."""
    if isinstance(network, Regression):
        return "regression", "A plain regression network of the student's size: no diffusion, the same data and losses."
    if isinstance(network, Distilled):
        return "student", "A causal few-step student, distilled from the teacher; in torch, before export."
    respaced = "" if steps == network.config.steps else f" Respaced to {steps} steps without distillation."
    return "teacher", f"DDPM that predicts the clean motion, with a bidirectional audio encoder; offline.{respaced}"


class PersonalizerEar(Ear):
    """A network's contrastive personalizer, eqs. (5) and (6), as an `Ear`."""

    def __init__(self, network: Network) -> None:
        self._network = network
        self.emotions = network.library.names.emotions[:-1]  # the last one stands for a label that was dropped

    @torch.no_grad()
    def hear(self, audio: np.ndarray, memory: np.ndarray | None = None) -> Heard:
        """See `Ear`; nothing is remembered from clip to clip."""
        heard = torch.from_numpy(hearing_of(self._network)(audio).astype(np.float32))[None]
        loud = speech(torch.from_numpy(log_mel(audio).astype(np.float32))[None])
        personalizer, feature = self._network.personalizer, audio_feature(self._network, heard)
        emotion = personalizer.similarities(feature, loud)[1][0].numpy()
        voice = torch.nn.functional.normalize(personalizer.audio_embeddings(feature, loud)[0][0], dim=0).numpy()
        return Heard(emotion[: len(self.emotions)], voice, np.zeros(0, np.float32))

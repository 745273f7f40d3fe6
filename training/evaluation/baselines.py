"""Floors that every model must beat: the mean face and the ridge map."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from dtalker_model.hearing.features import LogMel
from training.corpus.clips import Clip, is_synthetic, load_audio, load_motion, on_frame_clock, read_manifest

CONTEXT_FRAMES = 8
L2_PENALTY = 3000.0
BLOCK_FRAMES = 4096
Predict = Callable[[Clip], np.ndarray]
"""A clip in, frames (T, 52) at 50 Hz out."""


def measured_clips(folder: Path, split: str, source: str) -> list[Clip]:
    """Clips with measured motion: what may count in a score. Synthetic motion never does."""
    return [c for c in read_manifest(folder, split, source) if c.motion and not is_synthetic(c)]


def clip_features(clip: Clip) -> np.ndarray:
    """Log-mel (T, 128) of a clip, its last frame padded with silence."""
    audio = load_audio(clip)
    return LogMel().push(np.pad(audio, (0, clip.frames * 320 - len(audio)))).log_mel


def with_context(features: np.ndarray) -> np.ndarray:
    """Each frame beside its 8 neighbours on either side and a constant: (T, 17 * 128 + 1)."""
    padded = np.pad(features, ((CONTEXT_FRAMES, CONTEXT_FRAMES), (0, 0)), mode="edge")
    columns = [padded[k : k + len(features)] for k in range(2 * CONTEXT_FRAMES + 1)]
    return np.concatenate([*columns, np.ones((len(features), 1), np.float32)], axis=1)


def mean_face(train: Sequence[Clip]) -> Predict:
    """The mean of the observed training frames, whatever is said."""
    total, count = np.zeros(52), np.zeros(52)
    for clip in train:
        motion = load_motion(clip)
        total += np.where(motion.observed, motion.weights, 0).sum(axis=0)
        count += motion.observed.sum(axis=0)
    mean = (total / np.maximum(count, 1)).astype(np.float32)
    return lambda clip: np.tile(mean, (clip.frames, 1))


@dataclass(frozen=True)
class Ridge:
    """A linear map from standardised log-mel with context to blendshapes. It sees 160 ms of the future."""

    mean: np.ndarray
    scale: np.ndarray
    weights: np.ndarray

    def __call__(self, clip: Clip) -> np.ndarray:
        return with_context((clip_features(clip) - self.mean) * self.scale) @ self.weights


def ridge(train: Sequence[Clip]) -> Ridge:
    """Fit on the training clips, frames that no coefficient observes left out; L2 penalty 3000."""
    features = [clip_features(clip) for clip in train]
    every = np.concatenate(features)
    mean, scale = every.mean(axis=0), 1.0 / (every.std(axis=0) + 1e-6)
    columns = (2 * CONTEXT_FRAMES + 1) * every.shape[1] + 1
    gram, moment = np.zeros((columns, columns)), np.zeros((columns, 52))
    for a, y in _fitting_blocks(train, [(x - mean) * scale for x in features]):
        gram += a.T @ a  # in float32, half of it computed: the product with its own transpose is symmetric
        moment += a.T @ y
    penalty = L2_PENALTY * np.eye(len(gram))
    penalty[-1, -1] = 0.0
    return Ridge(mean, scale, np.linalg.solve(gram + penalty, moment).astype(np.float32))


def _fitting_blocks(train: Sequence[Clip], features: Sequence[np.ndarray]) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Features with context and motion of observed frames, float32, in blocks of at least `BLOCK_FRAMES`."""
    held: list[tuple[np.ndarray, np.ndarray]] = []
    for clip, x in zip(train, features):
        y, observed = on_frame_clock(load_motion(clip), len(x))
        keep = observed.any(axis=1)
        held.append((with_context(x)[keep], y[keep]))
        if sum(len(y) for _, y in held) >= BLOCK_FRAMES or clip is train[-1]:
            yield np.concatenate([x for x, _ in held]), np.concatenate([y for _, y in held])
            held = []


@cache
def fitted_floors(folder: Path, source: str) -> dict[str, Predict]:
    """The mean face and the ridge map of a source's measured training clips; fitted once a process."""
    train = measured_clips(folder, "train", source)
    return {"mean face": mean_face(train), "ridge": ridge(train)}

"""Clips turned into arrays that batches are cut from: features, motion and phones of augmented variants."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from tqdm import tqdm

from dtalker_model.hearing.features import LogMel
from dtalker_model.rates import FRAME_SAMPLES
from training.corpus.augment import Augmentation, augment
from training.corpus.clips import Clip, load_audio, load_motion, on_frame_clock
from training.corpus.phones import phone_labels

LEAST_FEATURE_DEVIATION = 0.1
"""A band that is silent in all training audio is not amplified."""


@dataclass(frozen=True)
class Variant:
    """One clip as heard once.

    Attributes:
        clip: where it comes from.
        heard: by hearing the rows (T, D) float16 that an audio encoder gets; ``log_mel`` always.
        weights: (T, 52) float16, zero where unobserved.
        observed: (T, 52) bool.
        phones: (T,) int64, -1 where unknown.
    """

    clip: Clip
    heard: Mapping[str, np.ndarray]
    weights: np.ndarray
    observed: np.ndarray
    phones: np.ndarray

    @property
    def features(self) -> np.ndarray:
        """Log-mel (T, 128) float16."""
        return self.heard["log_mel"]


Hearing = Callable[[np.ndarray], np.ndarray]
"""Mono audio (samples,) at 16 kHz in, rows (T, D) out, one a frame."""


def log_mel(audio: np.ndarray) -> np.ndarray:
    """The shared features of `audio`, its last frame padded with silence: (T, 128) float16."""
    padding = -len(audio) % FRAME_SAMPLES
    return LogMel().push(np.pad(audio, (0, padding))).log_mel.astype(np.float16)


LOG_MEL: Mapping[str, Hearing] = {"log_mel": log_mel}


def variant(clip: Clip, audio: np.ndarray, speed: float = 1.0, hearings: Mapping[str, Hearing] = LOG_MEL) -> Variant:
    """What is heard of `audio` beside the clip's motion and phones, all on the frame clock."""
    frames = -(-len(audio) // FRAME_SAMPLES)
    weights, observed = np.zeros((frames, 52), np.float32), np.zeros((frames, 52), bool)
    if clip.motion is not None:
        weights, observed = on_frame_clock(load_motion(clip), frames, speed)
    weights = np.where(observed, weights, 0)
    return Variant(
        clip,
        {name: hear(audio) for name, hear in hearings.items()},
        weights.astype(np.float16),
        observed,
        phone_labels(clip.phones, frames, speed),
    )


def make_variants(
    clips: Sequence[Clip], copies: int, ranges: Augmentation, seed: int, hearings: Mapping[str, Hearing] = LOG_MEL
) -> list[Variant]:
    """The clip as recorded and `copies` augmented variants of it, for each clip, with a progress bar."""
    made = (_of_clip(clip, copies, ranges, (seed, k), hearings) for k, clip in enumerate(tqdm(clips, "augment")))
    return [v for variants in made for v in variants]


def _of_clip(
    clip: Clip, copies: int, ranges: Augmentation, seed: tuple[int, int], hearings: Mapping[str, Hearing]
) -> Iterable[Variant]:
    draw = np.random.default_rng(seed)
    audio = load_audio(clip)
    yield variant(clip, audio, 1.0, hearings)
    for _ in range(copies):
        changed, speed = augment(audio, draw, ranges)
        yield variant(clip, changed, speed, hearings)


def feature_statistics(variants: Sequence[Variant]) -> tuple[np.ndarray, np.ndarray]:
    """Mean and 1 / deviation of each log-mel value over a tenth of the variants, each (128,) float32."""
    return statistics_of([v.features for v in variants[::10]])


def statistics_of(log_mels: Sequence[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Mean and 1 / deviation of each value of several log-mels (T, 128), each (128,) float32."""
    features = np.concatenate(log_mels).astype(np.float32)
    return features.mean(axis=0), 1 / np.maximum(features.std(axis=0), LEAST_FEATURE_DEVIATION)

"""Clips turned into arrays that batches are cut from: features, motion and phones of augmented variants."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from tqdm import tqdm

from dtalker_model.hearing.features import LogMel
from dtalker_model.rates import FRAME_SAMPLES
from training.corpus.augment import NOBODY, Augmentation, Crowd, play_at, spoil
from training.corpus.clips import Clip, load_audio, load_motion, on_frame_clock
from training.corpus.kept import Kept, Rows
from training.corpus.lip_targets import lip_targets
from training.corpus.phones import phone_labels

SPOILT = ("log_mel", "waveform")
"""Hearings of what a microphone hears. All others hear the clip itself, at the variant's speed: ears that were trained
elsewhere and are frozen, and ``clean_log_mel``, the log-mel beside them, where it is asked for by that name."""
LEAST_FEATURE_DEVIATION = 0.1
"""A band that is silent in all training audio is not amplified."""


@dataclass(frozen=True)
class Variant:
    """One clip as heard once.

    Attributes:
        clip: where it comes from.
        heard: by hearing the rows (T, D) float16 that an audio encoder gets; ``log_mel`` always. Variants of a clip
            at one speed share the rows of hearings that are not `SPOILT`; those of some ears stay on disk.
        weights: (T, 52) float16, zero where unobserved.
        observed: (T, 52) bool.
        phones: (T,) int64, -1 where unknown.
        lips: (T,) uint8, what the lips must do (`lip_targets`).
    """

    clip: Clip
    heard: Mapping[str, Rows]
    weights: np.ndarray
    observed: np.ndarray
    phones: np.ndarray
    lips: np.ndarray

    @property
    def features(self) -> np.ndarray:
        """Log-mel (T, 128) float16."""
        return np.asarray(self.heard["log_mel"])


Hearing = Callable[[np.ndarray], np.ndarray]
"""Mono audio (samples,) at 16 kHz in, rows (T, D) out, one a frame."""


def log_mel(audio: np.ndarray) -> np.ndarray:
    """The shared features of `audio`, its last frame padded with silence: (T, 128) float16."""
    padding = -len(audio) % FRAME_SAMPLES
    return LogMel().push(np.pad(audio, (0, padding))).log_mel.astype(np.float16)


LOG_MEL: Mapping[str, Hearing] = {"log_mel": log_mel}


def hear_clip(hear: Hearing, clip: Clip, speed: float, audio: np.ndarray) -> Rows:
    """Rows that `hear` makes of `audio`: the clip itself at `speed`, unspoilt. Some ears keep them."""
    return hear.of_clip(clip, speed, audio) if isinstance(hear, Kept) else hear(audio)


def make_variants(
    clips: Sequence[Clip],
    copies: int,
    ranges: Augmentation,
    seed: int,
    hearings: Mapping[str, Hearing] = LOG_MEL,
    crowd: Crowd = NOBODY,
) -> list[Variant]:
    """The clip as recorded and `copies` augmented variants of it, for each clip, with a progress bar.

    Args:
        hearings: what is heard, by name; `SPOILT` says of what.
        crowd: whose babble may be heard.
    """
    made = (_of_clip(clip, copies, ranges, (seed, k), hearings, crowd) for k, clip in enumerate(tqdm(clips, "augment")))
    return [v for variants in made for v in variants]


def _of_clip(
    clip: Clip, copies: int, ranges: Augmentation, seed: tuple[int, int], hearings: Mapping[str, Hearing], crowd: Crowd
) -> Iterator[Variant]:
    draw = np.random.default_rng(seed)
    recorded = load_audio(clip)
    others = crowd.without(clip.identity)
    plain = {1.0: _plain(clip, recorded, 1.0, hearings)}
    yield _heard_as(plain[1.0], recorded, hearings)
    for _ in range(copies):
        speed = _speed(clip, draw, ranges)
        audio = play_at(recorded, speed)
        if speed not in plain:
            plain[speed] = _plain(clip, audio, speed, hearings)
        yield _heard_as(plain[speed], spoil(audio, draw, ranges, others), hearings)


def _speed(clip: Clip, draw: np.random.Generator, ranges: Augmentation) -> float:
    if clip.motion is None and draw.random() >= ranges.heard_speed:
        return 1.0
    return float(draw.choice([s for s in ranges.speed if clip.motion or s != 1] or [1.0]))


def _plain(clip: Clip, audio: np.ndarray, speed: float, hearings: Mapping[str, Hearing]) -> Variant:
    """What all variants of a clip at one speed share: unspoilt hearings, motion and phones, on the frame clock."""
    frames = -(-len(audio) // FRAME_SAMPLES)
    weights, observed = np.zeros((frames, 52), np.float32), np.zeros((frames, 52), bool)
    if clip.motion is not None:
        weights, observed = on_frame_clock(load_motion(clip), frames, speed)
    heard = {name: hear_clip(hear, clip, speed, audio) for name, hear in hearings.items() if name not in SPOILT}
    weights = np.where(observed, weights, 0).astype(np.float16)
    return Variant(
        clip,
        heard,
        weights,
        observed,
        phone_labels(clip.phones, frames, speed),
        lip_targets(clip.phones, frames, speed),
    )


def _heard_as(plain: Variant, spoilt: np.ndarray, hearings: Mapping[str, Hearing]) -> Variant:
    """The variant whose microphone hears `spoilt`."""
    heard = {name: hear(spoilt) for name, hear in hearings.items() if name in SPOILT}
    return replace(plain, heard={**plain.heard, **heard})


def feature_statistics(variants: Sequence[Variant]) -> tuple[np.ndarray, np.ndarray]:
    """Mean and 1 / deviation of each log-mel value over a tenth of the variants, each (128,) float32."""
    return statistics_of([v.features for v in variants[::10]])


def statistics_of(log_mels: Sequence[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Mean and 1 / deviation of each value of several log-mels (T, 128), each (128,) float32."""
    features = np.concatenate(log_mels).astype(np.float32)
    return features.mean(axis=0), 1 / np.maximum(features.std(axis=0), LEAST_FEATURE_DEVIATION)

"""Random crops of variants, balanced over sources, as tensors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from typing import Any

import numpy as np
import torch
from torch import Tensor

from dtalker_model.blendshapes import indices
from dtalker_model.hearing.features import POWER_FLOOR
from dtalker_model.rates import DELAY_FRAMES
from training.corpus.clips import Clip, generic_name
from training.corpus.kept import Rows
from training.corpus.library import DEFAULT, STRENGTH, UNKNOWN, Names
from training.corpus.manners import Manner, average, imitate, manner
from training.corpus.phones import UNKNOWN as UNKNOWN_PHONE
from training.corpus.posed import ACTION_UNITS, pose
from training.corpus.spectral import Disturbance, disturb
from training.corpus.variants import Variant

EYE_BLINK = indices("eyeBlink")
BLINKING = 0.4
"""Lids closed further are a blink. No voice tells when one comes, so they are masked: the output stage blinks."""


@dataclass(frozen=True)
class Batch:
    """B crops of T frames. Row t of motion, observed, phones and lips is what the network must say at feature t.

    Attributes:
        heard: by hearing (B, T, D); ``log_mel`` always.
        motion: (B, T, 52), 0..1. observed: (B, T, 52), 0 or 1. phones: (B, T), -1 unknown.
        lips: (B, T) uint8, bits of what the lips must do (`lip_targets`).
        identity, emotion: (B,) library index. strength: (B,) distance from neutral.
        spoken_by, spoken_as: (B,) library index of the voice and its emotion as labelled, before any was dropped or
            posed; -1 where the library does not have it or the features were disturbed beyond recognition.
        noise: (B, T, 52), standard normal. dice: (B, 6), uniform in 0..1, for what a loss draws.
    """

    heard: dict[str, Tensor]
    motion: Tensor
    observed: Tensor
    phones: Tensor
    lips: Tensor
    identity: Tensor
    emotion: Tensor
    strength: Tensor
    spoken_by: Tensor
    spoken_as: Tensor
    noise: Tensor
    dice: Tensor


def joined(first: Batch, second: Batch) -> Batch:
    """The crops of two batches in one."""
    heard = {name: torch.cat([first.heard[name], second.heard[name]]) for name in first.heard}
    others = [f.name for f in fields(Batch) if f.name != "heard"]
    return Batch(heard, *(torch.cat([getattr(first, name), getattr(second, name)]) for name in others))


@dataclass(frozen=True)
class Sampling:
    """How crops are drawn.

    Attributes:
        crop_frames: length T.
        warmup_frames: first frames of a crop from the middle of a clip that are not scored: the state is still fresh.
        posed: share of crops of neutral speech that are given a posed expression of an emotion nobody recorded.
        generic, default: shares of crops whose speaker is replaced by the source's generic entry, or by `default`.
        unknown: share of crops whose emotion is replaced by `unknown`: classifier-free dropout of the label.
        silence, longest_silence_frames: share of crops that begin in silence before the clip, half of it digital; the
            face is held as it begins.
        disturbance: what is done to the features.
    """

    crop_frames: int = 160
    warmup_frames: int = 8
    posed: float = 0.3
    generic: float = 0.3
    default: float = 0.2
    unknown: float = 0.1
    silence: float = 0.15
    longest_silence_frames: int = 80
    disturbance: Disturbance = field(default_factory=lambda: Disturbance(masked_bands=12, noise=0.2))


class Sampler:
    """Draws batches from variants; clips of a source are drawn in proportion to their length.

    It holds no random state: a crop is a function of the seed, the step and its row in the step's global batch.
    """

    def __init__(
        self, variants: Sequence[Variant], share: dict[str, float], names: Names, sampling: Sampling, seed: int
    ):
        self.sampling, self.names, self.seed = sampling, names, seed
        self.by_source = {s: [v for v in variants if v.clip.source == s] for s in share}
        self.lengths = {s: np.array([len(v.phones) for v in vs], float) for s, vs in self.by_source.items()}
        self.sources, self.share = list(share), np.array(list(share.values())) / sum(share.values())
        self.manners, self.average = manners(variants)
        self.posed = sorted(set(ACTION_UNITS) & set(names.emotions) - {v.clip.emotion for v in variants})

    def batch(self, step: int, rows: range) -> Batch:
        """The crops `rows` of the global batch of `step`."""
        crops = [self._crop(np.random.default_rng((self.seed, step, row))) for row in rows]
        heard = {name: _stacked([c[0][name] for c in crops]) for name in crops[0][0]}
        return Batch(heard, *(_stacked(column) for column in list(zip(*crops))[1:]))

    def _crop(self, draw: np.random.Generator) -> tuple[Any, ...]:
        s, T = self.sampling, self.sampling.crop_frames
        source = self.sources[draw.choice(len(self.sources), p=self.share)]
        lengths = self.lengths[source]
        v = self.by_source[source][draw.choice(len(lengths), p=lengths / lengths.sum())]
        begin = int(draw.integers(-10, max(len(v.phones) - T, 0) + 10))
        if draw.random() < s.silence:
            begin = -int(draw.integers(1, s.longest_silence_frames))
        # Outside a clip samples are silence; the nearest row goes on for features, which know no row of silence.
        heard = {n: _window(x, begin, T, edge=n != "waveform").astype(np.float32) for n, x in v.heard.items()}
        heard["log_mel"] = self._disturbed(heard["log_mel"], begin, draw)
        motion, observed, phones, lips = self._spoken(v, begin)
        identity = self._identity(v, draw)
        if v.clip.motion and identity != v.clip.identity:
            motion = imitate(motion, self.manners[_speaker(v.clip)], self.average[identity])
        emotion, strength = v.clip.emotion, STRENGTH[v.clip.intensity]
        if v.clip.motion and emotion == "neutral" and draw.random() < s.posed:
            emotion = str(draw.choice(self.posed))
            strength = float(draw.choice(list(STRENGTH.values())))
            motion, observed = pose(motion, observed, emotion, strength)
        if draw.random() < s.unknown:
            emotion = UNKNOWN
        label = self.names.emotions.index(emotion)
        noise, dice = draw.standard_normal((T, 52), np.float32), draw.random(6, np.float32)
        labels = (
            np.int64(self.names.identities.index(identity)),
            np.int64(label),
            np.float32(strength),
            *self._voice(v),
        )
        return heard, motion, observed, phones, lips, *labels, noise, dice

    def _disturbed(self, features: np.ndarray, begin: int, draw: np.random.Generator) -> np.ndarray:
        if begin < 0 and draw.random() < 0.5:
            features[:-begin] = np.log(POWER_FLOOR)
        return disturb(features, draw, self.sampling.disturbance)

    def _spoken(self, v: Variant, begin: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Motion, what is observed of it, phones and lip targets of the frames that the network must say."""
        T, begin_motion = self.sampling.crop_frames, begin - DELAY_FRAMES
        motion = _window(v.weights, begin_motion, T).astype(np.float32)
        observed = _window(v.observed, begin_motion, T).astype(np.float32)
        observed[:, EYE_BLINK] *= motion[:, EYE_BLINK] < BLINKING
        phones, lips = _window(v.phones + 1, begin_motion, T) - 1, _window(v.lips, begin_motion, T)
        if begin > 0:
            warmup = slice(self.sampling.warmup_frames)
            observed[warmup], phones[warmup], lips[warmup] = 0, UNKNOWN_PHONE, 0
        else:
            _hold_first(motion, observed)
        return motion, observed, phones, lips

    def _identity(self, v: Variant, draw: np.random.Generator) -> str:
        """Whose manner the crop shall show."""
        dice = draw.random()
        if v.clip.motion is None or dice < self.sampling.default:
            return DEFAULT
        return v.clip.identity if dice > self.sampling.default + self.sampling.generic else generic_name(v.clip)

    def _voice(self, v: Variant) -> tuple[np.int64, np.int64]:
        known = self.names.identities
        return (
            np.int64(known.index(v.clip.identity) if v.clip.identity in known else -1),
            np.int64(-1 if v.clip.source == "flite" else self.names.emotions.index(v.clip.emotion)),
        )


def _stacked(rows: Sequence[Any]) -> Tensor:
    return torch.from_numpy(np.stack(rows))


def _speaker(clip: Clip) -> tuple[str, str]:
    return generic_name(clip), clip.identity


def manners(variants: Sequence[Variant]) -> tuple[dict[tuple[str, str], Manner], dict[str, Manner]]:
    """Manners of speakers, by generic name and identity, and those of generic entries; `default` rests at zero."""
    moving = [v for v in variants if v.clip.motion]
    groups = {s: [v for v in moving if _speaker(v.clip) == s] for s in sorted({_speaker(v.clip) for v in moving})}
    own = {speaker: manner(group) for speaker, group in groups.items()}
    generic = {name: average([m for (g, _), m in own.items() if g == name]) for name, _ in own}
    if own:
        generic[DEFAULT] = Manner(np.zeros(52, np.float32), average(list(own.values())).spread)
    return own, generic


def _hold_first(motion: np.ndarray, observed: np.ndarray) -> None:
    """Before the first observed row the face is that row's."""
    rows = np.flatnonzero(observed.any(axis=1))
    if len(rows):
        motion[: rows[0]], observed[: rows[0]] = motion[rows[0]], observed[rows[0]]


def _window(x: Rows, begin: int, length: int, edge: bool = False) -> np.ndarray:
    """Rows begin .. begin + length of x; outside it zeros, or the nearest row."""
    index = np.arange(begin, begin + length)
    inside = np.clip(index, 0, len(x) - 1)
    window = x[inside]
    return window if edge else np.where(((index == inside).reshape(-1, *[1] * (x.ndim - 1))), window, 0).astype(x.dtype)

"""What every training run starts from: variants of the clips, samplers of crops, and the scales of their motion."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from dtalker_model.networks.noise import low_pass, time_constants
from training.corpus.augment import Augmentation, Crowd, crowd_of
from training.corpus.batches import Batch, Sampler, Sampling
from training.corpus.clips import EMOTIONS, VOICES, Clip, read_manifest, with_phones
from training.corpus.face_basis import lip_basis_cm, load_face_basis
from training.corpus.library import Names, names_of
from training.corpus.phones import synthesise
from training.corpus.posed import POSED
from training.corpus.variants import LOG_MEL, Hearing, Variant, make_variants
from training.data.align import align_manifest
from training.data.manifest import read_rows
from training.hearing.registry import hearing_dim, hearings
from training.loop.loop import Share
from training.networks.encoders import check_rows
from training.networks.teacher import TeacherConfig

LEAST_DEVIATION = 0.02
"""Coefficients that hardly move are scaled as if they moved this much, so that noise in them is not amplified."""


@dataclass(frozen=True)
class DataConfig:
    """What is heard and seen in training.

    Attributes:
        share: how often each source with motion is drawn. Sources that are not named are not used at all.
        heard_share: the same of clips that are only heard: they teach phones, voices and moods. ``voices`` are those of
            ``voices.jsonl`` whose phones are known or were found.
        copies, heard_copies: augmented variants of each clip, by source, and of each clip that is only heard.
        voice_copies: the latter for ``voices``; the log-mel of each takes 0.3 GB.
        posed_deviation: least deviation of the coefficients of poses, for data whose speakers show no expression.
        synthetic_sentences: spoken by flite, with exact phones.
        batch, heard_batch: crops a step with motion, and crops that are only heard.
    """

    sampling: Sampling = field(default_factory=Sampling)
    augmentation: Augmentation = field(default_factory=Augmentation)
    emotions: tuple[str, ...] = EMOTIONS
    share: dict[str, float] = field(
        default_factory=lambda: {"ravdess": 0.7, "ravdess_song": 0.6, "facegood": 2.4, "grid": 6}
    )
    heard_share: dict[str, float] = field(default_factory=lambda: {"ravdess": 2, "flite": 2})
    copies: dict[str, int] = field(
        default_factory=lambda: {"ravdess": 10, "ravdess_song": 10, "facegood": 10, "grid": 3}
    )
    heard_copies: int = 2
    voice_copies: int = 1
    posed_deviation: float = 0.0
    synthetic_sentences: int = 1200
    batch: int = 24
    heard_batch: int = 8
    seed: int = 0


@dataclass(frozen=True)
class Data:
    """The samplers of a run, their names, and the variants whose motion is seen."""

    config: DataConfig
    names: Names
    moving: Sequence[Variant]
    seen: Sampler
    heard: Sampler

    def batch(self, step: int, share: Share) -> tuple[Batch, Batch]:
        """This process's part of the crops of a step: with motion, and only heard."""
        c = self.config
        return self.seen.batch(step, share.rows(c.batch)), self.heard.batch(step, share.rows(c.heard_batch))


def ears(teacher: TeacherConfig, encoders: Collection[str], cache: Path) -> dict[str, Hearing]:
    """What these audio encoders hear beside `teacher`, by name; what pretrained ears hear of clips stays in `cache`.

    Raises:
        ValueError, ModelError: as `hearings`, or these ears are not of the size that the teacher's encoder takes.
    """
    if teacher.encoder == "whisper":
        check_rows(teacher.pretrained, hearing_dim("whisper", teacher.ears))
    return hearings(encoders, teacher.ears, cache)


def prepare(config: DataConfig, corpus: Path, cache: Path, hearings: dict[str, Hearing] | None = None) -> Data:
    """Align what has no phones yet, speak what is synthetic (both kept in `cache`), and augment everything.

    Raises:
        ValueError: a share is asked for that no clip has.
    """
    hearings = {**LOG_MEL, **(hearings or {})}
    clips = read_manifest(corpus, "train", voices=VOICES in config.heard_share)
    seen, heard = chosen(config, aligned(clips, corpus, cache / "phones.jsonl"), cache)
    crowd = crowd_among(seen, heard, config.seed)
    moving = [
        v
        for source, copies in config.copies.items()
        for v in make_variants(_of(source, seen), copies, config.augmentation, config.seed, hearings, crowd)
    ]
    voices, others = _of(VOICES, heard), [c for c in heard if c.source != VOICES]
    only_heard = [
        v
        for k, (part, copies) in enumerate(((others, config.heard_copies), (voices, config.voice_copies)), 1)
        for v in make_variants(part, copies, config.augmentation, config.seed + k, hearings, crowd)
    ]
    names = names_of(seen, config.emotions)
    return Data(
        config,
        names,
        moving,
        Sampler(moving, config.share, names, config.sampling, config.seed),
        Sampler(only_heard, config.heard_share, names, config.sampling, config.seed + 1),
    )


def chosen(config: DataConfig, clips: Sequence[Clip], cache: Path) -> tuple[list[Clip], list[Clip]]:
    """The clips whose motion is seen, and those that are only heard, synthetic ones among them."""
    seen = [c for c in clips if c.motion and c.source in config.share]
    heard = [c for c in clips if not c.motion and c.source in config.heard_share and (c.phones or c.source != VOICES)]
    if VOICES in config.heard_share and not _of(VOICES, heard):
        raise ValueError("heard_share names voices, but the corpus has no voices.jsonl with phones for its texts")
    if "flite" in config.heard_share:
        heard += synthesise(cache / "flite", config.synthetic_sentences)
    return seen, heard


def crowd_among(seen: Sequence[Clip], heard: Sequence[Clip], seed: int) -> Crowd:
    """Who babbles: the voices where they are heard, else the run's own clips, so that its data's licence holds."""
    return crowd_of(_of(VOICES, heard) or [*seen, *heard], seed)


def aligned(clips: Sequence[Clip], corpus: Path, alignment: Path) -> list[Clip]:
    """The clips with phones, by forced alignment where the corpus has none; `alignment` keeps what was found.

    A source is aligned again where `alignment` does not know all of its clips: some came later, or it was interrupted.
    """
    wanted = [c for c in clips if c.text and not c.phones]
    if not wanted:
        return list(clips)
    known = {row["id"] for row in read_rows(alignment)}
    alignment.parent.mkdir(parents=True, exist_ok=True)
    for source in sorted({c.source for c in wanted if c.id not in known}):
        align_manifest(corpus, source, "train", alignment, again=False)
    return with_phones(clips, alignment)


def _of(source: str, clips: Sequence[Clip]) -> list[Clip]:
    return [c for c in clips if c.source == source]


def motion_statistics(variants: Sequence[Variant], posed_deviation: float) -> tuple[Tensor, Tensor]:
    """Mean and 1 / deviation of each coefficient over observed frames; one that nobody observed stays at zero.

    The deviation is from the mean of each source, and all sources that observe a coefficient count alike: they differ
    more in size and in how they were measured than speech does.
    Coefficients that poses move have a deviation of at least `posed_deviation`, observed or not.
    """
    means, squares, shown = np.zeros(52), np.zeros(52), np.zeros(52)
    for source in sorted({v.clip.source for v in variants}):
        mine = [v for v in variants if v.clip.source == source]
        weights = np.concatenate([v.weights for v in mine]).astype(np.float64)
        observed = np.concatenate([v.observed for v in mine])
        frames = np.maximum(observed.sum(axis=0), 1)
        mean = (weights * observed).sum(axis=0) / frames
        squares += (((weights - mean) ** 2) * observed).sum(axis=0) / frames
        means += mean
        shown += observed.any(axis=0)
    mean, deviation = means / np.maximum(shown, 1), np.sqrt(squares / np.maximum(shown, 1))
    deviation[POSED] = np.maximum(deviation[POSED], posed_deviation)
    known = (shown > 0) | (deviation > 0)
    scale = np.where(known, 1 / np.maximum(deviation, LEAST_DEVIATION), 1e6)
    return torch.from_numpy(mean).float(), torch.from_numpy(scale).float()


def face_geometry(corpus: Path, scale: Tensor) -> tuple[Tensor, Tensor]:
    """What normalised errors do to the face.

    Returns:
        gram (52, 52): mean squared lip displacement as a quadratic form; unit errors give about 1.
        gap (52,): change of the gap between the lips by each coefficient; unit errors give about 1.
    """
    basis = torch.from_numpy(lip_basis_cm(corpus)) / scale[:, None]
    gram = basis @ basis.T
    gap = torch.from_numpy(load_face_basis(corpus).gap_mm).float() / scale
    return gram / gram.trace(), gap / gap.norm()


def lip_geometry(corpus: Path) -> Tensor:
    """What each blendshape adds to the gap of the lips, the mouth's width and the lower lip's height: (3, 52) in mm."""
    face = load_face_basis(corpus)
    return torch.from_numpy(np.stack([face.gap_mm, face.width_mm, -face.drop_mm])).float()


def motion_colour(variants: Sequence[Variant]) -> Tensor:
    """The noise filters (52, TAPS) whose noise is as smooth as each coefficient's motion, sources weighing alike.

    What nobody observed is as smooth as the average.
    """
    sources = sorted({v.clip.source for v in variants})
    found = np.ma.stack([_smoothness([v for v in variants if v.clip.source == source]) for source in sources])
    constants = found.mean(axis=0)
    return low_pass(torch.from_numpy(constants.filled(constants.mean())).float())


def _smoothness(variants: Sequence[Variant]) -> np.ma.MaskedArray:
    """Time constants (52,) of one source's motion, in frames; masked where it was not observed or hardly moves."""
    moved = [np.ma.array(v.weights.astype(np.float32), mask=~v.observed) for v in variants]
    deviation = np.ma.concatenate(moved).std(axis=0).filled(0)
    velocity = np.ma.concatenate([m[1:] - m[:-1] for m in moved]).std(axis=0).filled(0)
    constants = time_constants(torch.from_numpy(deviation), torch.from_numpy(velocity)).numpy()
    return np.ma.array(constants, mask=deviation <= LEAST_DEVIATION / 4)

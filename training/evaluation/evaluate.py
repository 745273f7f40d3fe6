"""Validation figures of a model, per source and emotion, next to the floors."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

from dtalker_model.blendshapes import INDEX
from training.corpus.clips import Clip, corpus_folder, load_motion, read_manifest
from training.corpus.face_basis import FaceBasis, load_face_basis
from training.evaluation.baselines import Predict, fitted_floors, measured_clips
from training.evaluation.bootstrap import Figure
from training.evaluation.closure import MEET_MM, Phones
from training.evaluation.dynamics import diversity
from training.evaluation.emotion_control import emotion_control_rows
from training.evaluation.metrics import Pair, correlation, lve, one_late, pair
from training.evaluation.predictor import Predictor
from training.evaluation.retrieval import Ear, emotion_accuracy, identity_similarity, verification
from training.evaluation.scores import MAIN_COEFFICIENTS, Row, entry, mean_row, row, score
from training.evaluation.spoken_phones import spoken_phones

SOURCES = ("ravdess", "ravdess_song", "facegood", "grid")
SEEDS = 3
DIVERSITY_CLIPS = 6
"""Diversity is measured on the first clips of a source: a whole validation for each seed would take minutes."""

Match = Callable[[Sequence[Clip]], list[Pair]]
"""Clips in, their recordings beside predictions out."""

Figures = dict[str, Figure]


def figures(predict: Predict, clips: Sequence[Clip], basis_cm: np.ndarray) -> Row:
    """The few figures that training follows: LVE in 1e-5 m2 and the correlation of the main coefficients."""
    pairs = [pair(load_motion(clip), predict(clip)) for clip in clips]
    found: Row = {"LVE": lve(pairs, basis_cm)}
    for name, parts in MAIN_COEFFICIENTS.items():
        found[name] = correlation(pairs, [INDEX[part] for part in parts])
    return found


def predicted(predictor: Predictor) -> Match:
    """Match what a predictor says with the recordings."""
    return lambda clips: [pair(load_motion(c), frames) for c, frames in zip(clips, predictor(clips))]


def floor(predict: Predict) -> Match:
    """The same for a floor."""
    return lambda clips: [pair(load_motion(c), predict(c)) for c in clips]


def recorded(clips: Sequence[Clip]) -> list[Pair]:
    """The recordings against themselves: what closures and jitter the data have."""
    motions = [load_motion(clip) for clip in clips]
    return [Pair(m.weights, m.weights, m.observed, m.times_s)[m.observed.any(axis=1)] for m in motions]


def one_frame_late(clips: Sequence[Clip]) -> list[Pair]:
    """The recordings against themselves, one of their own frames late: the noise floor."""
    return [one_late(load_motion(clip)) for clip in clips]


def evaluate(
    model: Predictor, split: str = "val", floors: bool = True, beside: Mapping[str, Predictor] | None = None
) -> Iterator[Row]:
    """Rows of figures: per source and predictor, for all clips and each emotion; means; emotion control; retrieval.

    Args:
        floors: whether to add the mean face, the ridge map, and the recording itself.
        beside: other models by the name of their rows, such as a teacher.
    """
    folder = corpus_folder()
    face = load_face_basis(folder)
    yield from motion_rows({"model": model} | dict(beside or {}), folder, split, face, floors, SEEDS)
    yield from emotion_control_rows(model, folder, split, face)
    yield from retrieval_rows(model.ear, folder, split)


def motion_rows(
    models: Mapping[str, Predictor], folder: Path, split: str, face: FaceBasis, floors: bool, seeds: int = 1
) -> Iterator[Row]:
    """Rows of motion: per source, for all clips and each emotion, a row a predictor; then their means over sources.

    Args:
        models: by the name of their rows.
        floors: whether to add the mean face, the ridge map, and the recording itself.
        seeds: of which `diversity` is measured; fewer than two do not measure it.
    """
    per_source: dict[str, list[Figures]] = defaultdict(list)
    counts: dict[str, int] = defaultdict(int)
    for source in SOURCES:
        clips = measured_clips(folder, split, source)
        phones = spoken_phones(clips) if source in MEET_MM else [()] * len(clips)
        for name, match in matches(folder, source, models, floors).items() if clips else ():
            spread = seed_diversity(models[name], clips, face, seeds) if name in models and seeds > 1 else {}
            found, rows = source_rows({"source": source, "predictor": name}, clips, phones, match(clips), face, spread)
            per_source[name].append(found)
            counts[name] += len(clips)
            yield from rows
    for name, sources in per_source.items():
        yield mean_row({"source": "mean", "emotion": "all", "predictor": name}, counts[name], sources)


def matches(folder: Path, source: str, models: Mapping[str, Predictor], floors: bool) -> dict[str, Match]:
    """What is compared with the recordings of a source: models by name, then the floors."""
    found = {name: predicted(model) for name, model in models.items()}
    if floors:
        found |= {name: floor(predict) for name, predict in fitted_floors(folder, source).items()}
        found |= {"one frame late": one_frame_late, "recording": recorded}
    return found


def source_rows(
    names: Row, clips: Sequence[Clip], phones: Sequence[Phones], pairs: Sequence[Pair], face: FaceBasis, extra: Figures
) -> tuple[Figures, list[Row]]:
    """Figures of one predictor on one source, and their rows: all clips, then each emotion where there are several.

    Args:
        names: what the rows begin with, `source` and `predictor`.
        clips, phones, pairs: one a clip. extra: figures that were measured elsewhere.
    """
    found = {**score(pairs, phones, face, names["source"]), **extra}
    rows = [row({**names, "emotion": "all"}, clips, found)]
    emotions = sorted({c.emotion for c in clips})
    for emotion in emotions if len(emotions) > 1 else ():
        of = [k for k, c in enumerate(clips) if c.emotion == emotion]
        part = score([pairs[k] for k in of], [phones[k] for k in of], face, names["source"])
        rows.append(row({**names, "emotion": emotion}, len(of), part))
    return found, rows


def seed_diversity(predictor: Predictor, clips: Sequence[Clip], face: FaceBasis, seeds: int) -> Figures:
    """How much the faces differ between seeds, in mm."""
    said = [predictor(clips[:DIVERSITY_CLIPS], seed) for seed in range(seeds)]
    return {"diversity": diversity(list(zip(*said)), face.gram_mm2)}


def retrieval_rows(ear: Ear | None, folder: Path, split: str) -> list[Row]:
    """Emotion retrieval and identity verification on RAVDESS speakers that no training clip has; none, no row."""
    seen = {c.identity for c in read_manifest(folder, "train")}
    clips = [c for c in read_manifest(folder, split, "ravdess") if c.identity not in seen]
    if not clips or ear is None:
        return []
    accuracy = emotion_accuracy(ear, clips)
    verified = verification(identity_similarity(ear, clips), [c.identity for c in clips])
    names = {"source": "ravdess", "emotion": "all", "predictor": "listener", "clips": len(clips)}
    speakers = {"speakers": len({c.identity for c in clips})}
    measured = entry("emotion_accuracy", accuracy.value, accuracy.interval) | entry("identity_EER", *verified)
    return [{**names, **speakers, **measured}]

"""Validation figures of a model, per source and emotion, next to the floors."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

from dtalker_model.blendshapes import INDEX
from training.corpus.clips import VOICES, Clip, corpus_folder, load_motion, read_manifest
from training.corpus.face_basis import FaceBasis, load_face_basis
from training.evaluation.baselines import Predict, fitted_floors, measured_clips
from training.evaluation.bootstrap import Figure
from training.evaluation.emotion_control import emotion_control_rows
from training.evaluation.lips import Phones
from training.evaluation.metrics import Pair, correlation, lve, one_late, pair
from training.evaluation.predictor import Predictor
from training.evaluation.retrieval import Ear, emotion_accuracy, identity_similarity, verification
from training.evaluation.sampling import sampling_row
from training.evaluation.scores import MAIN_COEFFICIENTS, Row, entry, mean_row, row, score
from training.evaluation.spoken_phones import spoken_phones
from training.evaluation.strangers import first_clips, stranger_rows

SOURCES = ("ravdess", "ravdess_song", "facegood", "grid")
SPOKEN = ("ravdess", "grid")
"""Sources whose texts can be aligned: songs hold their vowels, and FACEGOOD is Mandarin without texts."""

Match = Callable[[Sequence[Clip]], list[Pair]]
"""Clips in, their recordings beside predictions out."""

Figures = dict[str, Figure]

LIVE = ", live"
"""Behind the name of a model in the rows in which it infers identity and emotion from the voice."""


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
    """The recordings against themselves: what closures the data have; what was not observed rests."""
    motions = [load_motion(clip) for clip in clips]
    seen = [np.where(m.observed, m.weights, 0) for m in motions]
    return [Pair(m.weights, w, m.observed, m.times_s)[m.observed.any(axis=1)] for m, w in zip(motions, seen)]


def one_frame_late(clips: Sequence[Clip]) -> list[Pair]:
    """The recordings against themselves, one of their own frames late: the noise floor."""
    return [one_late(load_motion(clip)) for clip in clips]


def evaluate(
    model: Predictor, split: str = "val", floors: bool = True, beside: Mapping[str, Predictor] | None = None
) -> Iterator[Row]:
    """Rows of figures: per source and predictor, for all clips and each emotion; means; sampling; lips of voices that
    nobody in training has; emotion control; retrieval.

    Args:
        floors: whether to add the mean face, the ridge map, and the recording itself.
        beside: other models by the name of their rows, such as a teacher.
    """
    folder = corpus_folder()
    face = load_face_basis(folder)
    models = {"model": model} | dict(beside or {})
    spoken = models | live(models)
    yield from motion_rows(spoken, folder, split, face, floors)
    yield from sampling_rows(models, folder, split, face)
    yield from stranger_rows(spoken, folder, split, face)
    yield from emotion_control_rows(model, folder, split, face)
    yield from retrieval_rows(model.ear, folder, split)


def live(models: Mapping[str, Predictor]) -> dict[str, Predictor]:
    """The same models as they speak when they are told neither identity nor emotion, where they hear them."""
    return {f"{name}{LIVE}": following for name, model in models.items() if (following := model.live) is not None}


def motion_rows(
    models: Mapping[str, Predictor], folder: Path, split: str, face: FaceBasis, floors: bool
) -> Iterator[Row]:
    """Rows of motion: per source, for all clips and each emotion, a row a predictor; then their means over sources.

    Args:
        models: by the name of their rows.
        floors: whether to add the mean face, the ridge map, and the recording itself.
    """
    per_source: dict[str, list[Figures]] = defaultdict(list)
    counts: dict[str, int] = defaultdict(int)
    for source in SOURCES:
        clips = measured_clips(folder, split, source)
        phones = spoken_phones(clips) if source in SPOKEN else [()] * len(clips)
        for name, match in matches(folder, source, models, floors).items() if clips else ():
            found, rows = source_rows({"source": source, "predictor": name}, clips, phones, match(clips), face)
            per_source[name].append(found)
            counts[name] += len(clips)
            yield from rows
    for name, sources in per_source.items():
        yield mean_row({"source": "mean", "emotion": "all", "predictor": name}, counts[name], sources)


def sampling_rows(models: Mapping[str, Predictor], folder: Path, split: str, face: FaceBasis) -> Iterator[Row]:
    """Rows of sampling: a row a model for each source."""
    for source in SOURCES:
        clips = measured_clips(folder, split, source)
        for name, model in models.items() if clips else ():
            yield sampling_row({"source": source, "emotion": "all", "predictor": name}, model, clips, face)


def matches(folder: Path, source: str, models: Mapping[str, Predictor], floors: bool) -> dict[str, Match]:
    """What is compared with the recordings of a source: models by name, then the floors."""
    found = {name: predicted(model) for name, model in models.items()}
    if floors:
        found |= {name: floor(predict) for name, predict in fitted_floors(folder, source).items()}
        found |= {"one frame late": one_frame_late, "recording": recorded}
    return found


def source_rows(
    names: Row, clips: Sequence[Clip], phones: Sequence[Phones], pairs: Sequence[Pair], face: FaceBasis
) -> tuple[Figures, list[Row]]:
    """Figures of one predictor on one source, and their rows: all clips, then each emotion where there are several.

    Args:
        names: what the rows begin with, `source` and `predictor`.
        clips, phones, pairs: one a clip.
    """
    found = score(pairs, phones, face)
    rows = [row({**names, "emotion": "all"}, clips, found)]
    emotions = sorted({c.emotion for c in clips})
    for emotion in emotions if len(emotions) > 1 else ():
        of = [k for k, c in enumerate(clips) if c.emotion == emotion]
        part = score([pairs[k] for k in of], [phones[k] for k in of], face)
        rows.append(row({**names, "emotion": emotion}, len(of), part))
    return found, rows


def retrieval_rows(ear: Ear | None, folder: Path, split: str) -> list[Row]:
    """Retrieval on speakers that no training clip has: identity of RAVDESS and of the voices, emotion of RAVDESS.

    A source without such speakers has no row.
    """
    if ear is None:
        return []
    seen = {c.identity for c in read_manifest(folder, "train", voices=True)}
    sources = {"ravdess": read_manifest(folder, split, "ravdess"), VOICES: first_clips(folder, split)}
    rows = []
    for source, clips in sources.items():
        if strangers := [c for c in clips if c.identity not in seen]:
            row = verification_row({"source": source, "emotion": "all", "predictor": "listener"}, ear, strangers)
            if source == "ravdess":
                accuracy = emotion_accuracy(ear, strangers)
                row |= entry("emotion_accuracy", accuracy.value, accuracy.interval)
            rows.append(row)
    return rows


def verification_row(names: Row, ear: Ear, clips: Sequence[Clip]) -> Row:
    """Whether two clips are of one speaker, as one row that begins with `names`."""
    verified = verification(identity_similarity(ear, clips), [c.identity for c in clips])
    speakers = len({c.identity for c in clips})
    return {**names, "clips": len(clips), "speakers": speakers, **entry("identity_EER", *verified)}

"""Validation figures of a model, per source and emotion, next to the floors: ``python -m training evaluate MODEL``."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

from dtalker_model.blendshapes import INDEX
from dtalker_model.card import model_path, read_card
from dtalker_model.rates import DELAY_FRAMES, FRAME_SAMPLES
from dtalker_model.settings import Settings
from dtalker_model.talker import load_engine
from training.baselines import Predict, fitted_floors, measured_clips
from training.bootstrap import Figure
from training.closure import MEET_MM, Phones
from training.corpus import Clip, corpus_folder, generic_name, load_audio, load_motion, read_manifest
from training.dynamics import diversity
from training.emotion_control import emotion_control_rows
from training.face_basis import FaceBasis, load_face_basis
from training.figure_tables import tables
from training.metrics import Pair, correlation, lve, one_late, pair
from training.retrieval import Ear, emotion_accuracy, identity_similarity, verification
from training.scores import MAIN_COEFFICIENTS, Row, entry, mean_row, row, score
from training.spoken_phones import spoken_phones

SOURCES = ("ravdess", "ravdess_song", "facegood", "grid")
SEEDS = 4
DIVERSITY_CLIPS = 8
"""Diversity is measured on the first clips of a source."""

Match = Callable[[Clip], Pair]
"""A clip in, its recording beside a prediction out."""

Figures = dict[str, Figure]


def figures(predict: Predict, clips: Sequence[Clip], basis_cm: np.ndarray) -> Row:
    """The few figures that training follows: LVE in 1e-5 m2 and the correlation of the main coefficients."""
    pairs = [pair(load_motion(clip), predict(clip)) for clip in clips]
    found: Row = {"LVE": lve(pairs, basis_cm)}
    for name, parts in MAIN_COEFFICIENTS.items():
        found[name] = correlation(pairs, [INDEX[part] for part in parts])
    return found


class Shipped:
    """Predicts with a model file: the network's own output in the style of the clip's source and emotion."""

    def __init__(self, model: str) -> None:
        self._card, self._engine = load_engine(model)

    def __call__(self, clip: Clip, seed: int = 0) -> np.ndarray:
        """Frames (T, 52) of a clip, 0..1."""
        identity = next((n for n in (clip.identity, generic_name(clip)) if n in self._card.identities), "default")
        emotion = clip.emotion if clip.emotion in self._card.emotions else "neutral"
        self._engine.reset(seed=seed)
        audio = load_audio(clip)
        padded = np.pad(audio, (0, (clip.frames + DELAY_FRAMES) * FRAME_SAMPLES - len(audio)))
        blocks = self._engine.push(padded, Settings(identity=identity, emotion=emotion))
        return np.concatenate([block.weights for block in blocks]).clip(0, 1)


def predicted(predict: Predict) -> Match:
    """Match a predictor's frames with the recording."""
    return lambda clip: pair(load_motion(clip), predict(clip))


def recorded(clip: Clip) -> Pair:
    """The recording against itself: what closures and jitter the data have."""
    motion = load_motion(clip)
    return Pair(motion.weights, motion.weights, motion.observed, motion.times_s)[motion.observed.any(axis=1)]


def one_frame_late(clip: Clip) -> Pair:
    """The recording against itself, one of its own frames late: the noise floor."""
    return one_late(load_motion(clip))


def matches(folder: Path, source: str, models: Mapping[str, Shipped], floors: bool) -> dict[str, Match]:
    """What is compared with the recordings of a source: models by name, then the floors."""
    found = {name: predicted(shipped) for name, shipped in models.items()}
    if floors:
        found |= {name: predicted(p) for name, p in fitted_floors(folder, source).items()}
        found |= {"one frame late": one_frame_late, "recording": recorded}
    return found


def evaluate(
    model: str, split: str = "val", floors: bool = True, beside: Mapping[str, str] | None = None
) -> Iterator[Row]:
    """Rows of figures: per source and predictor, for all clips and each emotion; means; emotion control; the listener.

    Args:
        model: shipped name, or path of an ``.onnx``.
        floors: whether to add the mean face, the ridge map, and the recording itself.
        beside: other models by the name of their rows, such as a regression network or a teacher.
    """
    folder = corpus_folder()
    face = load_face_basis(folder)
    models = {name: Shipped(path) for name, path in {"model": model, **(beside or {})}.items()}
    per_source: dict[str, list[Figures]] = defaultdict(list)
    counts: dict[str, int] = defaultdict(int)
    for source in SOURCES:
        clips = measured_clips(folder, split, source)
        phones = spoken_phones(clips) if source in MEET_MM else [()] * len(clips)
        for name, match in matches(folder, source, models, floors).items() if clips else ():
            spread = {"diversity": seed_diversity(models[name], clips, face)} if name in models else {}
            names = {"source": source, "predictor": name}
            found, rows = source_rows(names, clips, phones, [match(c) for c in clips], face, spread)
            per_source[name].append(found)
            counts[name] += len(clips)
            yield from rows
    for name, sources in per_source.items():
        yield mean_row({"source": "mean", "emotion": "all", "predictor": name}, counts[name], sources)
    yield from emotion_control_rows(models["model"], folder, split, face)
    yield from listener_rows(model, folder, split)


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


def seed_diversity(shipped: Shipped, clips: Sequence[Clip], face: FaceBasis) -> Figure:
    """How much the model's faces differ between seeds, in mm."""
    chosen = clips[:DIVERSITY_CLIPS]
    return diversity([[shipped(clip, seed) for seed in range(SEEDS)] for clip in chosen], face.gram_mm2)


def listener_rows(model: str, folder: Path, split: str) -> list[Row]:
    """Emotion retrieval and identity verification on RAVDESS speakers that no training clip has; none, no row."""
    seen = {c.identity for c in read_manifest(folder, "train")}
    clips = [c for c in read_manifest(folder, split, "ravdess") if c.identity not in seen]
    if not clips or not read_card(model_path(model)).listener_sha256:
        return []
    ear = Ear(model)
    accuracy = emotion_accuracy(ear, clips)
    verified = verification(identity_similarity(ear, clips), [c.identity for c in clips])
    names = {"source": "ravdess", "emotion": "all", "predictor": "listener", "clips": len(clips)}
    speakers = {"speakers": len({c.identity for c in clips})}
    measured = entry("emotion_accuracy", accuracy.value, accuracy.interval) | entry("identity_EER", *verified)
    return [{**names, **speakers, **measured}]


def named_models(arguments: Sequence[str]) -> dict[str, str]:
    """NAME=MODEL of each argument; ValueError for one that is not of this form."""
    named = {name: model for name, _, model in (argument.partition("=") for argument in arguments)}
    if not all(name and model for name, model in named.items()):
        raise ValueError(f"--beside takes NAME=MODEL, such as regression=gru.onnx; received {' '.join(arguments)!r}")
    return named


def main(model: str, split: str, as_json: bool, beside: Sequence[str]) -> None:
    """Print the figures; `beside` are other models as NAME=MODEL."""
    rows = list(evaluate(model, split, beside=named_models(beside)))
    print(json.dumps(rows, indent=1) if as_json else tables(rows))

"""Does a chosen emotion move the face as people move theirs? Neutral speech of unseen actors, said happily and sadly.

The model speaks the same neutral clips twice, with `happy` and with `sad`. The mean difference of its faces is compared
with the mean difference between happy and sad recordings of the same actors by the cosine of vertex displacements, over
the upper face and over the corners of the mouth. The lips must go on closing at /p b m/ whatever the mood, and open
vowels must not look shut (`lips.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np

from dtalker_model.rates import FRAME_RATE_HZ
from training.corpus.clips import Clip, load_motion, read_manifest
from training.corpus.face_basis import FaceBasis
from training.evaluation.baselines import measured_clips
from training.evaluation.bootstrap import Figure
from training.evaluation.lips import Phones, lip_figures, lip_sums, lips_of
from training.evaluation.scores import Row, entry
from training.evaluation.spoken_phones import spoken_phones

SOURCE = "ravdess"
MOODS = ("happy", "sad")
LIPS = ("closed_1mm", "closed_2mm", "looks_shut")
"""Figures of the lips that are measured in either mood."""

Speak = Callable[[Sequence[Clip]], list[np.ndarray]]
"""Clips in, frames (T, 52) at 50 Hz of each out."""


def cosine(difference: np.ndarray, measured: np.ndarray, basis: np.ndarray) -> np.ndarray:
    """Cosine of the vertex displacements that two differences of weights (..., 52) and (52,) make; -1 .. 1, (...)."""
    gram = basis @ basis.T
    dot = difference @ gram @ measured
    lengths = np.einsum("...c,cd,...d->...", difference, gram, difference) * (measured @ gram @ measured)
    return dot / np.sqrt(lengths)


def mean_face(weights: Sequence[np.ndarray]) -> np.ndarray:
    """Mean over frames of each clip, then over clips: (52,) float64. A long clip weighs as much as a short one."""
    return np.mean([w.mean(axis=0, dtype=np.float64) for w in weights], axis=0)


def direction(differences: np.ndarray, measured: np.ndarray, basis: np.ndarray) -> Figure:
    """`cosine` of the mean of the clips' differences (clips, 52) with the measured one (52,)."""
    of_sums: Callable[[np.ndarray], np.ndarray] = partial(cosine, measured=measured, basis=basis)
    return Figure(differences, of_sums)


def emotion_control_rows(predict: Speak, folder: Path, split: str, face: FaceBasis) -> list[Row]:
    """One row: cosines for upper face and mouth corners, and lip closure in either mood; none without such clips."""
    recorded = measured_clips(folder, split, SOURCE)
    neutral = [c for c in read_manifest(folder, split, SOURCE) if c.emotion == "neutral"]
    if not neutral or {c.emotion for c in recorded} < set(MOODS):
        return []
    motions = {mood: [load_motion(c) for c in recorded if c.emotion == mood] for mood in MOODS}
    observed = motions["happy"][0].observed.any(axis=0)
    happy, sad = (mean_face([m.weights[m.observed.any(axis=1)] for m in motions[mood]]) for mood in MOODS)
    measured = (happy - sad) * observed
    spoken = {m: predict([replace(c, emotion=m) for c in neutral]) for m in MOODS}
    differences = np.stack([mean_face([h]) - mean_face([s]) for h, s in zip(spoken["happy"], spoken["sad"])])
    row: Row = {"source": SOURCE, "emotion": "all", "predictor": "emotion control", "clips": len(neutral)}
    for name, basis in (("cosine_upper_face", face.upper_cm), ("cosine_mouth_corners", face.corners_cm)):
        found = direction(differences * observed, measured, basis.astype(np.float64))
        row |= entry(name, found.value, found.interval)
    phones = spoken_phones(neutral)
    for mood in MOODS:
        figures = spoken_lips(spoken[mood], phones, face)
        for name in LIPS:
            row |= entry(f"{name}_{mood}", figures[name].value, figures[name].interval)
    return [row]


def spoken_lips(spoken: Sequence[np.ndarray], phones: Sequence[Phones], face: FaceBasis) -> dict[str, Figure]:
    """Figures of the lips for predicted frames (T, 52) at 50 Hz of clips that have no recorded motion."""
    times_s = [np.arange(len(w)) / FRAME_RATE_HZ for w in spoken]
    return lip_figures([lip_sums(lips_of(w, t, face), p) for w, t, p in zip(spoken, times_s, phones)])

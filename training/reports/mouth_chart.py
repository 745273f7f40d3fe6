"""A picture of mouths at p b m f u o a i of voices that no model heard, one row a model: anyone can see the lips.

``python -m training mouths MODEL --out FILE.png --beside NAME=MODEL``. Each face is the median of all such phones in
the clips of `training.evaluation.strangers`, coefficient by coefficient: consonants at the frame where the lips are
nearest (f: the lower lip highest), vowels at their middle.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from dtalker_model.rates import FRAME_RATE_HZ
from training.corpus.clips import Clip, corpus_folder
from training.corpus.face_basis import FaceBasis, load_face_basis
from training.evaluation.lips import CLOSED_MM, TEETH_MM, VOWEL_GAPS, Lips, frames_of_smallest, lips_of, middles_s
from training.evaluation.lips import phone_set as of
from training.evaluation.predictor import Predictor
from training.evaluation.strangers import stranger_clips
from training.predictors.opening import MODEL, named_models, open_predictor
from training.reports.clip_picture import save
from training.reports.face_picture import FaceMesh, draw_face, load_face_mesh

CLOSING = {name: of(name) for name in "pbm"}
TEETH = {"f": of("f v")}
VOWELS = {name: VOWEL_GAPS[f"gap_{name}"] for name in "uoai"}
SHOWN = (*CLOSING, *TEETH, *VOWELS)
"""Titles of the columns."""

CROP_CM = (-2.1, 7.1), (-7.4, 0.2)
"""From below the nose to the chin."""


@dataclass(frozen=True)
class Mouth:
    """The median face (52,) of all phones of a kind, and what is said of it."""

    weights: np.ndarray
    caption: str


def mouths(models: Mapping[str, Predictor], split: str = "val") -> dict[str, dict[str, Mouth]]:
    """By model and title the typical mouths; empty where the corpus has no voices, or no phones of them."""
    folder = corpus_folder()
    clips = stranger_clips(folder, split)
    if not clips:
        return {}
    face = load_face_basis(folder)
    return {name: mouths_of(clips, model(clips), face) for name, model in models.items()}


def mouths_of(clips: Sequence[Clip], said: Sequence[np.ndarray], face: FaceBasis) -> dict[str, Mouth]:
    """The mouths in frames (T, 52) at 50 Hz of each clip, whose phones are known; what nobody says is left out."""
    found = {}
    for title in SHOWN:
        faces = np.concatenate([_frames(title, clip, weights, face) for clip, weights in zip(clips, said)])
        if len(faces):
            found[title] = Mouth(np.median(faces, axis=0), _caption(title, faces, face))
    return found


def _frames(title: str, clip: Clip, weights: np.ndarray, face: FaceBasis) -> np.ndarray:
    """The faces (N, 52) at the phones of a title in one clip."""
    times_s = np.arange(len(weights)) / FRAME_RATE_HZ
    if title in VOWELS:
        return weights[(middles_s(times_s, clip.phones, VOWELS[title]) * FRAME_RATE_HZ).round().astype(int)]
    lips: Lips = lips_of(weights, times_s, face)
    values, wanted = (lips.drop_mm, TEETH[title]) if title in TEETH else (lips.gap_mm, CLOSING[title])
    return weights[frames_of_smallest(values, times_s, clip.phones, wanted)]


def _caption(title: str, faces: np.ndarray, face: FaceBasis) -> str:
    if title in VOWELS:
        return f"{np.median(faces @ face.gap_mm):.1f} mm"
    if title in TEETH:
        return f"{(faces @ face.drop_mm <= TEETH_MM).mean():.0%}, {np.median(faces @ face.gap_mm):.1f} mm"
    return f"{(faces @ face.gap_mm <= CLOSED_MM).mean():.0%}"


def draw_mouths(faces: Mapping[str, Mapping[str, Mouth]], mesh: FaceMesh, path: Path) -> None:
    """Write the picture as a PNG: a row a model, a column a phone."""
    figure = Figure(figsize=(1.4 * len(SHOWN), 1.45 * len(faces)))
    axes = figure.subplots(len(faces), len(SHOWN), squeeze=False)
    figure.subplots_adjust(wspace=0.02, hspace=0.16)
    for row, (name, shown) in zip(axes, faces.items()):
        row[0].text(-0.05, 0.5, name, transform=row[0].transAxes, rotation=90, ha="right", va="center", fontsize=9)
        for axis, title in zip(row, SHOWN):
            axis.axis("off")
            if title in shown:
                draw_face(axis, mesh, shown[title].weights)
                axis.set(xlim=CROP_CM[0], ylim=CROP_CM[1])
                axis.text(0.5, -0.02, shown[title].caption, transform=axis.transAxes, ha="center", va="top", fontsize=8)
    for axis, title in zip(axes[0], SHOWN):
        axis.set_title(title, fontsize=12, pad=2)
    save(figure, path)


def main(model: str, beside: Sequence[str], out: Path) -> None:
    """Draw a model and those `beside` it (NAME=MODEL) into `out`.

    Raises:
        ValueError: the corpus has no voices whose phones are known.
    """
    others = named_models(beside)
    own = Path(model).stem if Path(model).stem not in others else MODEL
    models = {own: model, **others}
    faces = mouths({name: open_predictor(each) for name, each in models.items()})
    if not faces:
        raise ValueError("no mouths to show: the corpus has no voices.jsonl, or pocketsphinx is not installed")
    out.parent.mkdir(parents=True, exist_ok=True)
    draw_mouths(faces, load_face_mesh(corpus_folder()), out)

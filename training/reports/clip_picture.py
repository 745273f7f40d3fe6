"""One clip in one picture: spectrogram and phones, curves of recording and model, and faces at marked frames."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from PIL import Image

from dtalker_model.blendshapes import INDEX, indices
from dtalker_model.hearing.features import LogMel
from dtalker_model.rates import FRAME_RATE_HZ
from training.corpus.clips import Clip, load_audio
from training.corpus.face_basis import FaceBasis, squared_displacement_m2
from training.corpus.phones import phone_index
from training.evaluation.lips import BILABIALS, Phones, frames_of_smallest
from training.evaluation.metrics import Pair
from training.reports.face_picture import ERROR_COLOURS, MOST_ERROR_MM, FaceMesh, draw_face, error_mm

RECORDED, MODEL, FLOOR = "#1b1b1e", "#d1495b", "#8fa3ad"
COLOURS = 240
"""Pictures are stored with a palette, so that a report stays small."""

DPI = 100
SHOWN_S = 6.0
"""Of a longer clip, this much from where its speech begins."""

APART_S = 0.12
"""Marked frames are at least this far from one another."""

LEAST_TOP = 0.15
"""No curve is magnified further: weights that hardly move look as if they do."""

SHOWN_LEVELS = 10.0
"""Natural logarithms of mel power from the darkest to the brightest colour."""

CURVES = {
    "jawOpen": ["jawOpen"],
    "mouthFunnel + Pucker": ["mouthFunnel", "mouthPucker"],
    "mouthSmile, mean": ["mouthSmileLeft", "mouthSmileRight"],
    "browInnerUp": ["browInnerUp"],
}
"""Title and the coefficients of a curve; funnel and pucker are added, sides averaged."""


@dataclass(frozen=True)
class Shown:
    """What a picture shows.

    Attributes:
        clip, phones: the recording and what is said.
        model, floor: it beside the model's and the ridge map's prediction.
        start_s, end_s: the part of it.
    """

    clip: Clip
    phones: Phones
    model: Pair
    floor: Pair
    start_s: float
    end_s: float

    @property
    def inside(self) -> np.ndarray:
        """(N,) bool: recorded frames in the part shown."""
        return (self.model.times_s >= self.start_s) & (self.model.times_s <= self.end_s)


def shown_part(clip: Clip) -> tuple[float, float]:
    """First and last second to show: the clip without the silence around it, at most `SHOWN_S`."""
    level_db = LogMel().push(load_audio(clip)).level_db
    loud = np.flatnonzero(level_db > level_db.max() - 30) / FRAME_RATE_HZ
    start_s = max(float(loud[0]) - 0.25, 0.0)
    return start_s, min(float(loud[-1]) + 0.3, clip.seconds, start_s + SHOWN_S)


def marked_frames(shown: Shown, face: FaceBasis) -> dict[str, int]:
    """Frames worth a look, by title: lips closed, mouth open, lips rounded, and where the model is furthest off."""
    inside = np.flatnonzero(shown.inside)
    pair = shown.model[inside]
    gap_mm = face.lip_gap_mm(np.where(pair.observed, pair.recording, 0))
    rounded = pair.recording[:, indices("mouthFunnel", "mouthPucker")].sum(axis=1)
    title, closed = closed_frame(gap_mm, pair.times_s, shown.phones)
    found = {title: closed}
    scores = {
        "widest open": gap_mm,
        "most rounded": rounded,
        "largest lip error": squared_displacement_m2(pair.error, face.lips_cm).max(axis=1),
    }
    for name, score in scores.items():
        far = np.abs(pair.times_s[:, None] - pair.times_s[list(found.values())]).min(axis=1) >= APART_S
        found[name] = int(np.where(far, score, -np.inf).argmax())
    return {name: int(inside[k]) for name, k in found.items()}


def closed_frame(gap_mm: np.ndarray, times_s: np.ndarray, phones: Phones) -> tuple[str, int]:
    """Title and frame of the smallest gap at a bilabial, or while the mouth moves where no bilabial is known."""
    at = frames_of_smallest(gap_mm, times_s, phones, BILABIALS)
    if len(at):
        return "lips nearest at p, b or m", int(at[gap_mm[at].argmin()])
    wide = np.flatnonzero(gap_mm >= np.percentile(gap_mm, 60))
    return "lips nearest", int(wide[0] + gap_mm[wide[0] : wide[-1] + 1].argmin())


def draw_clip(shown: Shown, face: FaceBasis, mesh: FaceMesh, path: Path) -> None:
    """Write the picture of a clip as a PNG."""
    curves = {t: n for t, n in CURVES.items() if shown.model.observed[:, [INDEX[x] for x in n]].any()}
    figure = Figure(figsize=(9.2, 8.8 + 0.85 * len(curves)), dpi=DPI)
    rows = figure.add_gridspec(2, 1, height_ratios=[2.2 + 0.95 * len(curves), 6.8], hspace=0.17)
    heights = [1.5, 1.2, *[1] * len(curves)]
    axes = rows[0].subgridspec(len(heights), 1, height_ratios=heights, hspace=0.16).subplots(squeeze=False)[:, 0]
    marks = marked_frames(shown, face)
    _spectrogram(axes[0], shown)
    _curve(axes[1], shown, "lip gap, mm", *(_gap_mm(p, side, face) for p, side in _sides(shown)))
    for axis, (title, names) in zip(axes[2:], curves.items()):
        _curve(axis, shown, title, *(_curve_of(p, side, names) for p, side in _sides(shown)))
    for axis in axes:
        axis.set_xlim(shown.start_s, shown.end_s)
        for frame in marks.values():
            axis.axvline(shown.model.times_s[frame], color="#2a6f97", lw=0.8, ls=":")
    for letter, frame in zip("ABCD", marks.values()):
        axes[0].annotate(letter, (shown.model.times_s[frame], 1.02), xycoords=("data", "axes fraction"), ha="center")
    for axis in axes[:-1]:
        axis.tick_params(labelbottom=False)
    axes[-1].set_xlabel("seconds")
    _faces(
        figure, rows[1].subgridspec(4, 4, hspace=0.03, wspace=0.03, height_ratios=[1, 1, 1, 0.07]), shown, mesh, marks
    )
    title = f"{shown.clip.id}: {shown.clip.identity}, {shown.clip.emotion}"
    axes[0].set_title(title, loc="left", fontsize=11, pad=20, weight="bold")
    axes[0].legend(
        handles=axes[1].lines[:3],
        labels=["recording", "model", "ridge"],
        ncols=3,
        frameon=False,
        fontsize=9,
        loc="lower right",
        bbox_to_anchor=(1.0, 1.12),
    )
    save(figure, path)


def _sides(shown: Shown) -> list[tuple[Pair, str]]:
    return [(shown.model, "recording"), (shown.model, "prediction"), (shown.floor, "prediction")]


def _gap_mm(pair: Pair, side: str, face: FaceBasis) -> tuple[np.ndarray, np.ndarray]:
    return pair.times_s, face.lip_gap_mm(np.where(pair.observed, getattr(pair, side), 0))


def _curve_of(pair: Pair, side: str, names: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
    values = getattr(pair, side)[:, [INDEX[name] for name in names]]
    return pair.times_s, values.mean(axis=1) if "Left" in names[0] else values.sum(axis=1)


def _spectrogram(axis: Axes, shown: Shown) -> None:
    log_mel = LogMel().push(load_audio(shown.clip)).log_mel.reshape(-1, 64)
    top = float(np.percentile(log_mel, 99.5))
    extent = (0.0, len(log_mel) / (2 * FRAME_RATE_HZ), 0.0, 64.0)
    axis.imshow(
        log_mel.T,
        origin="lower",
        aspect="auto",
        extent=extent,
        cmap="magma",
        vmin=max(top - SHOWN_LEVELS, float(log_mel.min())),
        vmax=top,
    )
    axis.set(yticks=[], ylim=(-11 if shown.phones else 0, 64), ylabel="log-mel")
    axis.axhspan(-11, 0, color="#f4f1ec")
    for name, start, length in shown.phones:
        if shown.start_s <= start + length / 2 <= shown.end_s and phone_index(name) > 0:
            axis.axvline(start, 0, 11 / 75, color="#9a948c", lw=0.5)
            axis.text(start + length / 2, -5.5, name.rstrip("012"), ha="center", va="center", fontsize=6.5)


def _curve(axis: Axes, shown: Shown, title: str, *curves: tuple[np.ndarray, np.ndarray]) -> None:
    for (times_s, values), colour, width, above in zip(curves, (RECORDED, MODEL, FLOOR), (1.8, 1.6, 1.0), (2, 3, 1)):
        axis.plot(times_s, values, color=colour, lw=width, zorder=above)
    seen = np.concatenate([v[(t >= shown.start_s) & (t <= shown.end_s)] for t, v in curves])
    axis.set_ylim(min(0.0, float(seen.min())) - 0.02 * float(np.ptp(seen)), max(float(seen.max()) * 1.45, LEAST_TOP))
    axis.text(0.006, 0.93, title, transform=axis.transAxes, va="top", fontsize=8.5, weight="bold")
    axis.tick_params(labelsize=7)
    axis.spines[["top", "right"]].set_visible(False)


def _faces(figure: Figure, grid: Any, shown: Shown, mesh: FaceMesh, marks: dict[str, int]) -> None:
    axes = np.array([[figure.add_subplot(grid[row, column]) for column in range(4)] for row in range(3)])
    for column, (letter, (title, frame)) in enumerate(zip("ABCD", marks.items())):
        recorded, predicted = shown.model.recording[frame], shown.model.completed[frame]
        draw_face(axes[0, column], mesh, recorded)
        draw_face(axes[1, column], mesh, predicted)
        draw_face(axes[2, column], mesh, predicted, error_mm(mesh, recorded, predicted))
        axes[0, column].set_title(f"{letter}: {title}", fontsize=9)
    for row, name in enumerate(("recording", "model", "error")):
        axes[row, 0].text(-0.04, 0.5, name, transform=axes[row, 0].transAxes, rotation=90, ha="right", va="center")
    scale = matplotlib.cm.ScalarMappable(matplotlib.colors.Normalize(0, MOST_ERROR_MM), ERROR_COLOURS)
    bar = figure.colorbar(scale, cax=figure.add_subplot(grid[3, 1:3]), orientation="horizontal")
    bar.set_label("distance of each vertex from the recorded one, mm", fontsize=8)
    bar.ax.tick_params(labelsize=7)


def save(figure: Figure, path: Path) -> None:
    """Write a figure as a PNG with a palette of `COLOURS` colours."""
    drawn = io.BytesIO()
    figure.savefig(drawn, dpi=DPI, bbox_inches="tight", facecolor="white")
    Image.open(drawn).convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE).save(path, optimize=True)

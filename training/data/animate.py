"""Labelled synthetic motion for clips that have phones and no face: `training.corpus.coarticulation` moves the mouth.

It is marked: ``motion_kind`` begins with "synthetic", which `training.corpus.clips.is_synthetic` asks for. Blendshapes
that are not generated are not observed: the upper face, but for emotions that nobody recorded while speaking, whose
upper face is acted (`training.corpus.takes`) or posed (`training.corpus.posed`). Clips that validate or test are left
alone.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from tqdm import tqdm

from dtalker_model.rates import FRAME_RATE_HZ, SAMPLE_RATE_HZ
from training.corpus.clips import Clip, is_synthetic, load_audio, read_manifest
from training.corpus.coarticulation import Visemes, curves, load
from training.corpus.posed import ACTION_UNITS, POSED
from training.corpus.takes import Snippets, read_snippets, upper_face
from training.data.importing import Report, write_motion
from training.data.manifest import Row, manifest_path, read_rows, write_rows
from training.data.source import Track


@dataclass(frozen=True)
class Animation:
    """How clips are animated.

    Attributes:
        visemes: a file that ``data visemes`` made.
        again: make synthetic motion that is there anew; measured motion is never touched.
        emotions: of `ACTION_UNITS`; each neutral clip is copied into each, its mouth as it is and its upper face posed.
        takes: folder of silent takes that give these copies' upper face where they can.
    """

    visemes: Path
    again: bool = False
    emotions: tuple[str, ...] = ()
    takes: Path | None = None


def animate_manifest(target: Path, animation: Animation) -> Report:
    """Give synthetic motion to the training clips of a corpus that have phones and none.

    Args:
        target: a manifest or its folder.

    Raises:
        FileNotFoundError, ValueError: no manifest, no training clip with phones, no visemes, no such emotion, no take.
    """
    manifest = manifest_path(target)
    if unknown := sorted(set(animation.emotions) - set(ACTION_UNITS)):
        raise ValueError(f"no posed emotion {', '.join(unknown)}; there are {', '.join(ACTION_UNITS)}")
    model, snippets = load(animation.visemes), read_snippets(animation.takes) if animation.takes else {}
    rows = {row["id"]: row for row in read_rows(manifest)}
    clips = [c for c in read_manifest(manifest.parent, "train") if c.phones]
    if not clips:
        raise ValueError(f"{manifest} has no training clip with phones: align it first")
    wanted = [copy for clip in clips for copy in (clip, *_copies(clip, rows, animation.emotions))]
    report = Report("animated")
    try:
        for clip in tqdm(wanted, "animate"):
            _animate(clip, rows, model, snippets, animation.again, report)
    finally:
        write_rows(manifest, list(rows.values()))
    return report


def _copies(clip: Clip, rows: dict[str, Row], emotions: tuple[str, ...]) -> list[Clip]:
    """Copies that are not there yet; those that are there are clips of the manifest themselves."""
    if clip.emotion != "neutral" or (clip.motion and not is_synthetic(clip)):
        return []
    copies = [replace(clip, id=f"{clip.id}_{emotion}", emotion=emotion, motion=None) for emotion in emotions]
    return [copy for copy in copies if copy.id not in rows]


def _animate(clip: Clip, rows: dict[str, Row], model: Visemes, snippets: Snippets, again: bool, report: Report) -> None:
    if clip.motion and not (again and is_synthetic(clip)):
        report.kept += 1
        return
    try:
        track = synthetic_track(clip, model)
    except ValueError as why:
        report.refused.append(f"{clip.id}: {why}")
        return
    how, licence = f"dominance functions (Cohen and Massaro 1993) fitted to {', '.join(model.sources)}", model.licence
    if clip.emotion in ACTION_UNITS:
        track, taken = expressive(track, clip, snippets)
        how += ", upper face of silent takes" if taken else ", upper face posed (EMFACS)"
        licence += "; upper face: that of the takes" if taken else ""
    row = rows.get(clip.id) or rows[clip.id.removesuffix(f"_{clip.emotion}")] | {"id": clip.id, "emotion": clip.emotion}
    path = Path(clip.audio).with_name(f"{clip.id}.npz").as_posix()
    moved = write_motion(track, path, f"synthetic: {how}", clip.folder)
    rows[clip.id] = row | moved | {"motion_licence": licence}
    report.done += 1


def synthetic_track(clip: Clip, model: Visemes) -> Track:
    """Motion at 50 frames a second for the whole clip. Raises ValueError where its phones cannot be moved to."""
    frames = max(2, round(len(load_audio(clip)) / SAMPLE_RATE_HZ * FRAME_RATE_HZ))
    observed = np.zeros(52, bool)
    observed[model.coefficients] = True
    return Track(curves(model, clip.phones, np.arange(frames) / FRAME_RATE_HZ), observed, float(FRAME_RATE_HZ))


def expressive(track: Track, clip: Clip, snippets: Snippets) -> tuple[Track, bool]:
    """The track with upper face and mouth corners of the clip's emotion; whether the upper face is that of a take."""
    draw = np.random.default_rng(zlib.crc32(clip.id.encode()))
    face, taken = upper_face(clip.emotion, len(track.weights), snippets, draw)
    weights, observed = track.weights.copy(), track.observed.copy()
    weights[:, POSED], observed[POSED] = face[:, POSED], True
    return replace(track, weights=weights, observed=observed), taken

"""Labelled synthetic motion for clips that have phones and no face: `training.coarticulation` moves the mouth.

It is marked twice: ``motion_kind`` begins with "synthetic", which `training.corpus.is_synthetic` asks for, and every
blendshape that the visemes do not know (the upper face) is not observed.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from tqdm import tqdm

from dtalker_model.rates import FRAME_RATE_HZ, SAMPLE_RATE_HZ
from training.coarticulation import Visemes, curves, load
from training.corpus import SYNTHETIC, Clip, load_audio, read_manifest
from training.data.importing import Report, write_motion
from training.data.manifest import Row, manifest_path, read_rows, write_rows
from training.data.source import Track


def animate_manifest(target: Path, visemes: Path, again: bool = False) -> Report:
    """Give synthetic motion to the clips of a corpus that have phones and none; clips with motion are kept.

    Args:
        target: a manifest or its folder.
        visemes: a file that ``data visemes`` made.
        again: make the synthetic motion that is there anew; measured motion is never touched.

    Raises:
        FileNotFoundError, ValueError: no manifest, no clip with phones, or no visemes.
    """
    manifest = manifest_path(target)
    model = load(visemes)
    rows = {row["id"]: row for row in read_rows(manifest)}
    clips = [c for c in read_manifest(manifest.parent) if c.phones]
    if not clips:
        raise ValueError(f"{manifest} has no clip with phones: align it first")
    report = Report("animated")
    try:
        for clip in tqdm(clips, "animate"):
            _animate(clip, rows[clip.id], model, again, report)
    finally:
        write_rows(manifest, list(rows.values()))
    return report


def _animate(clip: Clip, row: Row, model: Visemes, again: bool, report: Report) -> None:
    if clip.motion and not (again and clip.motion_kind.startswith(SYNTHETIC)):
        report.kept += 1
        return
    try:
        track = synthetic_track(clip, model)
    except ValueError as why:
        report.refused.append(f"{clip.id}: {why}")
        return
    kind = f"{SYNTHETIC}: dominance functions (Cohen and Massaro 1993) fitted to {', '.join(model.sources)}"
    row |= write_motion(track, str(Path(clip.audio).with_suffix(".npz").as_posix()), kind, clip.folder)
    row["motion_licence"] = model.licence
    report.done += 1


def synthetic_track(clip: Clip, model: Visemes) -> Track:
    """Motion at 50 frames a second for the whole clip. Raises ValueError where its phones cannot be moved to."""
    frames = max(2, round(len(load_audio(clip)) / SAMPLE_RATE_HZ * FRAME_RATE_HZ))
    observed = np.zeros(52, bool)
    observed[model.coefficients] = True
    return Track(curves(model, clip.phones, np.arange(frames) / FRAME_RATE_HZ), observed, float(FRAME_RATE_HZ))

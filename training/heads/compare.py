"""Recorded heads beside those that a head model makes of the same voices."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from dtalker_model.gesture.glance import Glance
from dtalker_model.gesture.head_model import HeadModel
from dtalker_model.gesture.sway import Sway
from dtalker_model.rates import FRAME_RATE_HZ
from training.corpus.clips import load_audio
from training.heads.figures import TURN_NAMES, Heads, band_levels_db, figures, ranges_rad
from training.heads.looks import measure_looks
from training.heads.motion import HeadTrack, loudness
from training.listening.voice_pitch import VOICED, track_pitch

SEEDS = 4
"""Heads that are made of each voice: their figures are means over them."""


def sway_through(model: HeadModel, tracks: Sequence[HeadTrack], seed: int) -> list[np.ndarray]:
    """Turns (n, 3) that the model makes of the clips' voices, one stream of all of them, cut as they were recorded."""
    sway, random = Sway(model), np.random.default_rng(seed)

    def draw(count: int) -> np.ndarray:
        return random.standard_normal((count, 3), np.float32)

    made = []
    for track in tracks:
        heard = zip(track.level_db.tolist(), track.speaking.tolist())
        turns = np.array([sway.step(draw, *now, idle=True) for now in heard])
        made.append(turns[slice(*track.frames)])
    return made


def glance_through(model: HeadModel, tracks: Sequence[HeadTrack], seed: int) -> list[np.ndarray]:
    """Where the eyes aim (n, 2) while they do what the model says, in one stream of all clips, cut as recorded."""
    glance = Glance(model, seed)
    return [np.array([glance.step(s) for s in t.speaking.tolist()])[slice(*t.frames)] for t in tracks]


def recorded(tracks: Sequence[HeadTrack]) -> Heads:
    """The heads of the recordings, at their own times."""
    heard = [_at_own_times(t, track_octaves(t)) for t in tracks]
    return Heads([t.turns for t in tracks], [h[0] for h in heard], [h[1] for h in heard], tracks[0].clip.fps)


def made(model: HeadModel, tracks: Sequence[HeadTrack], seed: int, octaves: Sequence[np.ndarray]) -> Heads:
    """The heads that the model makes of the same voices; `octaves` of each clip's frames, of `track_octaves`."""
    parts = [slice(*t.frames) for t in tracks]
    loud = [loudness(t.level_db, t.speaking)[part] for t, part in zip(tracks, parts)]
    return Heads(sway_through(model, tracks, seed), loud, [o[p] for o, p in zip(octaves, parts)], FRAME_RATE_HZ)


def track_octaves(track: HeadTrack) -> np.ndarray:
    """log2 of the voice's pitch (F,) of each frame of the clip, NaN where there is none."""
    pitch = track_pitch(load_audio(track.clip))
    octaves = np.where(pitch.strength >= VOICED, pitch.octaves, np.nan)
    frames = len(track.level_db)
    return np.pad(octaves[:frames], (0, max(0, frames - len(octaves))), constant_values=np.nan)


def compare(model: HeadModel, tracks: Sequence[HeadTrack], all_tracks: Sequence[HeadTrack]) -> dict[str, Any]:
    """Figures of the recordings `tracks` and of the model on their voices, and how far it is from either set of heads.

    `all_tracks` are those of all actors: two people say little about how people move.
    """
    octaves = [track_octaves(t) for t in tracks]
    heads = [made(model, tracks, seed, octaves) for seed in range(SEEDS)]
    levels = np.mean([band_levels_db(h.turns, h.fps) for h in heads], axis=0)
    ranges = np.mean([ranges_rad(h.turns) for h in heads], axis=0)
    return {
        "recorded": figures(recorded(tracks)) | {"looks": _looks_recorded(tracks)},
        "made": _mean([figures(h) for h in heads]) | {"looks": _looks_made(model, tracks)},
        "difference": {
            name: {
                "spectrum_db": dict(zip(TURN_NAMES, np.abs(levels - _levels(them)).max(axis=0).round(2).tolist())),
                "range": dict(zip(TURN_NAMES, (ranges / ranges_rad([t.turns for t in them])).round(3).tolist())),
            }
            for name, them in (("these actors", tracks), ("all actors", all_tracks))
        },
    }


def _levels(tracks: Sequence[HeadTrack]) -> np.ndarray:
    return band_levels_db([t.turns for t in tracks], tracks[0].clip.fps)


def _looks_recorded(tracks: Sequence[HeadTrack]) -> dict[str, Any]:
    return vars(measure_looks([t.aim for t in tracks], [t.seen for t in tracks], tracks[0].clip.fps))


def _looks_made(model: HeadModel, tracks: Sequence[HeadTrack]) -> dict[str, Any]:
    aims = glance_through(model, tracks, 0)
    return vars(measure_looks(aims, [np.ones(len(a), bool) for a in aims], FRAME_RATE_HZ))


def _at_own_times(track: HeadTrack, octaves: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Loudness and octaves (N,) at the recording's own times: those of the frame that is shown then."""
    shown = np.clip(np.rint(track.times_s * FRAME_RATE_HZ).astype(int), 0, len(octaves) - 1)
    return loudness(track.level_db, track.speaking)[shown], octaves[shown]


def _mean(rows: Sequence[Any]) -> Any:
    """The mean of figures of the same form."""
    if isinstance(rows[0], dict):
        return {key: _mean([row[key] for row in rows]) for key in rows[0]}
    if isinstance(rows[0], list):
        return [_mean(list(values)) for values in zip(*rows)]
    return round(float(np.mean(rows)), 3)

"""Fit the way a head moves: ``python -m training head OUT.head.json``. Less than a minute on one core."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from dtalker_model.gesture.glance import SHORTEST_S
from dtalker_model.gesture.head_model import HeadModel, to_dict
from dtalker_model.rates import FRAME_RATE_HZ
from training.corpus.clips import corpus_folder
from training.heads.compare import compare, sway_through
from training.heads.figures import spectral_densities
from training.heads.fit import answered, causal_filter, circle_spectrum, fit_response, symmetric
from training.heads.looks import measure_looks
from training.heads.motion import HeadTrack, read_head_tracks
from training.loop.commit import current_commit

BANDWIDTH_HZ = 12.0
"""Recordings of 30 frames a second are believed up to here."""
STEP_HZ = 0.1
SPEAKS, SILENT = 0.9, 0.1
LICENCE = "CC BY-NC-SA 4.0"


@dataclass(frozen=True)
class HeadTraining:
    """Settings of the fit.

    Attributes:
        noise_taps: length of the noise's filter in frames of 20 ms.
        penalty: of the response's squares; so many frames of full loudness weigh as much.
        rounds: corrections of the spectrum by what comes out when it is measured as the recordings are.
        seed: of the noise in these corrections.
    """

    noise_taps: int = 200
    penalty: float = 10.0
    rounds: int = 4
    seed: int = 0


def run(settings: HeadTraining, out: Path) -> None:
    """Fit on the training actors and write `out`, with what it came from."""
    tracks, held_back = (read_head_tracks(corpus_folder(), split) for split in ("train", "val"))
    model = fit(settings, tracks)
    figures = compare(model, held_back, [*tracks, *held_back])
    model = replace(model, card=card(settings, tracks) | {"figures": figures})
    out.write_text(json.dumps(to_dict(model)) + "\n", encoding="utf-8")
    print(f"{out}: {sum(len(t.turns) for t in tracks)} frames of {len(tracks)} clips")


def card(settings: HeadTraining, tracks: Sequence[HeadTrack]) -> dict[str, Any]:
    """What the file says of itself besides its numbers."""
    clips: dict[str, int] = {}
    for track in tracks:
        clips[track.clip.source] = clips.get(track.clip.source, 0) + 1
    return {
        "description": "How a head moves with speech: coloured noise, a response to loudness, looks. Not a network.",
        "licence": LICENCE,
        "training_data": {"corpora": clips, "people": sorted({t.clip.identity for t in tracks})},
        "seed": settings.seed,
        "config": asdict(settings),
        "commit": current_commit(),
    }


def fit(settings: HeadTraining, tracks: Sequence[HeadTrack]) -> HeadModel:
    """The model of these heads."""
    response = fit_response(tracks, settings.penalty)
    looks = measure_looks([t.aim for t in tracks], [t.seen for t in tracks], tracks[0].clip.fps)
    model = HeadModel(
        noise=np.zeros((1, 3, 3), np.float32),
        response=response.astype(np.float32),
        calm=round(calmness(tracks, [t.on_frame_clock(t.turns) for t in tracks]), 3),
        contact_s=round(max(looks.contact_s, SHORTEST_S), 3),
        averted_s=round(max(looks.averted_s, SHORTEST_S), 3),
        aversion=round(looks.aversion, 3),
        near_rad=(round(looks.near_rad[0], 4), round(looks.near_rad[1], 4)),
        far_rad=(round(looks.far_rad[0], 4), round(looks.far_rad[1], 4)),
        steady=steadiness(tracks),
    )
    return colour(settings, tracks, model)


def colour(settings: HeadTraining, tracks: Sequence[HeadTrack], model: HeadModel) -> HeadModel:
    """`model` with noise so coloured, and so calm in silence, that its heads, measured as the recordings are, have the
    recordings' spectrum and their calm.
    """
    calm = calmness(tracks, [t.on_frame_clock(t.turns) for t in tracks])
    hz = np.arange(STEP_HZ, BANDWIDTH_HZ, STEP_HZ)
    wanted = symmetric(spectral_densities([t.turns for t in tracks], tracks[0].clip.fps, hz))
    rest = [t.on_frame_clock(t.turns) - answered(t, model.response)[slice(*t.frames)] for t in tracks]
    density = symmetric(spectral_densities(rest, FRAME_RATE_HZ, hz))
    for _ in range(settings.rounds):
        noise = causal_filter(circle_spectrum(density, hz), settings.noise_taps)
        model = replace(model, noise=noise.astype(np.float32))
        heads = sway_through(model, tracks, settings.seed)
        model = replace(model, calm=round(float(np.clip(model.calm * calm / calmness(tracks, heads), 0.1, 1)), 3))
        made = spectral_densities(heads, FRAME_RATE_HZ, hz)
        ratio = np.sqrt(_smooth(np.einsum("fii->fi", wanted).real) / _smooth(np.einsum("fii->fi", made).real))
        density = density * ratio[:, :, None] * ratio[:, None, :]
    return model


def calmness(tracks: Sequence[HeadTrack], turns: Sequence[np.ndarray]) -> float:
    """How fast heads turn in silence, compared with speech: root mean square, all turns alike; turns (n, 3) of each."""
    speeds: dict[bool, list[np.ndarray]] = {True: [], False: []}
    for track, turned in zip(tracks, turns):
        speed = np.gradient(turned, axis=0)
        gate = track.speaking[slice(*track.frames)]
        for speaks, where in ((True, gate > SPEAKS), (False, gate < SILENT)):
            speeds[speaks].append(speed[where])
    speech, silence = (np.square(np.concatenate(speeds[k])).mean(axis=0) for k in (True, False))
    return float(np.exp(np.log(silence / speech).mean() / 2))


def steadiness(tracks: Sequence[HeadTrack]) -> tuple[float, float]:
    """The part of yaw and of pitch that the eyes turn against, by least squares."""
    seen = [t for t in tracks if t.seen.any()]
    turns = np.concatenate([t.turns[t.seen, :2] - t.turns[t.seen, :2].mean(axis=0) for t in seen])
    eyes = np.concatenate([t.eyes[t.seen] - t.eyes[t.seen].mean(axis=0) for t in seen])
    side, height = (-(turns * eyes).sum(axis=0) / np.square(turns).sum(axis=0)).clip(0, 1)
    return round(float(side), 3), round(float(height), 3)


def _smooth(power: np.ndarray) -> np.ndarray:
    """Power (F, n) averaged over 0.5 Hz: what one draw of noise has by chance is not corrected."""
    kernel = np.ones(5) / 5
    padded = np.pad(power, ((2, 2), (0, 0)), mode="edge")
    return np.stack([np.convolve(column, kernel, mode="valid") for column in padded.T], axis=1)

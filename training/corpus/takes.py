"""Upper faces of acted emotions from silent takes, for emotions that nobody recorded while speaking.

The takes (``emotion_takes/*.npz``: weights (T, 52), fps, emotions) carry coarse labels, so a frame counts for a label
only where it also looks like that emotion: where the upper face points the way of EMFACS' action units
(`training.corpus.posed`). Of our ten takes that leaves 23 s of fear, 33 s of anger and 62 s of disgust, at 0.6 to 0.8
of the strength that `training.corpus.posed` gives them; none of surprise or calm, which stay posed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from dtalker_model.blendshapes import UPPER_FACE
from dtalker_model.rates import FRAME_RATE_HZ
from training.corpus.posed import POSED, expression

LABELS = {"Angry": "angry", "Disgusted": "disgust", "Fearful": "fearful", "Surprised": "surprised", "Calm": "calm"}
UPPER = [i for i in POSED if i in UPPER_FACE]
"""Brows, lids, upper cheeks and nose; blinks and gaze belong to nobody's speech."""
LEAST_COSINE, LEAST_NORM = 0.75, 0.3
LONGEST_LAPSE_S, SHORTEST_S = 0.2, 1.0

Snippets = Mapping[str, Sequence[np.ndarray]]
"""By emotion, stretches (T, len(UPPER)) float32 at 50 frames a second."""


def read_snippets(folder: Path) -> dict[str, list[np.ndarray]]:
    """The stretches of a second or more in which the takes of `folder` look like their label.

    Raises:
        FileNotFoundError: no take there.
    """
    takes = sorted(folder.glob("*.npz"))
    if not takes:
        raise FileNotFoundError(f"no take (.npz) in {folder}")
    found: dict[str, list[np.ndarray]] = {}
    for path in takes:
        with np.load(path) as take:
            weights, fps = take["weights"].astype(np.float32)[:, UPPER], float(take["fps"])
            emotions = [LABELS[label] for label in take["emotions"].tolist() if label in LABELS]
        for emotion in emotions:
            for begin, end in stretches(looks_like(weights, emotion), fps):
                found.setdefault(emotion, []).append(_at_frame_rate(weights[begin:end], fps))
    return found


def looks_like(upper: np.ndarray, emotion: str) -> np.ndarray:
    """Frames (T, len(UPPER)) whose expression points the way of EMFACS' action units, (T,) bool."""
    pose = expression(emotion)[UPPER]
    norm = np.linalg.norm(upper, axis=1)
    cosine = upper @ pose / np.maximum(norm * np.linalg.norm(pose), 1e-6)
    return (cosine >= LEAST_COSINE) & (norm >= LEAST_NORM)


def stretches(good: np.ndarray, fps: float) -> list[tuple[int, int]]:
    """Begin and end (exclusive) of runs of `good` (T,) of a second or more, lapses of up to 0.2 s bridged."""
    rows = np.flatnonzero(good)
    if not len(rows):
        return []
    breaks = np.flatnonzero(np.diff(rows) > LONGEST_LAPSE_S * fps + 1)
    begins, ends = rows[np.r_[0, breaks + 1]], rows[np.r_[breaks, len(rows) - 1]] + 1
    return [(int(b), int(e)) for b, e in zip(begins, ends) if e - b >= SHORTEST_S * fps]


def _at_frame_rate(weights: np.ndarray, fps: float) -> np.ndarray:
    times_s = np.arange(len(weights)) / fps
    grid_s = np.arange(int(times_s[-1] * FRAME_RATE_HZ) + 1) / FRAME_RATE_HZ
    return np.stack([np.interp(grid_s, times_s, column) for column in weights.T], axis=1).astype(np.float32)


def upper_face(emotion: str, frames: int, snippets: Snippets, draw: np.random.Generator) -> tuple[np.ndarray, bool]:
    """A face (frames, 52) float32 of an emotion, blendshapes outside `POSED` zero, and whether it is that of a take.

    The upper face moves as in a random stretch of the takes, played to and fro, where there is one; else it is the
    still pose of EMFACS, as are the mouth corners always.
    """
    face = np.tile(expression(emotion), (frames, 1))
    if not snippets.get(emotion):
        return face, False
    snippet = snippets[emotion][int(draw.integers(len(snippets[emotion])))]
    last = len(snippet) - 1
    position = (np.arange(frames) + draw.integers(2 * last)) % (2 * last)
    face[:, UPPER] = snippet[last - np.abs(position - last)].clip(0, 1)
    return face, True

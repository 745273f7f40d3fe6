"""The corpus: clips, their audio, and their motion on the frame clock.

The format is that of ``corpus/README.md``: a JSON object a clip in ``manifest.jsonl``, FLAC audio, ``.npz`` motion; and
voices without motion in ``voices.jsonl``, Ogg Opus.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from dtalker_model.rates import FRAME_RATE_HZ, FRAME_SAMPLES, SAMPLE_RATE_HZ

EMOTIONS = ("neutral", "calm", "happy", "sad", "angry", "fearful", "disgust", "surprised")
MIN_CONFIDENCE = 0.8
"""Tracked frames below this confidence are masked."""
MANIFEST, VOICES_MANIFEST = "manifest.jsonl", "voices.jsonl"
VOICES = "voices"
"""Source of the clips of the second: heard by those who ask for them."""
SYNTHETIC = "synthetic"
"""`motion_kind` of motion that no face made begins with this word."""


def corpus_folder() -> Path:
    """``$DTALKER_CORPUS``, or ``../shared/corpus`` beside the checkout."""
    folder = Path(os.environ.get("DTALKER_CORPUS", Path(__file__).parents[3] / "shared" / "corpus"))
    if not (folder / "manifest.jsonl").is_file():
        raise FileNotFoundError(f"no corpus at {folder}: set DTALKER_CORPUS to the folder that holds manifest.jsonl")
    return folder


@dataclass(frozen=True)
class Clip:
    """One recording. `audio` and `motion` are paths relative to `folder`; times are seconds on the audio's clock.

    `age` is in years, None where it is not known.
    """

    folder: Path
    id: str
    source: str
    split: str
    identity: str
    emotion: str
    audio: str
    seconds: float
    licence: str
    intensity: str = "normal"
    text: str = ""
    phones: tuple[tuple[str, float, float], ...] = ()
    motion: str | None = None
    motion_kind: str = ""
    fps: float = 0.0
    motion_start_s: float = 0.0
    age: float | None = None

    @property
    def frames(self) -> int:
        """Frames of 20 ms that the audio fills."""
        return -(-round(self.seconds * SAMPLE_RATE_HZ) // FRAME_SAMPLES)


@dataclass(frozen=True)
class Motion:
    """Blendshapes as recorded: weights (N, 52) 0..1, observed (N, 52) bool, and the time of each row in seconds."""

    weights: np.ndarray
    observed: np.ndarray
    times_s: np.ndarray


def read_manifest(
    folder: Path, split: str | None = None, source: str | None = None, voices: bool = False
) -> list[Clip]:
    """Clips of the corpus, in the manifest's order, of one split and one source where given.

    Args:
        voices: whether those of ``voices.jsonl`` come too, behind the others, where the corpus has it; the source
            `VOICES` asks for them as well.
    """
    known = {f.name for f in fields(Clip)} - {"folder"}
    rows = _rows(folder / MANIFEST)
    if (voices or source == VOICES) and (folder / VOICES_MANIFEST).is_file():
        rows += _rows(folder / VOICES_MANIFEST)
    clips = [_clip(folder, {k: v for k, v in row.items() if k in known}) for row in rows]
    return [c for c in clips if split in (None, c.split) and source in (None, c.source)]


def _rows(manifest: Path) -> list[dict[str, Any]]:
    with open(manifest, encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def _clip(folder: Path, row: dict[str, Any]) -> Clip:
    row["phones"] = tuple(tuple(p) for p in row.get("phones") or ())
    return Clip(folder=folder, **row)


def with_phones(clips: Sequence[Clip], alignment: Path) -> list[Clip]:
    """The clips with phones from ``python -m training data align --out`` where that file has them."""
    with open(alignment, encoding="utf-8") as lines:
        phones = {row["id"]: tuple(tuple(p) for p in row["phones"]) for row in map(json.loads, lines)}
    return [replace(clip, phones=phones[clip.id]) if phones.get(clip.id) else clip for clip in clips]


def is_synthetic(clip: Clip) -> bool:
    """Whether the clip's motion was generated. It may teach; it must never count in a score."""
    return clip.motion is not None and clip.motion_kind.startswith(SYNTHETIC)


def generic_name(clip: Clip) -> str:
    """The entry that stands for an unknown speaker of a source: ``ravdess`` for its speech and songs."""
    return clip.source.split("_")[0] if clip.source.startswith("ravdess") else clip.identity


def load_audio(clip: Clip) -> np.ndarray:
    """Mono float32 at 16 kHz."""
    audio, rate_hz = soundfile.read(clip.folder / clip.audio, dtype="float32")
    if rate_hz != SAMPLE_RATE_HZ or audio.ndim != 1:
        raise ValueError(
            f"{clip.audio}: corpus audio is mono at {SAMPLE_RATE_HZ} Hz; found {rate_hz} Hz, shape {audio.shape}"
        )
    return audio


def load_motion(clip: Clip) -> Motion:
    """The clip's motion as recorded, at its own frame rate."""
    assert clip.motion is not None, f"{clip.id} has no motion"
    with np.load(clip.folder / clip.motion) as npz:
        weights = npz["weights"].astype(np.float32)
        observed = np.broadcast_to(npz["observed"], weights.shape).copy()
        if "confidence" in npz:
            observed &= (npz["confidence"] >= MIN_CONFIDENCE)[:, None]
    return Motion(weights, observed, clip.motion_start_s + np.arange(len(weights)) / clip.fps)


def on_frame_clock(motion: Motion, frames: int, speed: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
    """Motion resampled to frames i / 50 s of audio that plays `speed` times faster than recorded.

    Returns:
        weights (frames, 52) float32 and observed (frames, 52) bool; False outside the recording.
    """
    position = (np.arange(frames) / FRAME_RATE_HZ * speed - motion.times_s[0]) / (motion.times_s[1] - motion.times_s[0])
    left = np.clip(np.floor(position).astype(int), 0, len(motion.weights) - 2)
    mix = np.clip(position - left, 0.0, 1.0)[:, None].astype(np.float32)
    weights = motion.weights[left] * (1 - mix) + motion.weights[left + 1] * mix
    inside = (position >= 0) & (position <= len(motion.weights) - 1)
    return weights, motion.observed[left] & motion.observed[left + 1] & inside[:, None]


def at_recording_times(prediction: np.ndarray, motion: Motion) -> tuple[np.ndarray, np.ndarray]:
    """Predicted frames (T, 52) at 50 Hz, read at the recording's own frame times.

    Returns:
        prediction (N, 52) linearly interpolated, and keep (N,) bool: False where the prediction does not reach.
    """
    position = motion.times_s * FRAME_RATE_HZ
    left = np.clip(np.floor(position).astype(int), 0, len(prediction) - 2)
    mix = np.clip(position - left, 0.0, 1.0)[:, None].astype(np.float32)
    keep = (position >= 0) & (position <= len(prediction) - 1)
    return prediction[left] * (1 - mix) + prediction[left + 1] * mix, keep

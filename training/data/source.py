"""What an adapter hands over: candidates for the corpus, and the recording behind each, read only when its turn comes.

An adapter is a function ``(folder, Options) -> list[Candidate]`` that knows the file layout of one data set. It raises
`ValueError` where the folder is not that data set; a single clip that cannot be used raises `Refusal` when it is read.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile

from dtalker_model.blendshapes import ARKIT_NAMES
from training.corpus.clips import EMOTIONS

VALIDATION_SHARE = 0.1
"""Share of speakers that validate where neither the data set nor the user names them."""


class Refusal(ValueError):
    """One clip cannot be used; the message is one line that says why."""


@dataclass(frozen=True)
class Options:
    """What the user says about the data.

    Attributes:
        val: identities that validate; empty for the data set's own split, or else a hash of the name.
        identity, emotion: of recordings whose files do not tell; `identity` empty for the folder's name.
        licence: of the user's own recordings.
        start_s: time of the first motion frame on the audio's clock, in seconds.
        fps: frame rate of motion whose file does not tell; 0 if unknown.
        basis: npz of a linear face on the vertices of VOCASET; None for the corpus's own face at 68 landmarks.
    """

    val: tuple[str, ...] = ()
    identity: str = ""
    emotion: str = "neutral"
    licence: str = "own recording"
    start_s: float = 0.0
    fps: float = 0.0
    basis: Path | None = None

    def __post_init__(self) -> None:
        if self.emotion not in EMOTIONS:
            raise ValueError(f"no emotion {self.emotion!r}; there are {', '.join(EMOTIONS)}")


@dataclass(frozen=True)
class Track:
    """Motion as recorded.

    Attributes:
        weights: (T, 52), meant to be 0..1. observed: (52,) bool. fps: frames a second.
        start_s: time of frame 0 on the audio's clock. confidence: (T,) 0..1 where single frames are missing, else None.
    """

    weights: np.ndarray
    observed: np.ndarray
    fps: float
    start_s: float = 0.0
    confidence: np.ndarray | None = None


@dataclass(frozen=True)
class Recording:
    """Audio (samples,) or (samples, channels) float32 in -1..1, and what was recorded or written beside it."""

    audio: np.ndarray
    rate_hz: int
    track: Track | None = None
    text: str = ""
    phones: tuple[tuple[str, float, float], ...] = ()


@dataclass(frozen=True)
class Candidate:
    """A clip that an adapter found. `split` is the data set's own, or empty; `read` may raise `Refusal`."""

    id: str
    identity: str
    emotion: str
    licence: str
    motion_kind: str
    read: Callable[[], Recording]
    intensity: str = "normal"
    split: str = ""


Adapter = Callable[[Path, Options], list[Candidate]]


def split_of(candidate: Candidate, val: tuple[str, ...]) -> str:
    """``train``, ``val`` or ``test``, one for all clips of a speaker: as the user says, as published, or by a hash."""
    if val:
        return "val" if candidate.identity in val else ("test" if candidate.split == "test" else "train")
    if candidate.split:
        return candidate.split
    digest = hashlib.sha256(candidate.identity.encode()).digest()
    return "val" if digest[0] < VALIDATION_SHARE * 256 else "train"


def read_sound(path: Path) -> tuple[np.ndarray, int]:
    """Samples (samples, channels) float32 and rate in Hz of a sound file; `Refusal` where it cannot be read."""
    try:
        return soundfile.read(path, dtype="float32", always_2d=True)
    except (OSError, soundfile.LibsndfileError) as error:
        raise Refusal(f"{path.name} is no readable sound file: {str(error).splitlines()[0]}") from None


def by_name(columns: np.ndarray, names: list[str]) -> tuple[np.ndarray, np.ndarray]:
    """Weights (T, K) under `names`, in any order and case, as (T, 52) in ARKit order, and observed (52,) bool."""
    place = {name.lower(): i for i, name in enumerate(ARKIT_NAMES)}
    weights, observed = np.zeros((len(columns), 52), np.float32), np.zeros(52, bool)
    for k, name in enumerate(names):
        if (i := place.get(name.strip().lower())) is not None:
            weights[:, i], observed[i] = columns[:, k], True
    if not observed.any():
        raise Refusal(f"none of the {len(names)} columns is an ARKit blendshape (first: {', '.join(names[:3])})")
    return weights, observed


def pairs(folder: Path, sound: str, motion: str) -> list[tuple[str, Path, Path | None]]:
    """Sound files below `folder` and the motion file of the same stem, wherever it lies; None where there is none.

    Raises:
        ValueError: no sound file there.
    """
    motions = {p.stem: p for p in sorted(folder.rglob(f"*{motion}"))}
    found = [(p.stem, p, motions.get(p.stem)) for p in sorted(folder.rglob(f"*{sound}"))]
    if not found:
        raise ValueError(f"no {sound} file below {folder}")
    return found

"""BEAT (Liu et al. 2022): 30 speakers, eight acted emotions, iPhone ARKit capture at 60 fps. CC BY-NC 4.0.

As released (``beat_english_v0.2.1`` and its Chinese, Spanish and Japanese parts), a folder a speaker::

    1/1_wayne_0_65_65.wav       16 kHz speech
    1/1_wayne_0_65_65.json      {"names": [51 ARKit names], "frames": [{"weights": [51], "time": s, "rotation": [...]}]}
    1/1_wayne_0_65_65.TextGrid  intervals: tier "words", tier "phones" (optional)
    1/1_wayne_0_65_65.bvh, .csv, .txt                                 body, emotion and semantics: not read

The name is ``ID_NAME_TYPE_START_END``. TYPE even: a speech, whose emotion follows from its number START; odd: a
conversation, neutral. END can be ``a`` or ``b``, the halves of a sequence. ``tongueOut`` is not captured. Contempt is
not one of our emotions: refused. The frames come at about 60 fps; their own times put them on an even grid.
"""

from __future__ import annotations

import json
import re
from functools import partial
from pathlib import Path

import numpy as np

from training.data.layouts.csv_motion import even_track
from training.data.layouts.textgrid import read_tiers
from training.data.source import Candidate, Options, Recording, Refusal, Track, by_name, pairs, read_sound

LICENCE = "CC BY-NC 4.0"
KIND = "captured: ARKit on an iPhone"
FPS = 60.0
LATEST_START_S = 1.0
"""A first frame later than this means times that do not count from the beginning of the sound."""
NAME = re.compile(r"(?P<speaker>\d+_[a-z]+)_(?P<type>[0-7])_(?P<start>\d+)_(?P<end>\d+|[ab])", re.IGNORECASE)
FIRST_NUMBER = {
    "neutral": 0,
    "happy": 65,
    "angry": 73,
    "sad": 81,
    "contempt": 87,
    "surprised": 95,
    "fearful": 103,
    "disgust": 111,
}
"""Number of the first speech of each emotion."""


def emotion_of(recording_type: int, start: int) -> str:
    """Emotion of a recording by its type and number; ``contempt`` is among them."""
    if recording_type % 2:
        return "neutral"
    return max((first, emotion) for emotion, first in FIRST_NUMBER.items() if first <= start)[1]


def find(folder: Path, options: Options) -> list[Candidate]:
    """Every recording below `folder`.

    Raises:
        ValueError: no file is named as BEAT names them.
    """
    found = [(NAME.fullmatch(stem), stem, wav, motion) for stem, wav, motion in pairs(folder, ".wav", ".json")]
    if not any(match for match, *_ in found):
        raise ValueError(f"no recording named like 1_wayne_0_65_65.wav below {folder}")
    return [_candidate(match, stem, wav, motion, options) for match, stem, wav, motion in found]


def _candidate(match: re.Match[str] | None, stem: str, wav: Path, motion: Path | None, options: Options) -> Candidate:
    speaker = f"beat_{match['speaker'].lower()}" if match else "beat_unknown"
    emotion = emotion_of(int(match["type"]), int(match["start"])) if match else ""
    read = partial(_read, wav, motion, emotion, options.start_s)
    return Candidate(stem, speaker, emotion, LICENCE, KIND, read)


def _read(wav: Path, motion: Path | None, emotion: str, start_s: float) -> Recording:
    if not emotion:
        raise Refusal("the name is not BEAT's SPEAKER_NAME_TYPE_START_END")
    if emotion == "contempt":
        raise Refusal("contempt is none of the eight emotions")
    if motion is None:
        raise Refusal("no .json of this name")
    track = read_track(motion, start_s)
    audio, rate_hz = read_sound(wav)
    tiers = read_tiers(wav.with_suffix(".TextGrid"))
    text = " ".join(name for name, *_ in tiers.get("words", ()) if name)
    phones = tuple((name.upper() or "SIL", start, length) for name, start, length in tiers.get("phones", ()))
    return Recording(audio, rate_hz, track, text, phones)


def read_track(path: Path, start_s: float = 0.0) -> Track:
    """Motion of a BEAT json; `Refusal` where it is none."""
    try:
        face = json.loads(path.read_text(encoding="utf-8"))
        names, frames = list(face["names"]), np.array([frame["weights"] for frame in face["frames"]], np.float32)
        times_s = np.array([frame["time"] for frame in face["frames"]], float)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise Refusal(f"{path.name} is no face recording: {type(error).__name__} {error}") from None
    if frames.ndim != 2 or frames.shape[1] != len(names):
        raise Refusal(f"{path.name} names {len(names)} blendshapes, its frames are {frames.shape}")
    if not (np.diff(times_s) > 0).all() or len(times_s) < 2:
        raise Refusal(f"{path.name}: the frames' times do not rise")
    first_s = times_s[0] if 0 <= times_s[0] < LATEST_START_S else 0.0
    weights, observed = by_name(frames, names)
    return even_track(times_s - times_s[0], weights, observed, np.ones(len(times_s), bool), FPS, start_s + first_s)

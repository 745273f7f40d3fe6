"""3D-ETF (EmoTalk, Peng et al. 2023): 52 coefficients estimated from the videos of RAVDESS and HDTF, 30 fps.

As released by its authors, a sound file and an array of the same stem, in one folder or in two::

    RAVDESS/…/01-01-03-01-01-01-01.wav    the seven two-digit fields of RAVDESS
    RAVDESS/…/01-01-03-01-01-01-01.npy    (T, 52), 30 fps
    HDTF/…/WRA_AdamKinzinger0_000.wav     SERIES_SPEAKER_PART of HDTF, cut further as _00, _01 …
    HDTF/…/WRA_AdamKinzinger0_000.npy     (T, 52), 30 fps

The columns are the ARKit names in alphabetical order, as in EmoTalk's ``render.py``. The RAVDESS actors who validate
or test in our corpus do so here too. Terms: 3D-ETF's agreement, non-commercial research.
"""

from __future__ import annotations

import re
from functools import partial
from pathlib import Path

import numpy as np

from dtalker_model.blendshapes import ARKIT_NAMES
from training.corpus.clips import EMOTIONS
from training.data.source import Candidate, Options, Recording, Refusal, Track, by_name, pairs, read_sound

KIND = "estimated: EmoTalk's blendshape capture from video"
FPS = 30.0
RAVDESS = re.compile(
    r"(?<!\d)\d\d-0[12]-(?P<emotion>0[1-8])-(?P<intensity>0[12])-(?P<text>0[12])-\d\d-(?P<actor>\d\d)(?!\d)"
)
HDTF = re.compile(r"(?P<series>RD|WDA|WRA)_(?P<speaker>\w+?)_\d+(?:_\d+)?")
RAVDESS_TEXTS = {"01": "kids are talking by the door", "02": "dogs are sitting by the door"}
RAVDESS_SPLITS = {"09": "val", "10": "val", "11": "test", "12": "test", "23": "test", "24": "test"}


def find_ravdess(folder: Path, options: Options) -> list[Candidate]:
    """The RAVDESS part. Raises ValueError where no file is named as RAVDESS names them."""
    found = [(RAVDESS.search(stem), stem, wav, npy) for stem, wav, npy in pairs(folder, ".wav", ".npy")]
    if not any(match for match, *_ in found):
        raise ValueError(f"no recording named like 01-01-03-01-01-01-01.wav below {folder}")
    return [_ravdess(match, stem, wav, npy, options) for match, stem, wav, npy in found]


def _ravdess(match: re.Match[str] | None, stem: str, wav: Path, npy: Path | None, options: Options) -> Candidate:
    if match is None:
        return Candidate(stem, "ravdess_unknown", "neutral", "", KIND, partial(_misnamed, "RAVDESS"))
    emotion = EMOTIONS[int(match["emotion"]) - 1]
    licence = "CC BY-NC-SA 4.0; 3D-ETF agreement, non-commercial"
    read = partial(_read, wav, npy, options.start_s, RAVDESS_TEXTS[match["text"]])
    intensity = "strong" if match["intensity"] == "02" else "normal"
    split = RAVDESS_SPLITS.get(match["actor"], "train")
    return Candidate(stem, f"ravdess_{match['actor']}", emotion, licence, KIND, read, intensity, split)


def find_hdtf(folder: Path, options: Options) -> list[Candidate]:
    """The HDTF part, neutral throughout. Raises ValueError where no file is named as HDTF names them."""
    found = [(HDTF.fullmatch(stem), stem, wav, npy) for stem, wav, npy in pairs(folder, ".wav", ".npy")]
    if not any(match for match, *_ in found):
        raise ValueError(f"no recording named like WRA_AdamKinzinger0_000.wav below {folder}")
    return [_hdtf(match, stem, wav, npy, options) for match, stem, wav, npy in found]


def _hdtf(match: re.Match[str] | None, stem: str, wav: Path, npy: Path | None, options: Options) -> Candidate:
    if match is None:
        return Candidate(stem, "hdtf_unknown", "neutral", "", KIND, partial(_misnamed, "HDTF"))
    licence = "HDTF CC BY 4.0, videos of third parties; 3D-ETF agreement, non-commercial"
    read = partial(_read, wav, npy, options.start_s, "")
    return Candidate(stem, f"hdtf_{hdtf_speaker(match['series'], match['speaker'])}", "neutral", licence, KIND, read)


def hdtf_speaker(series: str, name: str) -> str:
    """The person: a number after a name counts that person's videos; after ``Radio`` it tells the guests apart."""
    return name if series == "RD" else name.rstrip("0123456789") or name


def _misnamed(data_set: str) -> Recording:
    raise Refusal(f"the name is not {data_set}'s")


def _read(wav: Path, npy: Path | None, start_s: float, text: str) -> Recording:
    if npy is None:
        raise Refusal("no .npy of this name")
    try:
        columns = np.load(npy, allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise Refusal(f"{npy.name} is no array: {error}") from None
    if columns.ndim != 2 or columns.shape[1] != len(ARKIT_NAMES):
        raise Refusal(f"{npy.name} has shape {columns.shape}; (frames, 52) needed")
    audio, rate_hz = read_sound(wav)
    track = Track(*by_name(columns, sorted(ARKIT_NAMES)), FPS, start_s)
    return Recording(audio, rate_hz, track, text)

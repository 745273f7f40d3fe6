"""What audio encoders hear: one registry of the rows that are computed from audio once, before training.

| name       | D       | row k                                                                                 |
| ---------- | ------- | ------------------------------------------------------------------------------------- |
| `log_mel`  | 128     | causal log-mel of the runtime, up to the end of frame k                               |
| `waveform` | 320     | the samples of frame k; float16 keeps them 73 dB above its rounding error             |
| `hubert`   | its own | a frozen HuBERT's feature (`training.hearing.hubert`), centred on frame k             |
| `whisper`  | 1152    | layers of a frozen Whisper (`training.hearing.whisper`), centred on the first sample |
|            |         | of frame k, and log-mel up to its end                                                 |
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from functools import lru_cache
from pathlib import Path

import numpy as np

from dtalker_model.hearing.features import FEATURE_DIM, POWER_FLOOR
from dtalker_model.rates import FRAME_SAMPLES
from training.corpus.kept import Kept
from training.corpus.variants import Hearing, log_mel
from training.hearing.hubert import HubertHearing
from training.hearing.whisper import BASE, WhisperHearing

HEARINGS = ("log_mel", "waveform", "hubert", "whisper")
HEARS = {"scratch": "log_mel", "causal": "log_mel", "hubert_cnn": "waveform", "hubert": "hubert", "whisper": "whisper"}
"""What each audio encoder hears."""

EARS = "ears"
"""Folder beside a run that keeps what pretrained ears hear."""

PRETRAINED = ("hubert", "whisper")
"""Hearings that cost much and never change."""

SILENCE: Mapping[str, float] = {"log_mel": float(np.log(POWER_FLOOR)), "waveform": 0.0}
"""What fills the rows of a crop outside its clip. Pretrained ears have no row for silence: the nearest is repeated."""


def hearing(name: str, source: str | None = None) -> Hearing:
    """The function that hears so: audio (samples,) float32 at 16 kHz to rows (ceil(samples / 320), D) float16.

    Args:
        name: one of `HEARINGS`.
        source: where the pretrained model is, for `hubert` and `whisper`. It is loaded once per process.

    Raises:
        ValueError: an unknown name, or `hubert` without a model.
        ModelError: the pretrained model cannot be loaded.
    """
    if name == "hubert":
        return _hubert(source)
    if name == "whisper":
        return _whisper(source or "")
    if name not in HEARINGS:
        raise ValueError(f"{name!r} is no hearing: use one of {', '.join(HEARINGS)}")
    return log_mel if name == "log_mel" else waveform


def hearings(encoders: Collection[str], source: str | None = None, cache: Path | None = None) -> dict[str, Hearing]:
    """What training must hear for these audio encoders, by name; `log_mel` always.

    With `cache`, a folder, what pretrained ears hear of a clip is kept there, of each model apart.
    """
    needed = {"log_mel", *(HEARS[encoder] for encoder in encoders)}
    found = {name: hearing(name, source) for name in HEARINGS if name in needed}
    return {n: Kept(h, cache, kept_name(n, h)) if cache and n in PRETRAINED else h for n, h in found.items()}


def kept_name(name: str, hears: Hearing) -> str:
    """How files begin that keep what pretrained ears hear: their name and, but for `BASE`, the model's fingerprint."""
    assert isinstance(hears, HubertHearing | WhisperHearing)
    return name if hears.model == BASE else f"{name}-{hears.model}"


def hear(name: str, audio: np.ndarray, source: str | None = None) -> np.ndarray:
    """Rows of `audio` as `hearing(name, source)` hears it. Arguments and errors are its."""
    return hearing(name, source)(audio)


def hearing_dim(name: str, source: str | None = None) -> int:
    """Length D of a row. Arguments and errors are those of `hearing`."""
    hears = hearing(name, source)
    if isinstance(hears, HubertHearing | WhisperHearing):
        return hears.dim
    return {"log_mel": FEATURE_DIM, "waveform": FRAME_SAMPLES}[name]


def waveform(audio: np.ndarray) -> np.ndarray:
    """`audio` (samples,) cut into frames, the last one filled up with silence: (T, 320) float16."""
    return np.pad(audio, (0, -len(audio) % FRAME_SAMPLES)).reshape(-1, FRAME_SAMPLES).astype(np.float16)


@lru_cache(maxsize=1)
def _hubert(source: str | None) -> HubertHearing:
    if not source:
        raise ValueError("the hearing 'hubert' needs a model: a folder, a hub id or torchaudio:HUBERT_BASE")
    return HubertHearing(source)


@lru_cache(maxsize=1)
def _whisper(source: str) -> WhisperHearing:
    return WhisperHearing(source)

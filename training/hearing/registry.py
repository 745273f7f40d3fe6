"""What audio encoders hear: one registry of the rows that are computed from audio once, before training.

| name       | D       | row k                                                                                 |
| ---------- | ------- | ------------------------------------------------------------------------------------- |
| `log_mel`  | 128     | causal log-mel of the runtime, up to the end of frame k                               |
| `waveform` | 320     | the samples of frame k; float16 keeps them 73 dB above its rounding error             |
| `hubert`   | its own | a frozen HuBERT's feature (`training.hearing.hubert`), centred on frame k                     |
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from functools import lru_cache

import numpy as np

from dtalker_model.hearing.features import FEATURE_DIM, POWER_FLOOR
from dtalker_model.rates import FRAME_SAMPLES
from training.corpus.variants import Hearing, log_mel
from training.hearing.hubert import HubertHearing

HEARINGS = ("log_mel", "waveform", "hubert")
HEARS = {"scratch": "log_mel", "causal": "log_mel", "hubert_cnn": "waveform", "hubert": "hubert"}
"""What each audio encoder hears."""

SILENCE: Mapping[str, float] = {"log_mel": float(np.log(POWER_FLOOR)), "waveform": 0.0}
"""What fills the rows of a crop outside its clip. HuBERT has no fixed row for silence: the nearest row is repeated."""


def hearing(name: str, hubert: str | None = None) -> Hearing:
    """The function that hears so: audio (samples,) float32 at 16 kHz to rows (ceil(samples / 320), D) float16.

    Args:
        name: one of `HEARINGS`.
        hubert: folder, hub id or ``torchaudio:`` bundle; only `hubert` needs it. It is loaded once per process.

    Raises:
        ValueError: an unknown name, or `hubert` without a model.
        ModelError: the HuBERT cannot be loaded.
    """
    if name == "hubert":
        return _hubert(hubert)
    if name not in HEARINGS:
        raise ValueError(f"{name!r} is no hearing: use one of {', '.join(HEARINGS)}")
    return log_mel if name == "log_mel" else waveform


def hearings(encoders: Collection[str], hubert: str | None = None) -> dict[str, Hearing]:
    """What training must hear for these audio encoders, by name; `log_mel` always."""
    needed = {"log_mel", *(HEARS[encoder] for encoder in encoders)}
    return {name: hearing(name, hubert) for name in HEARINGS if name in needed}


def hear(name: str, audio: np.ndarray, hubert: str | None = None) -> np.ndarray:
    """Rows of `audio` as `hearing(name, hubert)` hears it. Arguments and errors are its."""
    return hearing(name, hubert)(audio)


def hearing_dim(name: str, hubert: str | None = None) -> int:
    """Length D of a row. Arguments and errors are those of `hearing`."""
    hears = hearing(name, hubert)
    return hears.dim if isinstance(hears, HubertHearing) else {"log_mel": FEATURE_DIM, "waveform": FRAME_SAMPLES}[name]


def waveform(audio: np.ndarray) -> np.ndarray:
    """`audio` (samples,) cut into frames, the last one filled up with silence: (T, 320) float16."""
    return np.pad(audio, (0, -len(audio) % FRAME_SAMPLES)).reshape(-1, FRAME_SAMPLES).astype(np.float16)


@lru_cache(maxsize=1)
def _hubert(source: str | None) -> HubertHearing:
    if source is None:
        raise ValueError("the hearing 'hubert' needs a model: a folder, a hub id or torchaudio:HUBERT_BASE")
    return HubertHearing(source)

"""What every pretrained ear asks of the audio that it hears."""

from __future__ import annotations

import numpy as np

from dtalker_model.errors import AudioError


def require_clip(ears: str, audio: np.ndarray) -> None:
    """Raise `AudioError` unless `audio` is (samples,) float32 and finite; `ears` is who hears it, for people."""
    asked = f"{ears} hears mono, finite float32 at 16 kHz, (samples,), -1..1"
    if audio.ndim != 1 or audio.dtype != np.float32:
        raise AudioError(f"{asked}; received {audio.dtype} {audio.shape}")
    if not np.isfinite(audio).all():
        raise AudioError(f"{asked}; the audio has values that are not finite: decode it again")

"""Sound files of every kind from one clip, and what a reader must make of them."""

import io
import struct
from pathlib import Path

import numpy as np
import soundfile

from dtalker_model.sound_files.reader import SoundReader

RATE_HZ = 16_000
PLACEHOLDERS = [
    (36, 0),
    (0, 0),
    (2_000_000_036, 2_000_000_000),
    (0x7FFFF024, 0x7FFFF000),
    (0x7FFFFFFF, 0x7FFFFFDB),
    (0xFFFFFFFF, 0xFFFFFFFF),
    (0, 0xFFFFFFFF),
]
"""Sizes of RIFF and of its data, as writers that cannot seek leave them."""


def tone(seconds: float = 1.0, rate_hz: int = RATE_HZ, hz: float = 220.0) -> np.ndarray:
    """(samples,) float64; neither at its begin nor at its end at rest."""
    return 0.4 * np.cos(2 * np.pi * hz * np.arange(round(seconds * rate_hz)) / rate_hz)


def sound(form: str, subtype: str | None = None, pcm: np.ndarray | None = None, rate_hz: int = RATE_HZ) -> bytes:
    """A file's bytes."""
    file = io.BytesIO()
    soundfile.write(file, tone() if pcm is None else pcm, rate_hz, format=form, subtype=subtype)
    return file.getvalue()


def with_sizes(wave: bytes, riff: int, data: int) -> bytes:
    """`wave` with other sizes of RIFF and of its data."""
    at = wave.index(b"data")
    return wave[:4] + struct.pack("<I", riff) + wave[8 : at + 4] + struct.pack("<I", data) + wave[at + 8 :]


def read(source: Path | bytes, samples: int = 1000) -> np.ndarray:
    """All of a sound, (samples, channels)."""
    with SoundReader(source, "" if isinstance(source, Path) else "sound") as reader:
        return np.concatenate(list(reader.blocks(samples)))

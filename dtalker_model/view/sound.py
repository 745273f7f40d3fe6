"""A sound to speak: decoded once, kept as 16-bit PCM, and given to the page as WAV so that both hear the same."""

import io
from dataclasses import dataclass
from itertools import count, pairwise
from pathlib import Path
from typing import BinaryIO

import numpy as np
import numpy.typing as npt
import soundfile

from dtalker_model.errors import AudioError

LONGEST_S = 600
LARGEST_BYTES = 50_000_000
PEAKS = 240
"""Bars of the picture of the sound."""

_numbers = count(1)


@dataclass(frozen=True, eq=False)
class Sound:
    """A clip.

    Attributes:
        number: counts up; part of the address, so that no page plays an old one.
        name: for people.
        pcm: (samples, channels) int16.
        sample_rate_hz: of `pcm`.
    """

    number: int
    name: str
    pcm: npt.NDArray[np.int16]
    sample_rate_hz: int

    @property
    def duration_s(self) -> float:
        """Length in seconds."""
        return len(self.pcm) / self.sample_rate_hz

    @property
    def url(self) -> str:
        """Path at which the page gets it."""
        return f"/sound/{self.number}.wav"

    def wav(self) -> bytes:
        """The clip, mixed down, as a WAV file."""
        buffer = io.BytesIO()
        mono = self.pcm.mean(axis=1).astype(np.int16)
        soundfile.write(buffer, mono, self.sample_rate_hz, format="WAV", subtype="PCM_16")
        return buffer.getvalue()

    def peaks(self) -> list[float]:
        """Loudness in 0..1 of `PEAKS` equal parts."""
        mono = np.abs(self.pcm.astype(np.float32)).max(axis=1) / 32768
        edges = np.linspace(0, len(mono), PEAKS + 1).astype(int)
        return [round(float(mono[a : max(b, a + 1)].max(initial=0)), 3) for a, b in pairwise(edges)]


def read_sound(source: Path | bytes, name: str) -> Sound:
    """Decode a file or the bytes of one.

    Raises:
        AudioError: it is no sound, empty, longer than ten minutes, or cannot be read.
    """
    try:
        with _opened(source) as stream, soundfile.SoundFile(stream) as file:
            rate_hz = file.samplerate
            if file.frames > LONGEST_S * rate_hz:
                raise AudioError(f"{name}: {file.frames / rate_hz:.0f} s long, at most {LONGEST_S} s")
            pcm = file.read(LONGEST_S * rate_hz, dtype="int16", always_2d=True)
    except OSError as error:
        raise AudioError(f"{name}: {error.strerror or error}") from error
    except (soundfile.SoundFileError, TypeError) as error:  # TypeError: headerless formats
        raise AudioError(f"{name}: not a sound file that can be read (WAV, FLAC, OGG, MP3 and others are)") from error
    if len(pcm) == 0:
        raise AudioError(f"{name}: holds no samples")
    if not 8_000 <= rate_hz <= 192_000:
        raise AudioError(f"{name}: sample rate {rate_hz} Hz is out of range, allowed 8000 to 192000")
    return Sound(next(_numbers), name, pcm, rate_hz)


def _opened(source: Path | bytes) -> BinaryIO:
    return io.BytesIO(source) if isinstance(source, bytes) else source.open("rb")

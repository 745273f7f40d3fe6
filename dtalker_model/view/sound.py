"""A sound to speak: decoded once, mixed to mono, kept as 16-bit PCM, and given to the page as WAV so that both hear the
same.
"""

import struct
from collections.abc import Callable
from dataclasses import dataclass
from itertools import count, pairwise
from pathlib import Path

import numpy as np
import numpy.typing as npt

from dtalker_model.errors import AudioError
from dtalker_model.hearing.sound_check import SoundCheck
from dtalker_model.sound_files.reader import SoundReader

LONGEST_S = 600
LARGEST_BYTES = 50_000_000
MOST_SAMPLES = LONGEST_S * 48_000 * 4
"""Of all channels together: ten minutes of four channels at 48 kHz. It bounds what a small file can blow up to."""
BLOCK_SAMPLES = 1 << 16
PEAKS = 240
"""Bars of the picture of the sound."""

_numbers = count(1)


@dataclass(frozen=True, eq=False)
class Sound:
    """A clip.

    Attributes:
        number: counts up; part of the address, so that no page plays an old one.
        name: for people.
        pcm: (samples,) int16, mono.
        sample_rate_hz: of `pcm`.
        peaks: loudness in 0..1 of `PEAKS` equal parts.
        faults: what is wrong with it, of which the mix to mono may tell nothing; see `SoundCheck`.
    """

    number: int
    name: str
    pcm: npt.NDArray[np.int16]
    sample_rate_hz: int
    peaks: tuple[float, ...]
    faults: tuple[str, ...] = ()

    @property
    def duration_s(self) -> float:
        """Length in seconds."""
        return len(self.pcm) / self.sample_rate_hz

    @property
    def url(self) -> str:
        """Path at which the page gets it."""
        return f"/sound/{self.number}.wav"

    @property
    def wav_header(self) -> bytes:
        """What makes a WAV file of the bytes of `pcm`."""
        size, rate_hz = self.pcm.nbytes, self.sample_rate_hz
        form = struct.pack("<IHHIIHH", 16, 1, 1, rate_hz, 2 * rate_hz, 2, 16)
        return struct.pack("<4sI8s", b"RIFF", 36 + size, b"WAVEfmt ") + form + struct.pack("<4sI", b"data", size)


def read_sound(source: Path | bytes, name: str, stopped: Callable[[], bool] = lambda: False) -> Sound:
    """Decode a file or the bytes of one, called `name`; `stopped`: whether to give up.

    Raises:
        AudioError: it is no sound, empty, longer than ten minutes, of too many samples in all, or it was given up.
    """
    with SoundReader(source, "" if isinstance(source, Path) else name, stopped) as reader:
        info = reader.info
        _check_size(reader.name, info.frames, info.channels, info.sample_rate_hz)
        mono = bytearray()  # grows in its place, where a list of blocks would be there twice in the end
        frames, check = 0, SoundCheck()
        faults: dict[str, None] = {}
        for block in reader.blocks_16(max(1, BLOCK_SAMPLES // info.channels)):
            if stopped():
                raise AudioError(f"{reader.name}: takes too long to read")
            mono += (block[:, 0] if info.channels == 1 else block.mean(axis=1).astype(np.int16)).tobytes()
            faults |= dict.fromkeys(check.push(block, info.sample_rate_hz))
            frames += len(block)
            _check_size(reader.name, frames, info.channels, info.sample_rate_hz)
        faults |= dict.fromkeys(check.flush())
    pcm = np.frombuffer(mono, np.int16)
    shown = name.encode(errors="replace").decode()  # a name from a disk need not be Unicode
    return Sound(next(_numbers), shown, pcm, info.sample_rate_hz, _peaks(pcm), tuple(faults))


def _check_size(name: str, frames: int, channels: int, rate_hz: int) -> None:
    if frames > LONGEST_S * rate_hz:
        raise AudioError(f"{name}: {frames / rate_hz:.0f} s long, at most {LONGEST_S} s")
    if frames * channels > MOST_SAMPLES:
        raise AudioError(
            f"{name}: {frames * channels:,} samples in {channels} channel(s), at most {MOST_SAMPLES:,}: give it fewer "
            "channels or a lower rate"
        )


def _peaks(pcm: npt.NDArray[np.int16]) -> tuple[float, ...]:
    edges = np.linspace(0, len(pcm), PEAKS + 1).astype(int)
    parts = (pcm[a : max(b, a + 1)] for a, b in pairwise(edges))
    loudest = (max(int(part.max(initial=0)), -int(part.min(initial=0))) for part in parts)
    return tuple(round(peak / 32768, 3) for peak in loudest)

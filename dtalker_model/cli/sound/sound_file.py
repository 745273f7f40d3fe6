"""Speech from a file, in blocks: any format that soundfile reads, never the whole file at once."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

import numpy as np
import numpy.typing as npt
import soundfile

from dtalker_model.errors import AudioError


@dataclass(frozen=True)
class SoundInfo:
    """What the file's header says."""

    sample_rate_hz: int
    channels: int
    frames: int
    """Samples of each channel; an estimate in some compressed formats."""

    @property
    def duration_s(self) -> float:
        return self.frames / self.sample_rate_hz


class SoundReader:
    """Context manager that opens `path`; raises `AudioError` naming the file when it is no sound."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file = _opened(path)
        self.info = SoundInfo(self._file.samplerate, self._file.channels, self._file.frames)

    def __enter__(self) -> "SoundReader":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    def blocks(self, samples: int) -> Iterator[npt.NDArray[np.float32]]:
        """PCM (up to `samples`, channels) in -1..1, until the file ends; raises `AudioError` when it holds none."""
        heard = 0
        while True:
            try:
                block = self._file.read(samples, dtype="float32", always_2d=True)
            except soundfile.SoundFileError as error:
                at_s = heard / self.info.sample_rate_hz
                raise AudioError(f"{self.path}: broken after {at_s:.2f} s: {error}") from error
            if len(block) == 0:
                break
            heard += len(block)
            yield block
        if heard == 0:
            raise AudioError(f"{self.path}: holds no samples")

    @contextmanager
    def named(self) -> Iterator[None]:
        """An `AudioError` about samples of this file, raised inside, names the file."""
        try:
            yield
        except AudioError as error:
            at_fault = str(error)
            raise AudioError(at_fault if at_fault.startswith(str(self.path)) else f"{self.path}: {at_fault}") from error


def _opened(path: Path) -> soundfile.SoundFile:
    if path.is_dir():
        raise AudioError(f"{path}: is a folder, not a sound file")
    try:
        with path.open("rb") as raw:
            empty = not raw.read(1)
    except OSError as error:
        raise AudioError(f"{path}: {error.strerror}") from error
    if empty:
        raise AudioError(f"{path}: is empty")
    try:
        return soundfile.SoundFile(path)
    except (soundfile.SoundFileError, TypeError) as error:  # TypeError: '.raw' without a format
        known = "WAV, FLAC, OGG, MP3, AIFF and others are"
        raise AudioError(f"{path}: not a sound file that can be read ({known})") from error

"""A sound file in blocks of int16, at a rate of one's choice, without ever holding all of it."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dtalker_model.errors import AudioError
from dtalker_model.sound_files.pipe import comes_once
from dtalker_model.sound_files.reader import SoundReader


def is_pipe(path: str) -> bool:
    """Whether the sound in `path` comes once, and perhaps not yet: standard input (``-``), a named pipe, a device."""
    try:
        return bool(path) and comes_once(Path(path)) and not Path(path).is_dir()
    except (OSError, ValueError):  # whoever opens it says so
        return False


class SoundFile:
    """Anything that `SoundReader` reads."""

    def __init__(self, path: str, sample_rate_hz: int = 0, stopped: Callable[[], bool] | None = None) -> None:
        """`sample_rate_hz`: 0 keeps the file's own. `stopped`: whether to wait no longer for a pipe; None: take none.

        Raises `AudioError` for what is missing, no sound or empty.
        """
        if not path:
            raise AudioError("no sound file: set parameter `file` (--ros-args -p file:=SPEECH.wav)")
        if path != "-" and not os.path.exists(path):
            raise AudioError(f"no sound file at {path}")
        self._path = Path(path)
        self._pipe: SoundReader | None = None
        reader = SoundReader(self._path, stopped=stopped or (lambda: False), regular=stopped is None)
        info = reader.info
        if reader.comes_once:
            self._pipe = reader
        else:
            with reader:
                next(reader.blocks_16(1))
        self._own_rate_hz = info.sample_rate_hz
        self.sample_rate_hz = sample_rate_hz or self._own_rate_hz
        self.channels, self.duration_s = info.channels, info.duration_s

    @property
    def comes_once(self) -> bool:
        """Whether `chunks` can be asked for but once."""
        return self._pipe is not None

    def chunks(self, samples: int) -> Iterator[NDArray[np.int16]]:
        """Chunks of `samples` (samples, channels); 0: all in one. The last one may be shorter.

        Raises `AudioError` where the file is broken further on.
        """
        rest = np.zeros((0, self.channels), np.int16)
        for block in self._blocks():
            rest = np.concatenate([rest, block])
            whole = len(rest) // samples * samples if samples else 0
            for start in range(0, whole, samples or 1):
                yield rest[start : start + samples]
            rest = rest[whole:]
        if len(rest):
            yield rest

    def _blocks(self) -> Iterator[NDArray[np.int16]]:
        """The file in blocks of about a second (a pipe in such of 20 ms), at `sample_rate_hz`."""
        with self._pipe or SoundReader(self._path, regular=True) as reader:
            blocks = reader.blocks_16(self._own_rate_hz // (50 if self.comes_once else 1))
            if self.sample_rate_hz == self._own_rate_hz:
                yield from blocks
            else:
                yield from self._resampled(blocks)

    def _resampled(self, blocks: Iterator[NDArray[np.int16]]) -> Iterator[NDArray[np.int16]]:
        import soxr

        stream = soxr.ResampleStream(self._own_rate_hz, self.sample_rate_hz, self.channels, dtype="int16")
        for block in blocks:
            yield stream.resample_chunk(block)
        yield stream.resample_chunk(np.zeros((0, self.channels), np.int16), last=True)

"""A sound file in blocks of int16, at a rate of one's choice, without ever holding all of it."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dtalker_model.errors import AudioError


class SoundFile:
    """Anything that libsndfile reads."""

    def __init__(self, path: str, sample_rate_hz: int = 0) -> None:
        """`sample_rate_hz`: 0 keeps the file's own. Raises `AudioError` for what is missing, no sound or empty."""
        import soundfile

        if not path:
            raise AudioError("no sound file: set parameter `file` (--ros-args -p file:=SPEECH.wav)")
        if not Path(path).is_file():
            raise AudioError(f"no sound file at {path}")
        try:
            info = soundfile.info(path)
        except (soundfile.SoundFileError, RuntimeError) as error:
            raise AudioError(f"{path} is not a sound file that libsndfile reads: {error}") from error
        if info.frames == 0:
            raise AudioError(f"{path} holds no samples")
        self._path, self._own_rate_hz = path, int(info.samplerate)
        self.sample_rate_hz = sample_rate_hz or self._own_rate_hz
        self.channels = int(info.channels)
        self.duration_s = info.frames / info.samplerate

    def chunks(self, samples: int) -> Iterator[NDArray[np.int16]]:
        """Chunks of `samples` (samples, channels); 0: all in one. The last one may be shorter."""
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
        """The file in blocks of about a second, at `sample_rate_hz`."""
        import soundfile
        import soxr

        blocks = soundfile.blocks(self._path, self._own_rate_hz, dtype="int16", always_2d=True)
        if self.sample_rate_hz == self._own_rate_hz:
            yield from blocks
            return
        stream = soxr.ResampleStream(self._own_rate_hz, self.sample_rate_hz, self.channels, dtype="int16")
        for block in blocks:
            yield stream.resample_chunk(block)
        yield stream.resample_chunk(np.zeros((0, self.channels), np.int16), last=True)

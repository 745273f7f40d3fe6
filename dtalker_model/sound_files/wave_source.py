"""Samples of a WAV stream, pulled as they are needed."""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from dtalker_model.errors import AudioError
from dtalker_model.sound_files.unread import unreadable
from dtalker_model.sound_files.wave_stream import WaveStream

Floats = npt.NDArray[np.float32]


class WaveSource:
    """A `Source` of bytes that `more` returns, none at the end."""

    def __init__(self, more: Callable[[], bytes], close: Callable[[], None], name: str, frames: int = 0) -> None:
        """`frames`: how many there are, about. Raises `AudioError` where the header is none for us."""
        self._more, self._close = more, close
        self._stream = WaveStream()
        self._ended = False
        self._ready = np.zeros((0, 1), np.float32)
        try:
            while self._stream.format is None and not self._ended:
                self._pull()
        except AudioError as error:
            close()
            raise unreadable(name, b"", str(error)) from None
        assert self._stream.format is not None
        self.sample_rate_hz, self.channels = self._stream.format.sample_rate_hz, self._stream.format.channels
        self.frames = frames

    def read(self, samples: int) -> Floats:
        """See `Source`."""
        while len(self._ready) < samples and not self._ended:
            self._pull()
        block, self._ready = self._ready[:samples], self._ready[samples:]
        return block

    def close(self) -> None:
        """See `Source`."""
        self._close()

    def _pull(self) -> None:
        data = self._more()
        self._ended = not data
        piece = self._stream.push(data) if data else self._stream.end()
        self._ready = np.concatenate([self._ready, piece]) if len(self._ready) else piece

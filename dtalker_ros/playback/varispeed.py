"""Sound at a speed that changes smoothly: soxr's variable-rate resampler, and which input its output has come to."""

from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dtalker_model.errors import AudioError

FASTEST = 1.02
"""The resampler is made for speeds up to this."""


class Varispeed:
    """Input at index after index in, output at a speed out."""

    def __init__(self, channels: int, index: int) -> None:
        """`index`: of the first input. Raises `AudioError` where soxr has no variable rate."""
        self._stream = variable_stream(channels)
        self._ready = np.zeros((0, channels), np.float32)
        self.next = index
        """Index of the input that is needed next."""
        self._speed = 1.0

    @property
    def position(self) -> float:
        """Index of the input, with its fraction, that leaves next."""
        return self.next - held() - len(self._ready) * self._speed

    @property
    def ready(self) -> int:
        """Samples that can leave."""
        return len(self._ready)

    def set_speed(self, speed: float, slew: int) -> None:
        """Input samples an output sample from now on, reached over `slew` of them."""
        self._speed = speed
        self._stream.set_io_ratio(speed, 1.0, slew)

    def push(self, sound: NDArray[np.float32]) -> None:
        """Take in `sound` (n, channels)."""
        self._ready = np.concatenate([self._ready, self._stream.resample_chunk(sound)])
        self.next += len(sound)

    def pull(self, count: int) -> NDArray[np.float32]:
        """The next `count` samples, as far as they are ready."""
        sound, self._ready = self._ready[:count], self._ready[count:]
        return sound


def variable_stream(channels: int, ratio: float = 1.0) -> Any:
    """A resampler that begins with `ratio` input samples an output sample and may go up to `FASTEST` times as fast.

    Raises `AudioError` where soxr has none.
    """
    import soxr

    try:
        stream = soxr.ResampleStream(FASTEST * ratio, 1.0, channels, dtype="float32", vr=True)
    except TypeError:
        raise AudioError("playing needs soxr 1.1 or later, with a variable rate: pip install -U soxr") from None
    stream.set_io_ratio(ratio, 1.0, 0)
    return stream


@lru_cache
def held() -> int:
    """Samples that soxr keeps back at all times; measured, since it does not tell."""
    count = 4096
    return count - len(variable_stream(1).resample_chunk(np.zeros((count, 1), np.float32)))

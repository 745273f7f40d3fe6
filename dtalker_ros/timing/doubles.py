"""Tells a chunk that was sent twice from one that follows."""

import numpy as np

from dtalker_ros.audio.convert import AudioChunk


class Doubles:
    """Compares each chunk with the one before."""

    def __init__(self) -> None:
        self._last: tuple[AudioChunk, int] | None = None
        self._was_double = False

    def is_double(self, chunk: AudioChunk, now_ns: int) -> bool:
        """Whether `chunk`, which arrives at `now_ns`, is the one before once more, sooner than one could follow.

        Speech never repeats itself to the sample. Silence and tones do: a constant is no double, and nothing is a
        double twice.
        """
        last, self._last = self._last, (chunk, now_ns)
        soon = last is not None and 0 <= now_ns - last[1] < chunk.duration_ns * 3 // 4
        self._was_double = not self._was_double and soon and last is not None and _same(chunk, last[0])
        return self._was_double


def _same(one: AudioChunk, other: AudioChunk) -> bool:
    alike = one.stamp_ns == other.stamp_ns and one.pcm.shape == other.pcm.shape
    return alike and bool((one.pcm != one.pcm[0]).any()) and np.array_equal(one.pcm, other.pcm)

"""Samples of one sound file, or of several joined ones, as libsndfile reads them."""

import io
import os
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt
import soundfile

from dtalker_model.errors import AudioError
from dtalker_model.sound_files.placeholders import HEAD_BYTES, Patch, true_sizes
from dtalker_model.sound_files.unread import unreadable

_MOST_FRAMES = 1 << 53
"""libsndfile says more than this where the file does not say."""
_ERRORS = (soundfile.SoundFileError, RuntimeError)


class SndfileSource:
    """A `Source` of the sound files that begin at `offsets` of `file`, one after the other."""

    def __init__(self, file: BinaryIO, name: str, offsets: list[int]) -> None:
        """Raises `AudioError`."""
        self._file, self._name = file, name
        self._bounds = list(zip(offsets, [*offsets[1:], file.seek(0, io.SEEK_END)]))
        self._next = 0
        self.sample_rate_hz, self.channels, self.frames = self._measured()
        self._part: Any = self._opened(0)

    def read(self, samples: int) -> npt.NDArray[np.float32]:
        """See `Source`."""
        while self._part is not None:
            try:
                block = self._part.read(samples, dtype="float32", always_2d=True)
            except _ERRORS as error:
                raise AudioError(str(error)) from error
            if len(block):
                return block
            self._part.close()
            self._next += 1
            self._part = self._opened(self._next) if self._next < len(self._bounds) else None
        return np.zeros((0, self.channels), np.float32)

    def close(self) -> None:
        """See `Source`."""
        if self._part is not None:
            self._part.close()
        self._file.close()

    def _measured(self) -> tuple[int, int, int]:
        """Sample rate, channels and length of all parts; raises `AudioError` where they differ."""
        forms: list[tuple[int, int]] = []
        frames = 0
        for number in range(len(self._bounds)):
            with self._opened(number) as part:
                forms.append((part.samplerate, part.channels))
                frames += part.frames
        if len(set(forms)) > 1:
            first, other = forms[0], next(form for form in forms if form != forms[0])
            raise AudioError(
                f"{self._name}: joined of sounds that differ: {first[0]} Hz with {first[1]} channel(s), then "
                f"{other[0]} Hz with {other[1]}: give them one by one"
            )
        return *forms[0], frames if frames < _MOST_FRAMES else 0

    def _opened(self, number: int) -> Any:
        begin, end = self._bounds[number]
        self._file.seek(begin)
        head = self._file.read(min(HEAD_BYTES, end - begin))
        patch = true_sizes(head, end - begin)
        try:
            if len(self._bounds) == 1 and not patch and (descriptor := _descriptor(self._file)) is not None:
                return _Forward(descriptor)
            return _Forward(_Window(self._file, begin, end, patch))
        except _ERRORS:
            reason = f"from byte {begin} on it holds another sound file, which cannot be read" if number else ""
            raise unreadable(self._name, head, reason) from None


def _descriptor(file: BinaryIO) -> int | None:
    """One of its own for the beginning of `file`, None where there is none: libsndfile's own reading is quicker, and a
    Ctrl-C is not lost in it.
    """
    if os.name != "posix":
        return None
    try:
        descriptor = os.dup(file.fileno())
    except OSError:  # it is in memory
        return None
    os.lseek(descriptor, 0, os.SEEK_SET)
    return descriptor


class _Forward(soundfile.SoundFile):
    """Reads on and on. Else the module seeks after each read, which fails at the end of a FLAC of unknown length, and
    is not exact in an MP3.
    """

    def seekable(self) -> bool:
        return False


class _Window(io.RawIOBase):
    """Bytes `begin` to `end` of `file` as a file, with `patch` over them."""

    def __init__(self, file: BinaryIO, begin: int, end: int, patch: Patch) -> None:
        self._of, self._begin, self._size, self._at, self._patch = file, begin, end - begin, 0, patch

    def readinto(self, buffer: Any) -> int:
        self._of.seek(self._begin + self._at)
        data = bytearray(self._of.read(max(0, min(len(buffer), self._size - self._at))))
        for at, right in self._patch.items():
            for number, byte in enumerate(right, at - self._at):
                if 0 <= number < len(data):
                    data[number] = byte
        buffer[: len(data)] = data
        self._at += len(data)
        return len(data)

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence]
        self._at = max(0, base + offset)
        return self._at

    def tell(self) -> int:
        return self._at

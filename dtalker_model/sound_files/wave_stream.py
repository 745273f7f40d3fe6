"""RIFF/WAVE as it comes: a header, then samples in pieces of any size, cut anywhere; then perhaps another header.

What its writer did not know (the length) or did not mend (a header before each sentence) is no trouble here.
"""

import numpy as np
import numpy.typing as npt

from dtalker_model.errors import AudioError
from dtalker_model.sound_files.wave_header import SIGNATURE, SIGNATURE_BYTES, WaveFormat, is_wave, read_header

_CHUNKS = (b"LIST", b"fact", b"id3 ", b"ID3 ", b"bext", b"cue ", b"smpl", b"inst", b"iXML", b"_PMX", b"PEAK", b"JUNK")
"""What may follow a data chunk that is truly empty."""


class WaveStream:
    """Takes the bytes of a stream and returns the samples that they complete."""

    def __init__(self) -> None:
        self.format: WaveFormat | None = None
        """Of the samples; None until the first header is complete."""
        self._waiting = bytearray()
        self._in_data = False
        self._left: int | None = None
        """Bytes that the data chunk still has; None: to the end, or to the next header."""
        self._may_be_empty = False

    @property
    def over(self) -> bool:
        """Whether all that was announced has come."""
        return self.format is not None and not self._in_data

    def push(self, data: bytes) -> npt.NDArray[np.float32]:
        """Samples (n, channels) in -1..1, n may be 0; a sample that is cut waits for its rest.

        Raises `AudioError` for bytes that are no WAV, of a codec that needs the whole file, or of another format than
        the ones before.
        """
        self._waiting += data
        pieces = [np.zeros((0, 1 if self.format is None else self.format.channels), np.float32)]
        while self._in_data or self._begun():
            piece, done = self._data()
            pieces.append(piece)
            if not done:
                break
        return np.concatenate([piece for piece in pieces if len(piece)] or pieces[-1:])

    def end(self) -> npt.NDArray[np.float32]:
        """No more will come: what was held back. Raises `AudioError` where there was no header."""
        if self.format is None:
            raise AudioError("the sound ends in the midst of its header")
        if not self._in_data or self._may_be_empty:
            return self.format.decode(b"")
        return self._decoded(len(self._waiting))

    def _begun(self) -> bool:
        """Whether a header is complete, which then is left behind."""
        if self.format is None:
            if len(self._waiting) >= SIGNATURE_BYTES and not is_wave(bytes(self._waiting[:12])):
                raise AudioError("no RIFF/WAVE header where one was expected")
        else:
            found = SIGNATURE.search(self._waiting)
            del self._waiting[: found.start() if found else max(0, len(self._waiting) - SIGNATURE_BYTES + 1)]
            if found is None:
                return False
        header = read_header(bytes(self._waiting))
        if header is None:
            return False
        if header.format.subtype is None:
            raise AudioError(f"its samples are coded (WAV format {header.format.codec}, {header.format.bits} bits)")
        if self.format is not None and self.format != header.format:
            raise AudioError(f"joined of sounds that differ: {self.format.text}, then {header.format.text}")
        self.format = header.format
        del self._waiting[: header.data_at]
        self._in_data, self._left, self._may_be_empty = True, header.data_bytes, header.data_bytes is None
        return True

    def _data(self) -> tuple[npt.NDArray[np.float32], bool]:
        """The samples that wait, and whether the data chunk is over."""
        assert self.format is not None
        if self._may_be_empty and len(self._waiting) < 4:
            return self.format.decode(b""), False
        if self._may_be_empty and bytes(self._waiting[:4]) in _CHUNKS:
            self._in_data = self._may_be_empty = False
            return self.format.decode(b""), True
        self._may_be_empty = False
        if self._left is not None:
            count = min(self._left, len(self._waiting))
            done = count == self._left
        else:
            found = SIGNATURE.search(self._waiting)
            count, done = (found.start(), True) if found else (_safe(self._waiting), False)
        if not done:
            count -= count % self.format.block_bytes
        piece = self._decoded(count)
        self._in_data = not done
        return piece, done

    def _decoded(self, count: int) -> npt.NDArray[np.float32]:
        """Take `count` bytes from those that wait; what is no whole sample at their end is dropped."""
        assert self.format is not None
        data = bytes(self._waiting[: count - count % self.format.block_bytes])
        del self._waiting[:count]
        if self._left is not None:
            self._left -= count
        return self.format.decode(data)


def _safe(waiting: bytearray) -> int:
    """Bytes that are surely not the beginning of another header."""
    for at in range(max(0, len(waiting) - SIGNATURE_BYTES + 1), len(waiting)):
        tail = waiting[at:]
        if any(name.startswith(tail[:4]) for name in (b"RIFF", b"RIFX", b"RF64")) and b"WAVE".startswith(tail[8:12]):
            return at
    return len(waiting)

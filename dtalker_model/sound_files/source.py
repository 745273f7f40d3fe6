"""Opens a sound, wherever it comes from, with the reader that understands it."""

import io
import tempfile
from collections.abc import Callable
from pathlib import Path
from stat import S_ISDIR
from typing import BinaryIO, Protocol

import numpy as np
import numpy.typing as npt

from dtalker_model.errors import AudioError
from dtalker_model.sound_files.joined import known_format, matches, starts
from dtalker_model.sound_files.libsndfile import SndfileSource
from dtalker_model.sound_files.pipe import Pipe, comes_once
from dtalker_model.sound_files.unread import unreadable
from dtalker_model.sound_files.wave_header import SIGNATURE, WaveHeader, is_wave, read_header
from dtalker_model.sound_files.wave_source import WaveSource

HEAD_BYTES = 4096
LARGEST_SPOOL = 2_000_000_000
"""What comes through a pipe and can only be read whole is kept on the disk up to here."""


class Source(Protocol):
    """Samples of one sound."""

    sample_rate_hz: int
    channels: int
    frames: int
    """Samples of each channel; 0 where nobody knows."""

    def read(self, samples: int) -> npt.NDArray[np.float32]:
        """The next (up to `samples`, channels); none at the end. Raises `AudioError` where the rest is broken."""

    def close(self) -> None:
        """Read no more; may be called again."""


def opened(path: Path, name: str, stopped: Callable[[], bool], regular: bool) -> tuple[Source, bool]:
    """The sound in `path`, and whether it comes once (a pipe); see `SoundReader`. Raises `AudioError`."""
    try:
        once = comes_once(path)
        if once and str(path) != "-" and S_ISDIR(path.stat().st_mode):
            raise AudioError(f"{name}: is a folder, not a sound file")
        if once and regular:
            raise AudioError(f"{name}: is a pipe or a device, a regular file is needed here")
        return (_piped(path, name, stopped), True) if once else (of_file(path.open("rb"), name), False)
    except OSError as error:
        raise AudioError(f"{name}: {error.strerror}") from error
    except ValueError as error:  # a zero byte in the path; `AudioError` is one too
        raise error if isinstance(error, AudioError) else AudioError(f"{name!r}: {error}") from error


def of_bytes(data: bytes, name: str) -> Source:
    """The sound in the bytes of a file; raises `AudioError`."""
    return of_file(io.BytesIO(data), name)


def of_file(file: BinaryIO, name: str) -> Source:
    """The sound in `file`, which the source closes in the end; raises `AudioError`."""
    try:
        head = file.read(HEAD_BYTES)
        if not head:
            raise AudioError(f"{name}: is empty")
        if is_wave(head):
            return _wave(file, name)
        return SndfileSource(file, name, starts(file))
    except BaseException:
        file.close()
        raise


def _wave(file: BinaryIO, name: str) -> Source:
    """A WAV file: as a stream where its sizes are not those of one whole file."""
    size = file.seek(0, io.SEEK_END)
    file.seek(0)
    header = _header(file)
    if header is None:
        return SndfileSource(file, name, [0])
    room = size - header.data_at
    honest = 0 < header.announced <= room
    joined = any(matches(file, SIGNATURE, header.data_at + (header.announced if honest else 0)))
    if header.format.subtype is None:
        if joined or header.announced == 0:
            fault = "several coded WAV files are joined in it" if joined else "its header says no length"
            raise unreadable(name, b"", fault)
        return SndfileSource(file, name, [0])
    if honest and not joined:
        return SndfileSource(file, name, [0])
    file.seek(0)
    return WaveSource(lambda: file.read(1 << 20), file.close, name, room // header.format.block_bytes)


def _header(file: BinaryIO) -> WaveHeader | None:
    """The header, or None where it is damaged: libsndfile may know what to make of it."""
    data = b""
    while piece := file.read(HEAD_BYTES if not data else 1 << 20):
        data += piece
        try:
            if header := read_header(data):
                return header
        except AudioError:
            return None
    return None


def _piped(path: Path, name: str, stopped: Callable[[], bool]) -> Source:
    """The sound in a pipe: WAV as it comes, everything else once all of it is there."""
    try:
        pipe = Pipe(path, stopped)
    except AudioError as error:
        raise AudioError(f"{name}: {error}") from None
    try:
        head = b""
        while len(head) < HEAD_BYTES and (not head or not is_wave(head)) and (piece := pipe.read()):
            head += piece
        if not head:
            raise AudioError(f"{name}: is empty")
        if is_wave(head) and _is_pcm(head, pipe):
            return WaveSource(pipe.read, pipe.close, name)
        if not is_wave(head) and not known_format(head):
            raise unreadable(name, head)
        pipe.unread(head)
        file = _spooled(pipe, name)
    except BaseException:
        pipe.close()
        raise
    pipe.close()
    return of_file(file, name)


def _is_pcm(head: bytes, pipe: Pipe) -> bool:
    """Whether the WAV that begins with `head` can be read as it comes; `pipe` then begins with `head` again."""
    header = None
    try:
        while (header := read_header(head)) is None and (piece := pipe.read()):
            head += piece
    except AudioError:
        pass  # whoever reads on says so
    pipe.unread(head)
    return header is None or header.format.subtype is not None


def _spooled(pipe: Pipe, name: str) -> BinaryIO:
    file = tempfile.TemporaryFile()  # noqa: SIM115  # whoever reads it closes it
    size = 0
    try:
        while piece := pipe.read():
            size += file.write(piece)
            if size > LARGEST_SPOOL:
                raise AudioError(f"{name}: more than {LARGEST_SPOOL // 1_000_000_000} GB: write it to a file first")
        file.seek(0)
    except BaseException:
        file.close()
        raise
    return file

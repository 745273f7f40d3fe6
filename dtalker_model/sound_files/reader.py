"""Speech from a file, in blocks of floats: any format that libsndfile reads, never the whole file at once."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

import numpy as np
import numpy.typing as npt

from dtalker_model.errors import AudioError
from dtalker_model.hearing.audio import MAX_CHANNELS, check_level, check_rate
from dtalker_model.sound_files.source import Source, of_bytes, opened

FULL_SCALE_16 = 32_768.0


@dataclass(frozen=True)
class SoundInfo:
    """What the file's header says."""

    sample_rate_hz: int
    channels: int
    frames: int
    """Samples of each channel; an estimate in some formats, 0 where nobody knows (a pipe)."""

    @property
    def duration_s(self) -> float:
        """Length in seconds; 0 where it is not known."""
        return self.frames / self.sample_rate_hz


class SoundReader:
    """Context manager that opens a sound; raises `AudioError` naming it when it is none, or none for us.

    Joined files are read one after the other. A pipe is read as it comes where it carries WAV, and to its end first
    where it carries anything else.
    """

    def __init__(
        self, source: Path | bytes, name: str = "", stopped: Callable[[], bool] = lambda: False, regular: bool = False
    ) -> None:
        """`source`: a path, ``-`` for standard input, or a file's bytes, called `name` in errors. `stopped`: whether to
        wait no longer for a pipe; the sound then ends there. `regular`: refuse what is no regular file.
        """
        self.path = source if isinstance(source, Path) else Path(name)
        self.name = name or ("standard input" if str(source) == "-" else str(source))
        self._source: Source
        self.comes_once = False
        """Whether it comes through a pipe, so that nobody else can read it."""
        if isinstance(source, Path):
            self._source, self.comes_once = opened(source, self.name, stopped, regular)
        else:
            self._source = of_bytes(source, self.name)
        self.info = SoundInfo(self._source.sample_rate_hz, self._source.channels, self._source.frames)
        try:
            check_rate(self.info.sample_rate_hz)
            if self.info.channels > MAX_CHANNELS:
                raise AudioError(f"{self.info.channels} channels, at most {MAX_CHANNELS} are read")
        except AudioError as error:
            self._source.close()
            raise AudioError(f"{self.name}: {error}") from None

    def __enter__(self) -> "SoundReader":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Read no more; may be called again."""
        self._source.close()

    def blocks(self, samples: int) -> Iterator[npt.NDArray[np.float32]]:
        """PCM (up to `samples`, channels) in -1..1, until the file ends; raises `AudioError` when it holds none."""
        heard = 0
        while len(block := self._block(samples, heard)):
            heard += len(block)
            yield block
        if heard == 0:
            raise AudioError(f"{self.name}: holds no samples")

    def blocks_16(self, samples: int) -> Iterator[npt.NDArray[np.int16]]:
        """The same as int16 at full scale; raises `AudioError` for floats that are no sound (see `check_level`)."""
        with self.named():
            for block in self.blocks(samples):
                check_level(float(np.abs(block).max()))
                yield np.clip(np.rint(block * FULL_SCALE_16), -FULL_SCALE_16, FULL_SCALE_16 - 1).astype(np.int16)

    @contextmanager
    def named(self) -> Iterator[None]:
        """An `AudioError` about samples of this file, raised inside, names the file."""
        try:
            yield
        except AudioError as error:
            at_fault = str(error)
            raise AudioError(at_fault if at_fault.startswith(self.name) else f"{self.name}: {at_fault}") from error

    def _block(self, samples: int, heard: int) -> npt.NDArray[np.float32]:
        try:
            return self._source.read(samples)
        except AudioError as error:
            at_s = heard / self.info.sample_rate_hz
            raise AudioError(f"{self.name}: broken after {at_s:.2f} s: {error}") from error

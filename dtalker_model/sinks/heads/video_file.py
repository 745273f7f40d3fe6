"""A film of the head with the sound, for people who have no engine at hand."""

import contextlib
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from dtalker_model.blendshapes import ARKIT_NAMES
from dtalker_model.errors import AudioError, SinkError
from dtalker_model.sinks.heads.ffmpeg import Encoder, defragment, find_ffmpeg
from dtalker_model.sinks.heads.glb_morphs import damaged, read_head
from dtalker_model.sinks.heads.head_picture import HeadPicture
from dtalker_model.sinks.heads.live_film import LiveFilm
from dtalker_model.sinks.protocol import StreamInfo, TimedWeights

RATE_HZ = 30.0
SIZE = 480
MOST_CHANNELS = 8
"""More than AAC can carry become one."""


class VideoSink:
    """``video:FILE.mp4``; `size` in pixels, `avatar`: another head with ARKit morph targets.

    The frames of a file wait in memory (6 kB a second) and are drawn in `close`; those of a live stream are drawn and
    encoded while it runs. The sound is the stream's, where it has one, as our own reader hears it: both begin together.
    """

    address = None

    def __init__(
        self,
        target: str,
        label: str = "video",
        rate_hz: float | None = None,
        avatar: Path | None = None,
        size: int = SIZE,
    ) -> None:
        self.label, self.rate_hz = label, rate_hz or RATE_HZ
        self.path = Path(target)
        self._avatar, self._size = avatar, size
        self._info = StreamInfo(0)
        self._picture: HeadPicture | None = None
        self._frames: list[TimedWeights] = []
        self._film: LiveFilm | None = None

    def open(self, info: StreamInfo) -> None:
        find_ffmpeg()
        if self.path.suffix.lower() != ".mp4":
            raise SinkError(f"{self.path}: the name must end in .mp4")
        self._info = info
        with damaged(self._avatar):
            picture = HeadPicture(read_head(self._avatar), self._size)
            picture.draw(np.zeros(len(ARKIT_NAMES), np.float32))
        try:
            self._part.touch()
        except OSError as error:
            raise SinkError(f"cannot write {self.path}: {error.strerror}") from error
        self._picture = picture

    def write(self, frame: TimedWeights) -> None:
        if not self._info.live:
            self._frames.append(frame)
            return
        if self._film is None:
            assert self._picture is not None
            encoder = Encoder(self._part, self._size, round(self.rate_hz), None, 0.0)
            self._film = LiveFilm(encoder, self._picture, self.rate_hz)
        self._film.put(frame)

    def close(self) -> None:
        """Draw and encode what is left to do; an interruption ends the film there."""
        picture, self._picture = self._picture, None
        if picture is None:
            return
        if self._film is not None:
            self._end(self._film)
        elif self._frames:
            self._draw_all(picture)
        else:
            self._part.unlink(missing_ok=True)

    def _end(self, film: LiveFilm) -> None:
        try:
            film.finish(self._tell)
        except SinkError as error:
            raise SinkError(f"{error}{self._left_over()}") from error
        except KeyboardInterrupt:
            if film.pictures:
                self._finish_with_sound(film.pictures)
            else:
                self._part.unlink(missing_ok=True)
            raise
        self._finish_with_sound(film.pictures)

    def _finish(self, pictures: int, sound: Path | None = None) -> None:
        """Give the film its name; `sound` runs along, where it is not in it yet."""
        defragment(self._part, self.path, pictures / self.rate_hz, sound)

    def _finish_with_sound(self, pictures: int) -> None:
        if self._info.speech is None:
            return self._finish(pictures)
        with tempfile.TemporaryDirectory() as folder:
            sound = Path(folder) / "speech.wav"
            _copy_sound(self._info.speech, sound, pictures / self.rate_hz)
            return self._finish(pictures, sound)

    def _draw_all(self, picture: HeadPicture) -> None:
        faces = self._faces()
        done = 0
        try:
            with self._encoder(len(faces)) as encoder:
                for face in faces:
                    encoder.write(picture.draw(face.weights, face.head))
                    done += 1
                    self._tell(done / len(faces))
        except SinkError as error:
            raise SinkError(f"{error}{self._left_over()}") from error
        except KeyboardInterrupt:
            if done:
                self._finish(done)
            else:
                self._part.unlink(missing_ok=True)
            raise
        self._finish(len(faces))

    @contextlib.contextmanager
    def _encoder(self, pictures: int) -> Iterator[Encoder]:
        """ffmpeg with the film's sound; raises `SinkError`."""
        length_s, speech = pictures / self.rate_hz, self._info.speech
        with tempfile.TemporaryDirectory() as folder:
            sound = None if speech is None else Path(folder) / "speech.wav"
            if sound is not None and speech is not None:
                _copy_sound(speech, sound, length_s)
            encoder = Encoder(self._part, self._size, round(self.rate_hz), sound, length_s)
            try:
                yield encoder
            finally:
                encoder.close()

    @property
    def _part(self) -> Path:
        return self.path.with_name(f"{self.path.stem}.part{self.path.suffix}")

    def _faces(self) -> list[TimedWeights]:
        """One face for each picture from time 0 on; a pause in the stream holds the last one."""
        times_s = np.array([frame.time_s for frame in self._frames])
        pictures = round(float(times_s[-1]) * self.rate_hz) + 1
        shown = np.searchsorted(times_s, np.arange(pictures) / self.rate_hz + 1e-6, side="right") - 1
        return [self._frames[max(0, index)] for index in shown]

    def _tell(self, part: float) -> None:
        if self._info.progress is not None:
            self._info.progress("drawing the video", part)

    def _left_over(self) -> str:
        with contextlib.suppress(OSError):
            if self._part.stat().st_size > 0:
                return f"; what was written so far is in {self._part}"
            self._part.unlink()
        return ""


def _copy_sound(speech: Path, to: Path, length_s: float) -> None:
    """The first `length_s` of `speech` as PCM; raises `SinkError`."""
    import soundfile

    from dtalker_model.sound_files.reader import SoundReader

    try:
        with SoundReader(speech) as reader:
            rate_hz, channels = reader.info.sample_rate_hz, reader.info.channels
            left = round(length_s * rate_hz) + 1
            mixed = channels > MOST_CHANNELS
            with soundfile.SoundFile(to, "w", rate_hz, 1 if mixed else channels, "PCM_16", format="RF64") as file:
                for block in reader.blocks(rate_hz):
                    file.write((block.mean(axis=1) if mixed else block)[:left])
                    left -= len(block)
                    if left <= 0:
                        break
    except (AudioError, OSError, soundfile.SoundFileError) as error:
        raise SinkError(f"cannot copy the film's sound: {error}") from error

"""The program ffmpeg, fed with raw pictures."""

import contextlib
import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

from dtalker_model.errors import SinkError

_TROUBLE = re.compile(r"Error (closing|writing)|No space left|too large|quota|Input/output error")
"""A disk that fills up at the very end leaves ffmpeg's exit code at 0."""

_SOUND = ("-c:a", "aac", "-ar", "48000")
"""One rate for all sounds: what AAC puts in front of the first sample is then 21 ms, for players that show it."""


def find_ffmpeg() -> str:
    """Path of the program; raises `SinkError` where it is not installed."""
    found = shutil.which("ffmpeg")
    if found is None:
        raise SinkError("video needs ffmpeg: apt install ffmpeg (or see ffmpeg.org), then run it again")
    return found


class Encoder:
    """Pictures of `size` x `size` RGB at `rate_hz` into `path`, an MP4 in fragments: readable however it ends."""

    def __init__(self, path: Path, size: int, rate_hz: int, sound: Path | None, length_s: float) -> None:
        """`sound` (WAV, 1 to 8 channels) runs along for `length_s` seconds. Raises `SinkError`."""
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115  # closed in `close`
        pictures = ["-f", "rawvideo", "-pix_fmt", "rgb24", "-s", f"{size}x{size}", "-r", str(rate_hz), "-i", "-"]
        audio = [] if sound is None else ["-i", _file(sound), "-map", "0:v", "-map", "1:a:0", "-t", f"{length_s}"]
        audio += [] if sound is None else _SOUND
        # Pictures in the order of their times begin at 0, and only `delay_moov` notes what AAC put in front.
        form = ["-pix_fmt", "yuv420p", "-g", str(rate_hz), "-bf", "0"]
        form += ["-movflags", "+frag_keyframe+delay_moov+default_base_moof"]
        command = [find_ffmpeg(), "-y", "-loglevel", "error", *pictures, *audio, *form, "-f", "mp4", _file(path)]
        # A session of its own: Ctrl-C is for us, who then end the file properly.
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=self._errors, start_new_session=True
        )

    def write(self, picture: bytes) -> None:
        """Append a picture; raises `SinkError` with ffmpeg's reason when it has given up."""
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(picture)
        except OSError:
            raise SinkError(self._reason()) from None

    def close(self) -> None:
        """End the file; raises `SinkError` with ffmpeg's reason when it is not whole."""
        assert self._process.stdin is not None
        try:
            with contextlib.suppress(OSError):
                self._process.stdin.close()
            if self._process.wait() != 0 or _TROUBLE.search(self._said()):
                raise SinkError(self._reason())
        finally:
            self._errors.close()

    def _reason(self) -> str:
        code = self._process.wait()
        lines = self._said().strip().splitlines()
        telling = [line for line in lines if _TROUBLE.search(line)] or lines
        return f"ffmpeg gave up: {telling[-1].strip() if telling else f'exit code {code}'}"

    def _said(self) -> str:
        self._errors.seek(0)
        return self._errors.read().decode(errors="replace")


def defragment(part: Path, path: Path, length_s: float, sound: Path | None = None) -> None:
    """Make `path` of the first `length_s` of `part`, its index in front, as every player likes it.

    `sound` is a file that runs along. Where there is no room for all that, `part` itself gets the name.
    """
    whole = part.with_name(f"{path.stem}.whole{path.suffix}")
    audio = ["-map", "0"] if sound is None else ["-i", _file(sound), "-map", "0", "-map", "1:a:0"]
    form = ["-c", "copy", *(() if sound is None else _SOUND), "-t", f"{length_s}", "-movflags", "+faststart"]
    # The times as they are: else all is moved by what AAC put in front, the pictures too.
    copy = ["-copyts", "-i", _file(part), *audio, *form]
    run = subprocess.run(
        [find_ffmpeg(), "-y", "-loglevel", "error", *copy, "-f", "mp4", _file(whole)],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
        start_new_session=True,
    )
    if run.returncode == 0:
        os.replace(whole, path)
        part.unlink()
    else:
        whole.unlink(missing_ok=True)
        os.replace(part, path)


def _file(path: Path) -> str:
    """`path` as ffmpeg takes it for no option (``-take.mp4``) and no protocol (``take:1.mp4``)."""
    return f"file:{path}"

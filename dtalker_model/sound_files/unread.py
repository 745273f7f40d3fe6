"""What to say about a file that libsndfile does not read: what it is, where that is plain, and how to convert it."""

import re
import shlex
from pathlib import Path

from dtalker_model.errors import AudioError

_KNOWN = "WAV, FLAC, OGG, MP3, AIFF and others are"
_OTHERS = (
    (re.compile(rb"[\x00-\xff]{4}ftyp"), "M4A or MP4"),
    (re.compile(rb"\x1a\x45\xdf\xa3"), "WebM or Matroska"),
    (re.compile(rb"\x30\x26\xb2\x75\x8e\x66\xcf\x11"), "WMA"),
    (re.compile(rb"#!AMR"), "AMR"),
    (re.compile(rb"\xff[\xf0\xf1\xf8\xf9]"), "AAC"),
    (re.compile(rb"\x0b\x77"), "AC-3"),
    (re.compile(rb"MAC "), "Monkey's Audio"),
    (re.compile(rb"wvpk"), "WavPack"),
)


class UnreadableError(AudioError):
    """A file that is none for us; `reason`: what is wrong with it, where that is known."""

    def __init__(self, message: str, reason: str) -> None:
        super().__init__(message)
        self.reason = reason


def unreadable(name: str, head: bytes, reason: str = "") -> UnreadableError:
    """The error for the file `name` that begins with `head`; `reason`: what is wrong with it, where that is known."""
    codec = next((codec for pattern, codec in _OTHERS if pattern.match(head)), "")
    if reason:
        fault = f"{reason}; "
    elif codec:
        fault = f"is {codec}, which is not read ({_KNOWN}); "
    else:
        fault = f"not a sound file that can be read ({_KNOWN}); if it is another kind of sound, "
    return UnreadableError(f"{name}: {fault}convert it: {_command(name)}", reason)


def _command(name: str) -> str:
    path = Path(name)
    if name == "standard input":
        return "ffmpeg -i X -f wav -"
    stem = f"{path.stem}-pcm" if path.suffix.lower() == ".wav" else path.stem
    return f"ffmpeg -i {_argument(path)} {_argument(path.with_name(f'{stem}.wav'))}"


def _argument(path: Path) -> str:
    """A path as ffmpeg takes it for no option and no protocol."""
    text = str(path)
    return shlex.quote(f"file:{text}" if text.startswith("-") or ":" in text else text)

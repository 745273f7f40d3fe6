"""The user's library of enrolled voices: one file, whole at every moment, whoever else writes it."""

from __future__ import annotations

import logging
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from dtalker_model.card import ModelCard
from dtalker_model.errors import SettingError, SinkError, VoiceError
from dtalker_model.part_file import PartFile
from dtalker_model.settings import Settings
from dtalker_model.voices.voices import Voice, unknown_names
from dtalker_model.voices.voices_file import encode_voices, read_voices

LOG = logging.getLogger("dtalker")
LOCK_S = 10.0
"""Another program's change takes milliseconds; one that lasts this long is not waited for."""
LOCK_POLL_S = 0.01


def library_path() -> Path:
    """``dtalker/voices.safetensors`` in ``$XDG_DATA_HOME``, else in the system's place for a user's data."""
    given = os.environ.get("XDG_DATA_HOME", "")
    try:
        folder = Path(given) if os.path.isabs(given) else _platform_folder()
    except RuntimeError as error:  # no home folder
        raise VoiceError("no folder for a user's data: set XDG_DATA_HOME") from error
    return folder / "dtalker" / "voices.safetensors"


def _platform_folder() -> Path:
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support"
    return Path.home() / ".local" / "share"


class VoiceLibrary:
    """The voices in the file `path`. Readers see all of a change or nothing of it; writers take turns."""

    def __init__(self, path: Path | None = None) -> None:
        """`path`: `library_path()` where None; the file need not exist."""
        self.path = path or library_path()

    def voices(self) -> list[Voice]:
        """All voices, by name; raises `VoiceError`."""
        return read_voices(self.path)

    def require_free(self, name: str, model_sha256: str) -> None:
        """Raise `SettingError` where the model has a voice of that name."""
        _require_free(self.voices(), name, model_sha256)

    def add(self, voice: Voice, replace: bool = False) -> None:
        """Store `voice`; one of the same name and model is replaced where `replace`, else refused.

        Raises:
            SettingError: the name is taken. VoiceError: the library cannot be read. SinkError: it cannot be written.
        """

        def added(voices: list[Voice]) -> list[Voice]:
            if not replace:
                _require_free(voices, voice.name, voice.model_sha256)
            return [v for v in voices if (v.name, v.model_sha256) != (voice.name, voice.model_sha256)] + [voice]

        self._change(added)

    def remove(self, name: str) -> list[Voice]:
        """Remove the voices called `name`, of every model, and return them; raises as `add` does."""
        removed: list[Voice] = []

        def without(voices: list[Voice]) -> list[Voice]:
            removed.extend(voice for voice in voices if voice.name == name)
            if not removed:
                known = ", ".join(sorted({voice.name for voice in voices})) or "none"
                raise SettingError(f"name: no voice {name!r} in {self.path}; enrolled: {known}")
            return [voice for voice in voices if voice.name != name]

        self._change(without)
        return removed

    def _change(self, changed: Callable[[list[Voice]], list[Voice]]) -> None:
        try:
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with self.path.with_suffix(".lock").open("ab") as lock, _locked(lock, self.path):
                self._write(encode_voices(changed(self.voices())))
        except SinkError:
            raise
        except OSError as error:
            raise SinkError(f"cannot write {self.path}: {error.strerror or error}") from error

    def _write(self, data: bytes) -> None:
        file = PartFile(str(self.path))
        written = False
        try:
            file.write(data, counted=False, lines=False)
            written = True
        finally:
            file.close(complete=written)


def voices_for(card: ModelCard, settings: Settings) -> list[Voice]:
    """The user's voices that the model of `card` can use.

    A library that cannot be read is an error only where `settings` need it; else the log has a warning.

    Raises:
        VoiceError: the library cannot be read. SettingError: `settings` name a voice of other models alone.
    """
    wanted = unknown_names(settings, card)
    try:
        voices = VoiceLibrary().voices()
    except VoiceError as error:
        if wanted:
            raise
        LOG.warning("%s", error)
        return []
    fitting = [voice for voice in voices if voice.model_sha256 == card.sha256 and _is_whole(voice, card, wanted)]
    for voice in voices:
        if voice.name in wanted - {v.name for v in fitting}:
            raise SettingError(_of_another_model(voice, card))
    return fitting


def _is_whole(voice: Voice, card: ModelCard, wanted: set[str]) -> bool:
    """Whether the embeddings of `voice` have the model's length; raises `VoiceError` where not and it is `wanted`."""
    lengths, length = {len(voice.identity), len(voice.emotion)}, len(card.identities["default"])
    if lengths == {length}:
        return True
    text = (
        f"voice {voice.name!r} in {library_path()} has embeddings of {max(lengths)} numbers, the model {card.name!r} "
        f"of {length}: enroll it again with --replace (in ROS, replace: true)"
    )
    if voice.name in wanted:
        raise VoiceError(text)
    LOG.warning("%s", text)
    return False


def _of_another_model(voice: Voice, card: ModelCard) -> str:
    """What is wrong with `voice`, and what to do: a model without a listener cannot enroll."""
    both = f"{voice.model!r} ({voice.model_sha256[:8]}), not with this {card.name!r} ({card.sha256[:8]})"
    advice = f"enroll it again (dtalker enroll VOICE.wav --name {voice.name} --model {card.name})"
    if not card.listener_sha256:
        advice = f"that has no listener to enroll with: take model {voice.model!r}, or a name of this model"
    return f"voice {voice.name!r} was enrolled with model {both}: {advice}"


def _require_free(voices: list[Voice], name: str, model_sha256: str) -> None:
    if any((voice.name, voice.model_sha256) == (name, model_sha256) for voice in voices):
        raise SettingError(
            f"name: there is a voice {name!r}: choose another name, or replace it (--replace; in ROS, replace: true)"
        )


@contextmanager
def _locked(lock: BinaryIO, path: Path) -> Iterator[None]:
    """Hold the lock file `lock`; the system gives it back when this process ends, however it ends."""
    end_s = time.monotonic() + LOCK_S
    while not _try_lock(lock):
        if time.monotonic() > end_s:
            raise VoiceError(f"{path} is in use by another program: try again")
        time.sleep(LOCK_POLL_S)
    yield


def _try_lock(lock: BinaryIO) -> bool:
    try:
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(lock.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if not isinstance(error, (BlockingIOError, PermissionError)):
            raise
        return False
    return True

"""Learns one voice in a thread of its own: neither callbacks nor the talker's worker wait for it. No ROS in here."""

import contextlib
import queue
import stat
import threading
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from dtalker_model.cli.enroll import hear_file
from dtalker_model.enrolment import MIN_SPEECH_S, Enrolment
from dtalker_model.errors import AudioError, DtalkerError, SettingError
from dtalker_model.voices.voices import Voice, check_name
from dtalker_model.voices.voices_library import VoiceLibrary
from dtalker_ros.audio.convert import AudioChunk

DEFAULT_SPEECH_S = 5.0
MAX_SPEECH_S = 60.0
PATIENCE = 2.0
PATIENCE_S = 10.0
"""A voice on the topic is waited for `PATIENCE` times the speech asked for and `PATIENCE_S` more."""

JOIN_S = 2.0
"""A thread that does not end within this waits for a disk or a network that does not answer; it is left alone."""
MAX_FILE_BYTES = 2_000_000_000
"""Longer than any speech: such a file would be read for an hour."""

MAX_CHUNKS = 20_000
"""Chunks that may wait to be heard; what comes beyond is not heard."""


@dataclass(frozen=True)
class Wish:
    """What to learn.

    Attributes:
        name: of the voice.
        path: sound file; empty: the topic.
        seconds: speech to hear on the topic, 3..60; 0: `DEFAULT_SPEECH_S`.
        replace: whether an enrolled voice of this name may be replaced.
    """

    name: str
    path: str = ""
    seconds: float = 0.0
    replace: bool = False

    @property
    def speech_s(self) -> float:
        """Speech to hear on the topic; raises `SettingError` where `seconds` is out of range."""
        if not (self.seconds == 0 or MIN_SPEECH_S <= self.seconds <= MAX_SPEECH_S):
            raise SettingError(
                f"seconds: received {self.seconds:g}, allowed {MIN_SPEECH_S:g} to {MAX_SPEECH_S:g} s, or 0 for "
                f"{DEFAULT_SPEECH_S:g} s"
            )
        return self.seconds or DEFAULT_SPEECH_S


@dataclass(frozen=True)
class Outcome:
    """What came of it: the voice, or None and why; and the seconds of speech that were heard."""

    voice: Voice | None
    message: str
    speech_s: float = 0.0


class Enroller:
    """Hears a file, or chunks from `hear`, and stores the voice in the user's library; then calls `done`, once."""

    def __init__(self, model: str, wish: Wish, done: Callable[[Outcome], None], wait_s: float | None = None) -> None:
        """`done` is called in the enroller's own thread; `wait_s`: longest wait for the topic, None as `PATIENCE_S`."""
        self._model, self._wish, self._done, self._wait_s = model, wish, done, wait_s
        self._chunks: queue.Queue[AudioChunk | None] = queue.Queue(MAX_CHUNKS)
        self._stopped = ""
        self._enrolment: Enrolment | None = None
        self._answered = threading.Lock()
        self._thread = threading.Thread(target=self._run, name="dtalker_enroller", daemon=True)
        self._thread.start()

    def hear(self, chunk: AudioChunk) -> None:
        """Hand over a chunk of the topic and return at once."""
        if not self._wish.path:
            with contextlib.suppress(queue.Full):
                self._chunks.put_nowait(chunk)

    def stop(self, reason: str) -> None:
        """Give up, for `reason`, and wait for the thread, but not for ever."""
        self._stopped = reason
        with contextlib.suppress(queue.Full):
            self._chunks.put_nowait(None)
        self._thread.join(JOIN_S)
        if self._thread.is_alive():
            self._answer(Outcome(None, f"not learned: {reason}", self._speech_s))

    def _run(self) -> None:
        try:
            outcome = self._learned()
        except DtalkerError as error:
            outcome = Outcome(None, str(error), self._speech_s)
        except Exception:  # whoever asked waits for an answer
            outcome = Outcome(None, f"unexpected error: {traceback.format_exc()}", self._speech_s)
        self._answer(outcome)

    def _answer(self, outcome: Outcome) -> None:
        if self._answered.acquire(blocking=False):  # never given back: there is one answer
            self._done(outcome)

    @property
    def _speech_s(self) -> float:
        return 0.0 if self._enrolment is None else self._enrolment.speech_s

    def _learned(self) -> Outcome:
        wish, library = self._wish, VoiceLibrary()
        speech_s = wish.speech_s
        if wish.path:
            _require_regular(Path(wish.path))
        enrolment = self._enrolment = Enrolment(self._model)
        check_name(wish.name, enrolment.card)
        if not wish.replace:
            library.require_free(wish.name, enrolment.card.sha256)
        if wish.path:
            hear_file(enrolment, Path(wish.path), self._go_on, regular=True)
        else:
            self._hear_topic(enrolment, speech_s)
        self._go_on()
        voice = enrolment.voice(wish.name)
        library.add(voice, wish.replace)
        message = f"learned from {voice.speech_s:.1f} s of speech, most like {enrolment.likeness()}"
        return Outcome(voice, message, voice.speech_s)

    def _hear_topic(self, enrolment: Enrolment, speech_s: float) -> None:
        """Until there is `speech_s` of speech, or time is up and what there is must do."""
        wait_s = PATIENCE * speech_s + PATIENCE_S if self._wait_s is None else self._wait_s
        end_s = time.monotonic() + wait_s
        while enrolment.speech_s < speech_s:
            try:
                chunk = self._chunks.get(timeout=max(0.0, end_s - time.monotonic()))
            except queue.Empty:
                break
            self._go_on()
            if chunk is not None:
                enrolment.push(chunk.pcm, chunk.sample_rate_hz)
        if enrolment.heard_s == 0:
            raise AudioError(
                "no usable audio came on the topic: is something publishing it? (the log says what was refused)"
            )

    def _go_on(self) -> None:
        if self._stopped:
            raise DtalkerError(f"not learned: {self._stopped}")


def _require_regular(path: Path) -> None:
    """Raise `AudioError` for what may block whoever opens it, or never end."""
    try:
        found = path.stat()
    except (OSError, ValueError) as error:
        raise AudioError(f"{path}: {getattr(error, 'strerror', None) or error}") from error
    if stat.S_ISDIR(found.st_mode):
        raise AudioError(f"{path}: is a folder, not a sound file")
    if not stat.S_ISREG(found.st_mode):
        raise AudioError(f"{path}: is a pipe or a device, which may never end: give a sound file")
    if found.st_size > MAX_FILE_BYTES:
        raise AudioError(f"{path}: has {found.st_size / 1e9:.1f} GB: cut a minute of speech out of it")

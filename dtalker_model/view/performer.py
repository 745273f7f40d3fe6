"""The talker's own thread: it alone touches the `Talker`. Requests wait in a queue and are done between frames.

At every moment one performance is on: rest (silence, so that the face lives), a file, or a microphone. Frames are
computed `AHEAD_S` before they are shown, so that a moved slider is seen at once.
"""

import contextlib
import queue
import threading
import time
from collections import Counter
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from dtalker_model.errors import DtalkerError
from dtalker_model.faults import SaidOnce
from dtalker_model.rates import FRAME_MS
from dtalker_model.talker import Talker
from dtalker_model.view.backend import Broadcast, about_text, settings_text
from dtalker_model.view.log import LOG
from dtalker_model.view.performances import Clip, Live, Performance, Rest
from dtalker_model.view.sound import Sound
from dtalker_model.view.wire import Message, frame_message, to_json

TICK_S = FRAME_MS / 1000
BELIEF_TICKS = 10
CLOCK_TICKS = 25
WAITING = 500
"""Requests that may wait; more are dropped."""
WAITING_OF_ONE = 200
"""Of one page."""

SERVER = 0
"""The owner of the server's own microphone, where a page's number would stand."""


class Performer:
    """A `Backend` around one talker."""

    def __init__(self, talker: Talker, sound: Sound | None = None, loop: bool = False) -> None:
        self._talker = talker
        self._sound = sound
        self._loop = loop
        self._pages = Broadcast(lambda data: None, lambda kind, text: None, lambda number, text: None)
        self._requests: queue.Queue[tuple[int, Callable[[], None]]] = queue.Queue(WAITING)
        self._waiting: Counter[int] = Counter()
        self._waiting_lock = threading.Lock()
        self._watched = 0
        self._streams = 0
        self._sequence = 0
        self._owner: int | None = None
        self._listens = False
        self._performance: Performance = Rest(talker, 0)
        self._heard: object = None
        self._tell = SaidOnce(self._warn)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="performer", daemon=True)

    # Called in the server's thread.

    def connect(self, pages: Broadcast) -> None:
        """See `Backend`; starts the thread."""
        self._pages = pages
        self._thread.start()

    def close(self) -> None:
        """End the thread."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join()

    def hello(self) -> dict[str, str]:
        """See `Backend`."""
        card = self._talker.card
        model = {
            "name": card.name,
            "steps": card.steps,
            "step_counts": list(card.step_counts),
            "lookahead_ms": card.lookahead_ms,
            "licence": card.licence,
            "identities": list(card.identities),
            "emotions": list(card.emotions),
            "live": bool(card.listener_sha256),
            "articulates": card.articulates,
        }
        texts = {
            "about": about_text("talker", model, ["play", "upload", "microphone"]),
            "settings": settings_text(self._talker.settings),
            "stream": self._stream_text(),
        }
        return texts | {"sound": self._sound_text()} if self._sound else texts

    def sound(self, number: int) -> Sound | None:
        """See `Backend`."""
        return self._sound if self._sound is not None and self._sound.number == number else None

    def take_sound(self, sound: Sound) -> None:
        """See `Backend`: it is played at once."""
        self._later(SERVER, lambda: self._load(sound))

    def request(self, viewer: int, message: Message) -> None:
        """See `Backend`."""
        actions: dict[str, Callable[[], None]] = {
            "set": lambda: self._set(viewer, message.number, message.changes or {}),
            "play": lambda: self._play(message.from_s),
            "stop": self._rest,
            "loop": lambda: self._set_loop(message.on),
            "microphone": lambda: self._microphone(viewer, message),
        }
        self._later(viewer, actions[message.kind])

    def hear(self, viewer: int, pcm: npt.NDArray[np.int16], sample_rate_hz: int) -> None:
        """See `Backend`; also the server's microphone, as viewer `SERVER`."""
        self._later(viewer, lambda: self._hear(viewer, pcm, sample_rate_hz))

    def joined(self, remaining: int) -> None:
        """See `Backend`."""
        self._watched = remaining

    def left(self, viewer: int, remaining: int) -> None:
        """See `Backend`."""
        self._watched = remaining
        self._later(viewer, lambda: self._release(viewer))

    def _later(self, viewer: int, action: Callable[[], None]) -> None:
        with self._waiting_lock:
            if self._waiting[viewer] < WAITING_OF_ONE:
                with contextlib.suppress(queue.Full):
                    self._requests.put_nowait((viewer, action))
                    self._waiting[viewer] += 1
                    return
        LOG.warning("too many requests wait: one of viewer %d was dropped", viewer)

    # Called in the performer's thread.

    def _run(self) -> None:
        self._begin(Rest(self._talker, self._next_stream()))
        due_s, ticks = time.monotonic(), 0
        while not self._stop.is_set():
            if due_s <= time.monotonic():  # whatever the pages ask for, the face goes on
                due_s = max(due_s + TICK_S, time.monotonic() - TICK_S)
                ticks += 1
                self._guarded(partial(self._tick, ticks))
            with contextlib.suppress(queue.Empty):
                viewer, action = self._requests.get(timeout=max(due_s - time.monotonic(), 0.0))
                with self._waiting_lock:
                    self._waiting[viewer] -= 1
                self._guarded(action)

    def _guarded(self, action: Callable[[], None]) -> None:
        try:
            action()
        except DtalkerError as error:
            self._warn(str(error))
        except Exception:
            LOG.exception("a request failed")

    def _warn(self, text: str) -> None:
        LOG.warning("%s", text)
        self._pages.state("notice", to_json("notice", text=text))

    def _tick(self, ticks: int) -> None:
        if self._watched or not isinstance(self._performance, Rest):
            self._show(self._performance.due())
            self._tell(self._talker.faults)
        if self._performance.over:
            self._play(0.0) if self._loop and isinstance(self._performance, Clip) else self._rest()
        if ticks % CLOCK_TICKS == 0:
            self._pages.state("clock", to_json("clock", **self._performance.clock()))
        if ticks % BELIEF_TICKS == 0:
            self._pages.state("belief", self._belief_text())

    def _show(self, frames: list[Any]) -> None:
        performance = self._performance
        for frame in frames:
            time_s = frame.time_s + performance.from_s
            self._pages.frame(frame_message(performance.stream, self._sequence, time_s, frame.weights, frame.head))
            self._sequence += 1

    def _next_stream(self) -> int:
        self._streams += 1
        return self._streams

    def _begin(self, performance: Performance) -> None:
        self._talker.reset()
        self._performance = performance
        if performance.hears not in (None, self._heard):
            self._heard, self._tell = performance.hears, SaidOnce(self._warn)
        if isinstance(performance, Clip):
            self._tell(performance.sound.faults)
        self._pages.state("stream", self._stream_text())

    def _rest(self) -> None:
        self._owner = SERVER if self._listens else None
        self._begin((Live if self._listens else Rest)(self._talker, self._next_stream()))

    def _play(self, from_s: float) -> None:
        if self._sound is None:
            raise DtalkerError("there is nothing to play: drop a sound file on the page")
        self._owner = None
        self._begin(Clip(self._talker, self._next_stream(), self._sound, min(from_s, self._sound.duration_s)))

    def _load(self, sound: Sound) -> None:
        self._sound = sound
        self._pages.state("sound", self._sound_text())
        self._play(0.0)

    def _set_loop(self, on: bool) -> None:
        self._loop = on
        if self._sound is not None:
            self._pages.state("sound", self._sound_text())

    def _microphone(self, viewer: int, message: Message) -> None:
        if message.on and self._owner not in (None, SERVER, viewer):
            self._pages.answer(viewer, to_json("refused", id=message.number, reason="another microphone is on"))
        elif message.on:
            self._owner = viewer
            self._begin(Live(self._talker, self._next_stream()))
        else:
            self._release(viewer)

    def open_microphone(self) -> None:
        """From now on, listen to what `hear` gets as viewer `SERVER` wherever there would be rest."""
        self._listens = True
        self._later(SERVER, self._rest)

    def _release(self, viewer: int) -> None:
        if self._owner == viewer:
            self._rest()

    def _hear(self, viewer: int, pcm: npt.NDArray[np.int16], sample_rate_hz: int) -> None:
        if viewer == self._owner and isinstance(self._performance, Live):
            self._show(self._performance.hear(pcm, sample_rate_hz))

    def _set(self, viewer: int, number: int, changes: dict[str, Any]) -> None:
        try:
            self._talker.set(**changes)
        except DtalkerError as error:
            LOG.warning("viewer %d: refused %s", viewer, error)
            self._pages.answer(viewer, to_json("refused", id=number, reason=str(error)))
        else:
            self._pages.answer(viewer, to_json("applied", id=number, sequence=self._sequence))
        self._pages.state("settings", settings_text(self._talker.settings))

    def _stream_text(self) -> str:
        return to_json("stream", kind=self._performance.kind, **self._performance.clock())

    def _sound_text(self) -> str:
        sound = self._sound
        assert sound is not None
        fields = {"url": sound.url, "name": sound.name, "duration_s": sound.duration_s, "loop": self._loop}
        return to_json("sound", peaks=sound.peaks, **fields)

    def _belief_text(self) -> str:
        belief = self._talker.belief
        fields = {"identities": belief.identities, "emotions": belief.emotions}
        return to_json("belief", speaking=belief.speaking, speech_s=belief.speech_s, **fields)

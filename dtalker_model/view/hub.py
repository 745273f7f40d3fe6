"""Who watches: each viewer has a bounded outbox and a task that empties it, so that a slow one delays nobody."""

import asyncio
from collections import deque
from itertools import count
from typing import Protocol

from dtalker_model.view.log import LOG

FRAMES = 100
"""Binary messages that wait for a slow viewer: two seconds of frames; then the oldest goes."""
ANSWERS = 50
"""Answers and notices that wait; then the oldest goes."""


class Socket(Protocol):
    """What a viewer is written to."""

    async def send_bytes(self, data: bytes) -> None: ...
    async def send_str(self, data: str) -> None: ...


class Viewer:
    """One open page. Everything here runs in the server's loop."""

    _numbers = count(1)

    def __init__(self, socket: Socket) -> None:
        self.number = next(self._numbers)
        self.dropped = 0
        """Frames that it was too slow for."""
        self._socket = socket
        self._frames: deque[bytes] = deque()
        self._answers: deque[str] = deque(maxlen=ANSWERS)
        self._states: dict[str, str] = {}
        self._wake = asyncio.Event()

    def put_frame(self, data: bytes) -> None:
        """Queue a binary message; the oldest goes when too many wait."""
        if len(self._frames) >= FRAMES:
            self._frames.popleft()
            self.dropped += 1
        self._frames.append(data)
        self._wake.set()

    def put_answer(self, text: str) -> None:
        """Queue a text of its own."""
        self._answers.append(text)
        self._wake.set()

    def put_state(self, kind: str, text: str) -> None:
        """Queue a text that replaces a waiting one of the same kind."""
        self._states.pop(kind, None)
        self._states[kind] = text
        self._wake.set()

    async def write(self) -> None:
        """Send what is queued, until cancelled or until the connection is lost."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            while self._frames or self._answers or self._states:
                while self._states:
                    await self._socket.send_str(self._states.pop(next(iter(self._states))))
                while self._answers:
                    await self._socket.send_str(self._answers.popleft())
                if self._frames:
                    await self._socket.send_bytes(self._frames.popleft())


class Hub:
    """All viewers. Everything here runs in the server's loop."""

    def __init__(self) -> None:
        self.viewers: dict[int, Viewer] = {}

    def join(self, viewer: Viewer) -> None:
        """Begin to send to `viewer`."""
        self.viewers[viewer.number] = viewer
        LOG.info("viewer %d joined, %d now", viewer.number, len(self.viewers))

    def leave(self, viewer: Viewer) -> None:
        """Send no more to `viewer`."""
        self.viewers.pop(viewer.number, None)
        lost = f", too slow for {viewer.dropped} frames" if viewer.dropped else ""
        LOG.info("viewer %d left%s, %d now", viewer.number, lost, len(self.viewers))

    def frame(self, data: bytes) -> None:
        """A binary message for everybody."""
        for viewer in self.viewers.values():
            viewer.put_frame(data)

    def state(self, kind: str, text: str) -> None:
        """A text for everybody; only the newest of its kind matters."""
        for viewer in self.viewers.values():
            viewer.put_state(kind, text)

    def answer(self, number: int, text: str) -> None:
        """A text for the viewer of this number, if it is still there."""
        if number in self.viewers:
            self.viewers[number].put_answer(text)

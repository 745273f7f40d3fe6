"""Datagrams when their frame is due: programs show what arrives when it arrives."""

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence

DELAY_S = 0.02
"""Live frames come in steps of 20 ms; those made in between wait up to this long, so that all leave evenly."""
EARLIEST_S = 3 * DELAY_S
"""Frames that would wait longer than this are ahead of us (the sound card's clock is faster): we catch up."""

Send = Callable[[bytes], None]
Datagrams = Sequence[bytes]


class FilePace:
    """For frames computed ahead: each call of `send` waits until its frame is due, and so slows the computation."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._begun_s: float | None = None

    def send(self, time_s: float, datagrams: Datagrams) -> None:
        """Send the datagrams of the frame at `time_s`; the first call begins the time."""
        now_s = time.monotonic()
        if self._begun_s is None:
            self._begun_s = now_s - time_s
        time.sleep(max(0.0, self._begun_s + time_s - now_s))
        for datagram in datagrams:
            self._send(datagram)

    def close(self) -> None:
        """Nothing waits."""


class LivePace:
    """For live frames: `send` returns at once, a thread sends."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._begun_s: float | None = None
        self._waiting: deque[tuple[float, Datagrams]] = deque()
        self._changed = threading.Condition()
        self._ended = False
        self._error: Exception | None = None
        self._thread = threading.Thread(target=self._run, name="dtalker_pace", daemon=True)
        self._thread.start()

    def send(self, time_s: float, datagrams: Datagrams) -> None:
        """Send the datagrams of the frame at `time_s` soon; raises what sending raised before."""
        if self._error is not None:
            raise self._error
        with self._changed:
            self._waiting.append((self._due_s(time_s), datagrams))
            self._changed.notify()

    def close(self) -> None:
        """Send what waits and end the thread."""
        with self._changed:
            self._ended = True
            self._changed.notify()
        self._thread.join()

    def _due_s(self, time_s: float) -> float:
        """When to send, on `time.monotonic`; late frames shift the time of all that follow."""
        now_s = time.monotonic()
        if self._begun_s is None or not 0 <= self._begun_s + time_s - now_s <= EARLIEST_S:
            self._begun_s = now_s - time_s + DELAY_S
        return self._begun_s + time_s

    def _run(self) -> None:
        while True:
            with self._changed:
                while not self._waiting and not self._ended:
                    self._changed.wait()
                if not self._waiting:
                    return
                due_s, datagrams = self._waiting.popleft()
            time.sleep(max(0.0, due_s - time.monotonic()))
            try:
                for datagram in datagrams:
                    self._send(datagram)
            except Exception as error:
                self._error = error
                return

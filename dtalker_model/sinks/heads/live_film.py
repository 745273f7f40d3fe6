"""A film that is drawn and encoded while the stream runs, in a thread of its own: little is left to do at its end."""

import threading
from collections import deque
from collections.abc import Callable

from dtalker_model.errors import SinkError
from dtalker_model.sinks.heads.ffmpeg import Encoder
from dtalker_model.sinks.heads.head_picture import HeadPicture
from dtalker_model.sinks.protocol import TimedWeights

POLL_S = 0.2
"""An interruption of the wait for the end is noticed within this."""
ROUNDING_S = 1e-6


class LiveFilm:
    """One picture for each multiple of ``1 / rate_hz`` from 0 on, of the face at that time; a pause holds the last."""

    def __init__(self, encoder: Encoder, picture: HeadPicture, rate_hz: float) -> None:
        self._encoder, self._picture, self._rate_hz = encoder, picture, rate_hz
        self.pictures = 0
        """Pictures that were encoded so far."""
        self._waiting: deque[TimedWeights] = deque()
        self._drawn: tuple[TimedWeights, bytes] | None = None
        self._newest_s = 0.0
        self._changed = threading.Condition()
        self._ended = self._cut = False
        self._error: SinkError | None = None
        self._thread = threading.Thread(target=self._run, name="dtalker_film", daemon=True)
        self._thread.start()

    def put(self, frame: TimedWeights) -> None:
        """Hand over a frame and return at once; raises the `SinkError` that drawing or encoding met before."""
        if self._error is not None:
            raise self._error
        with self._changed:
            self._newest_s = frame.time_s
            self._waiting.append(frame)
            self._changed.notify()

    def finish(self, tell: Callable[[float], None]) -> None:
        """Wait until all is encoded, and end the file; `tell` gets the part that is done.

        An interruption ends the film at the picture that is being drawn. Raises `SinkError`.
        """
        with self._changed:
            self._ended = True
            self._changed.notify()
        try:
            while self._thread.is_alive():
                tell(self.pictures / (self._newest_s * self._rate_hz + 1))
                self._thread.join(POLL_S)
        finally:
            self._cut = True
            self._thread.join()
            self._encoder.close()
        if self._error is not None:
            raise self._error

    def _run(self) -> None:
        last: TimedWeights | None = None
        try:
            while (frame := self._next()) is not None:
                self._show_until(frame.time_s - ROUNDING_S, last or frame)
                last = frame
            if last is not None:
                self._show_until((round(last.time_s * self._rate_hz) + 0.5) / self._rate_hz, last)
        except SinkError as error:
            self._error = error
        except Exception as error:  # whatever drawing met: the thread ends, and the stream's own is told
            self._error = SinkError(f"{type(error).__name__}: {error}")

    def _next(self) -> TimedWeights | None:
        """The next frame, waiting for it; None at the end."""
        with self._changed:
            while not self._waiting and not self._ended:
                self._changed.wait()
            return self._waiting.popleft() if self._waiting and not self._cut else None

    def _show_until(self, end_s: float, frame: TimedWeights) -> None:
        """Encode `frame` as every picture that is still to come before `end_s`."""
        while self.pictures / self._rate_hz < end_s and not self._cut:
            if self._drawn is None or self._drawn[0] is not frame:
                self._drawn = frame, self._picture.draw(frame.weights, frame.head)
            self._encoder.write(self._drawn[1])
            self.pictures += 1

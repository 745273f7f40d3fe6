"""One stream of frames to several sinks, none of which can hurt another."""

import contextlib
import math
from collections.abc import Callable, Sequence
from types import TracebackType

import numpy as np

from dtalker_model.errors import DtalkerError, SinkError
from dtalker_model.sinks.protocol import Sink, SinkFrame, StreamInfo, TimedWeights
from dtalker_model.sinks.resample import Resample

EASE_S = 0.1
"""What is sent over a network eases to a face at rest within this when it ends."""
REST_FRAMES = 3
"""At rest, in the end: one may be lost on the way."""


class FanOut:
    """Context manager that opens sinks, writes every frame to each at its own rate, and closes them all.

    A sink that fails is closed and reported once; the others go on. `failures` holds what was reported.
    """

    def __init__(
        self, sinks: Sequence[Sink], info: StreamInfo, report: Callable[[str], None], needed: bool = True
    ) -> None:
        """`report` is called with one line for each sink that fails; `needed`: it is an error when none is left."""
        self._needed = needed
        self._sinks, self._info, self._report = tuple(sinks), info, report
        self._open: dict[Sink, Resample | None] = {}
        self.failures: list[str] = []
        self._ended = 0
        self._last: TimedWeights | None = None
        self._held = False

    def __enter__(self) -> "FanOut":
        try:
            for sink in self._sinks:
                rate_hz = None if sink.rate_hz == self._info.frame_rate_hz else sink.rate_hz
                self._open[sink] = None if rate_hz is None else Resample(rate_hz, self._info.frame_rate_hz)
                self._guarded(sink, self._open_one)
            self.require_one()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def open_labels(self) -> list[str]:
        """Labels of the sinks that are open."""
        return [sink.label for sink in self._open]

    def write(self, frames: Sequence[TimedWeights]) -> None:
        """Write `frames`; one that is not later than those before is left out (a stream that began anew). In place of
        one that is not finite comes the face before it: no file and no program is to meet NaN.

        Raises `SinkError` when there were sinks and none is left.
        """
        for frame in frames:
            if self._last is not None and frame.time_s <= self._last.time_s:
                continue
            frame = self._last = self._finite(frame)
            for sink in tuple(self._open):
                self._guarded(sink, lambda sink, frame=frame: self._write_one(sink, frame))  # type: ignore[misc]
        self.require_one()

    def close(self) -> None:
        """Close every sink that is still open; may be called again. An interruption ends one sink's closing only."""
        interrupt: KeyboardInterrupt | None = None
        for sink in tuple(self._open):
            for action in (self._end_one, self._ease_one, self._end_one, self._close_one):
                try:
                    if sink in self._open:
                        self._guarded(sink, action)
                except KeyboardInterrupt as error:
                    interrupt = error
        if interrupt is not None:
            raise interrupt

    def require_one(self) -> None:
        """Raise `SinkError` when no sink is left of those there were, unless their readers just went away."""
        if self._needed and self._sinks and not self._open:
            if not self.failures:
                raise BrokenPipeError
            raise SinkError(self.failures[-1] if len(self._sinks) == 1 else "no sink is left: see the messages above")

    def require_all(self) -> None:
        """Raise `SinkError` when any sink failed; for the end."""
        if self.failures:
            told = len(self._sinks) > 1 or not self._needed
            raise SinkError(f"{len(self.failures)} of {len(self._sinks)} sinks failed" if told else self.failures[0])

    def _open_one(self, sink: Sink) -> None:
        sink.open(self._info)

    def _finite(self, frame: TimedWeights) -> TimedWeights:
        if np.isfinite(frame.weights).all() and np.isfinite(frame.head).all():
            return frame
        if not self._held:
            self._report("the frames hold NaN: the face before is held; look at what makes them")
        self._held = True
        if self._last is None:
            return SinkFrame(frame.time_s, np.zeros(len(self._info.names), np.float32))
        return SinkFrame(frame.time_s, self._last.weights, self._last.head)

    def _write_one(self, sink: Sink, frame: TimedWeights) -> None:
        resample = self._open[sink]
        if resample is None:
            sink.write(frame)
        else:
            for between in resample.push(frame):
                sink.write(between)

    def _ease_one(self, sink: Sink) -> None:
        """Bring a face that somebody goes on showing to rest."""
        if sink.address is None or self._last is None:
            return
        steps = math.ceil(EASE_S * self._info.frame_rate_hz)
        for number in range(1, steps + REST_FRAMES):
            time_s = self._last.time_s + number / self._info.frame_rate_hz
            share = np.float32(max(0.0, 1 - number / steps))
            self._write_one(sink, SinkFrame(time_s, self._last.weights * share, self._last.head * share))

    def _close_one(self, sink: Sink) -> None:
        del self._open[sink]
        sink.close()

    def _end_one(self, sink: Sink) -> None:
        resample = self._open[sink]
        for frame in () if resample is None else resample.end():
            sink.write(frame)

    def _guarded(self, sink: Sink, action: Callable[[Sink], None]) -> None:
        """Do `action`; whatever it raises is this sink's end and nobody else's."""
        try:
            action(sink)
        except BrokenPipeError:  # the reader (head, say) has what it wanted
            self._drop(sink)
        except Exception as error:  # the libraries behind the sinks raise what they like
            self._drop(sink)
            reason = str(error) if isinstance(error, DtalkerError) else f"{type(error).__name__}: {error}"
            self.failures.append(f"sink {sink.label}: {reason}")
            if len(self._sinks) > 1 or not self._needed:  # otherwise it is the error that ends everything
                self._report(f"{self.failures[-1]}; the rest goes on")

    def _drop(self, sink: Sink) -> None:
        if self._open.pop(sink, self) is not self:
            with contextlib.suppress(Exception):  # it has failed already, and that is what is reported
                sink.close()

"""Frames at another rate: linear interpolation by time."""

from collections.abc import Iterator

from dtalker_model.sinks.protocol import SinkFrame, TimedWeights

LONGEST_STEP_S = 1.0
"""A longer pause between two frames is a pause: nothing is invented in between."""

_ROUNDING_S = 1e-7


class Resample:
    """Turns frames with ascending times into frames at multiples of ``1 / rate_hz`` from the first one on."""

    def __init__(self, rate_hz: float, frame_rate_hz: float) -> None:
        """`frame_rate_hz` is that of the input: for so long the last frame is shown."""
        self._rate_hz, self._shown_s = rate_hz, 1.0 / frame_rate_hz
        self._before: TimedWeights | None = None
        self._first_s = 0.0
        self._count = 0

    def push(self, frame: TimedWeights) -> Iterator[SinkFrame]:
        """The frames up to the time of `frame`."""
        before = self._before
        if before is None or frame.time_s - before.time_s > LONGEST_STEP_S:
            if before is not None:
                yield from self.end()
            self._first_s, self._count, before = frame.time_s, 0, frame
        self._before = frame
        while (due_s := self._due_s()) <= frame.time_s + _ROUNDING_S:
            between = _between(before, frame, due_s)
            yield SinkFrame(due_s, between.weights, between.head)
            self._count += 1

    def end(self) -> Iterator[SinkFrame]:
        """The frames during which the last one is still shown; afterwards a stream may begin anew."""
        before, self._before = self._before, None
        while before is not None and (due_s := self._due_s()) < before.time_s + self._shown_s - _ROUNDING_S:
            yield SinkFrame(due_s, before.weights, before.head)
            self._count += 1

    def _due_s(self) -> float:
        return self._first_s + self._count / self._rate_hz


def _between(before: TimedWeights, after: TimedWeights, time_s: float) -> TimedWeights:
    if time_s >= after.time_s - _ROUNDING_S or before.time_s >= after.time_s:
        return after
    share = (time_s - before.time_s) / (after.time_s - before.time_s)
    weights = before.weights + share * (after.weights - before.weights)
    return SinkFrame(time_s, weights, before.head + share * (after.head - before.head))

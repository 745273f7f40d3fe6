"""A microphone that is always open runs by its own clock: what that adds up to over hours is noticed and taken back."""

from dataclasses import dataclass

WINDOW_NS = 10_000_000_000
"""Jitter is over within this, drift is not."""
TOLERANCE_NS = 40_000_000
"""Drift up to this is left alone."""
WORST_CLOCK = 0.002
"""A sound card is not further off than 0.2%; what grows faster is speech that was sent ahead of time."""


@dataclass
class _Window:
    begin_ns: int
    lowest_ns: int
    highest_ns: int


class DriftWatch:
    """Watches by how much the audio at hand is ahead of the clock, at each arrival of a chunk."""

    def __init__(self) -> None:
        self._window: _Window | None = None
        self._baseline: tuple[int, int] | None = None

    def correction_ns(self, now_ns: int, ahead_ns: int) -> int:
        """What to do before the chunk that arrives `now_ns`, with `ahead_ns` of audio fed or waiting beyond the need.

        Positive: drop so much of the audio that waits. Negative: insert so much silence. 0 nearly always.
        """
        window = self._window
        if window is None:
            self._window = _Window(now_ns, ahead_ns, ahead_ns)
            return 0
        window.lowest_ns = min(window.lowest_ns, ahead_ns)
        window.highest_ns = max(window.highest_ns, ahead_ns)
        if now_ns - window.begin_ns < WINDOW_NS:
            return 0
        self._window = None
        return self._judge(now_ns, window)

    def _judge(self, now_ns: int, window: _Window) -> int:
        if window.highest_ns < -TOLERANCE_NS:  # not once in time: the publisher's clock is slow
            self._baseline = None
            return window.highest_ns
        if self._baseline is None or window.lowest_ns < self._baseline[1]:
            self._baseline = (now_ns, window.lowest_ns)
            return 0
        since_ns, baseline_ns = self._baseline
        excess_ns = window.lowest_ns - baseline_ns
        if excess_ns <= TOLERANCE_NS:
            return 0
        self._baseline = (now_ns, baseline_ns)
        if excess_ns > TOLERANCE_NS + WORST_CLOCK * (now_ns - since_ns):
            self._baseline = (now_ns, window.lowest_ns)
            return 0
        return excess_ns

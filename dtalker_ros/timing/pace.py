"""How regularly chunks arrive, how much they jitter, and how far all of them are from where they belong."""

from collections import deque
from dataclasses import dataclass
from statistics import linear_regression

MS = 1_000_000
"""Nanoseconds of a millisecond."""
LIVE_NS = 1_000 * MS
"""Audio that keeps pace with the clock for so long comes from something that is live."""
LEARN_NS = 300 * MS
"""After so long the jitter is known."""
FASTEST_CLOCK = 1.08
"""What comes faster than this, against the clock, was sent ahead of time: speech that is being synthesised."""
LONGEST_PAUSE_NS = 120 * MS
"""A longer pause between arrivals begins a new count; for long chunks, three of them."""
LONGEST_CHUNK_NS = 500 * MS
"""A longer message is a sentence, not a piece of a stream."""
SPREAD_NS = 200 * MS
"""What all chunks of so long have in common is no jitter; for long chunks, four of them."""
BURST_NS = 40 * MS
"""Regular arrivals may come in bursts of this."""
BUCKET_NS = 5 * MS
"""Values that arrive within this are kept as one."""
STANDING_NS = 1_500 * MS
"""A backlog that has been the same for so long is lateness, however irregularly the audio comes."""
LONGEST_HICCUP_NS = 300 * MS
"""After a longer pause between arrivals it is another backlog."""
SURGE_NS, CALM_NS = 500 * MS, 40 * MS
"""So it is after a surge, which begins where it has grown by the first at once, and ends where by less than the second.
A stall has ended; speech that is sent ahead surges with every sentence and is never level for long.
"""
AT_ONCE_NS = 100 * MS
JITTER_MEMORY_NS = 10_000 * MS
"""Over so much audio a jitter that has ceased fades."""


@dataclass
class _Bucket:
    begin_ns: int
    lowest_ns: int
    highest_ns: int


class Spread:
    """Lowest and highest value over the last `window_ns`: the filter that sees through jitter."""

    def __init__(self, window_ns: int = SPREAD_NS) -> None:
        self._buckets: deque[_Bucket] = deque()
        self._least_ns = self._window_ns = window_ns

    def note(self, arrival_ns: int, duration_ns: int, value_ns: int) -> None:
        """Take in `value_ns`, which belongs to the chunk of `duration_ns` that arrived at `arrival_ns`."""
        self._window_ns = max(self._least_ns, 4 * duration_ns)
        last = self._buckets[-1] if self._buckets else None
        if last is not None and 0 <= arrival_ns - last.begin_ns < BUCKET_NS:
            last.lowest_ns, last.highest_ns = min(last.lowest_ns, value_ns), max(last.highest_ns, value_ns)
        else:
            self._buckets.append(_Bucket(arrival_ns, value_ns, value_ns))
        while self._buckets[0].begin_ns <= arrival_ns - self._window_ns:
            self._buckets.popleft()

    @property
    def full(self) -> bool:
        """Whether the window is filled well enough to be judged."""
        buckets = self._buckets
        return len(buckets) > 2 and buckets[-1].begin_ns - buckets[0].begin_ns >= self._window_ns * 3 // 4

    @property
    def lowest_ns(self) -> int:
        """Not one value was below this."""
        return min(bucket.lowest_ns for bucket in self._buckets)

    @property
    def highest_ns(self) -> int:
        """Not one value was above this."""
        return max(bucket.highest_ns for bucket in self._buckets)

    @property
    def width_ns(self) -> int:
        """From the lowest to the highest value."""
        return self.highest_ns - self.lowest_ns

    @property
    def slope(self) -> float:
        """By how much the values rise on average, nanoseconds a nanosecond."""
        begin_ns = self._buckets[0].begin_ns
        middles = [(bucket.lowest_ns + bucket.highest_ns) / 2 for bucket in self._buckets]
        return linear_regression([bucket.begin_ns - begin_ns for bucket in self._buckets], middles).slope

    def excess_ns(self, least_ns: int) -> int:
        """What all values have in common, above or below 0; 0 where it is no more than `least_ns` or a third of the
        jitter, or not known yet.
        """
        tolerance_ns = max(least_ns, self.width_ns // 3) if self.full else 0
        if not self.full or (self.lowest_ns <= tolerance_ns and self.highest_ns >= -tolerance_ns):
            return 0
        return self.lowest_ns if self.lowest_ns > 0 else self.highest_ns

    def move(self, step_ns: int) -> None:
        """All values are `step_ns` higher from now on."""
        for bucket in self._buckets:
            bucket.lowest_ns += step_ns
            bucket.highest_ns += step_ns

    def shift(self, step_ns: int) -> None:
        """The clock was set by `step_ns`."""
        for bucket in self._buckets:
            bucket.begin_ns += step_ns

    def clear(self) -> None:
        """Forget all."""
        self._buckets.clear()


class Backlog:
    """Audio at hand beyond the need that neither grows, as speech that is sent ahead does, nor becomes less."""

    def __init__(self) -> None:
        self._ahead, self._lately = Spread(STANDING_NS), Spread(AT_ONCE_NS)
        self._last_ns = self._newest_ns = 0
        self._surging = False

    def note(self, arrival_ns: int, duration_ns: int, ahead_ns: int) -> None:
        """A chunk of `duration_ns` arrived when `ahead_ns` of audio was at hand beyond the need."""
        pause_ns, self._last_ns, self._newest_ns = arrival_ns - self._last_ns, arrival_ns, ahead_ns
        self._lately.note(arrival_ns, duration_ns, ahead_ns)
        rise_ns = ahead_ns - self._lately.lowest_ns
        self._surging = rise_ns > (CALM_NS if self._surging else SURGE_NS)
        paused = not 0 <= pause_ns <= max(LONGEST_HICCUP_NS, 3 * duration_ns)
        if duration_ns > LONGEST_CHUNK_NS or paused or self._surging:
            self._ahead.clear()
        self._ahead.note(arrival_ns, duration_ns, ahead_ns)

    @property
    def level(self) -> bool:
        """Whether it has stayed the same lately, but for jitter and the drift of a clock."""
        return self._ahead.full and abs(self._ahead.slope) <= FASTEST_CLOCK - 1

    def standing_ns(self, least_ns: int) -> int:
        """How much of it all chunks had in common; 0 where that is no more than `least_ns`, or not always the same."""
        excess_ns = self._ahead.excess_ns(least_ns) if self._newest_ns > least_ns else 0
        return excess_ns if excess_ns > 0 and self.level else 0

    def move(self, step_ns: int) -> None:
        """It has become `step_ns` more."""
        self._ahead.move(step_ns)
        self._lately.move(step_ns)

    def shift(self, step_ns: int) -> None:
        """The clock was set by `step_ns`."""
        self._last_ns += step_ns
        self._ahead.shift(step_ns)
        self._lately.shift(step_ns)


def is_pause(pause_ns: int, duration_ns: int) -> bool:
    """Whether a chunk of `duration_ns` that came `pause_ns` after the one before does not go on with it."""
    return not 0 <= pause_ns <= max(LONGEST_PAUSE_NS, 3 * duration_ns)


class Pace:
    """Whether audio keeps pace with the clock, as what is live does, and how much its arrivals jitter."""

    def __init__(self) -> None:
        self.jitter_ns: int | None = None
        """By how much chunks were lately late at most; None until that is known."""
        self._arrivals: deque[tuple[int, int]] = deque()
        self._sum_ns = 0
        self._since_ns = 0
        self._lateness = Spread()

    def note(self, arrival_ns: int, duration_ns: int, ahead_ns: int, fresh: bool) -> None:
        """A chunk of `duration_ns` arrived when `ahead_ns` of audio was at hand beyond the need; `fresh` where silence
        has been put in before it, so that its lateness cannot be compared with that of those before.
        """
        pause_ns = arrival_ns - self._arrivals[-1][0] if self._arrivals else -1
        if duration_ns > LONGEST_CHUNK_NS or is_pause(pause_ns, duration_ns):
            self._begin(arrival_ns)
        self._arrivals.append((arrival_ns, duration_ns))
        self._sum_ns += duration_ns
        while len(self._arrivals) > 1 and self._arrivals[1][0] <= arrival_ns - self._window_ns:
            self._sum_ns -= self._arrivals.popleft()[1]
        if fresh:
            self._lateness.clear()
        self._lateness.note(arrival_ns, duration_ns, max(0, ahead_ns) if fresh else ahead_ns)
        if self.steady:
            faded_ns = (self.jitter_ns or 0) * (1 - duration_ns / JITTER_MEMORY_NS)
            # What was late is known by what comes sooner after it; after a loss nothing does.
            self.jitter_ns = max(round(faded_ns), ahead_ns - self._lateness.lowest_ns)

    @property
    def steady(self) -> bool:
        """Whether the audio has kept pace with the clock for long enough to know its jitter."""
        return self._lateness.full and self._paced(LEARN_NS)

    @property
    def live(self) -> bool:
        """Whether the audio has kept pace with the clock for a while by now."""
        return self._paced(self._window_ns)

    def moved(self, step_ns: int) -> None:
        """The audio at hand has become `step_ns` more."""
        self._lateness.move(step_ns)

    def shift(self, step_ns: int) -> None:
        """The clock was set by `step_ns`."""
        self._arrivals = deque((arrival_ns + step_ns, duration_ns) for arrival_ns, duration_ns in self._arrivals)
        self._since_ns += step_ns
        self._lateness.shift(step_ns)

    @property
    def _window_ns(self) -> int:
        return max(LIVE_NS, 4 * self._arrivals[-1][1]) if self._arrivals else LIVE_NS

    def _begin(self, now_ns: int) -> None:
        self._arrivals.clear()
        self._lateness.clear()
        self._sum_ns, self._since_ns = 0, now_ns

    def _paced(self, least_ns: int) -> bool:
        """Whether nothing but regular arrivals came for `least_ns`, and no more audio than time has passed."""
        if not self._arrivals or self._arrivals[-1][0] - self._since_ns < least_ns:
            return False
        (first_ns, _), (last_ns, newest_ns) = self._arrivals[0], self._arrivals[-1]
        return self._sum_ns - newest_ns <= FASTEST_CLOCK * (last_ns - first_ns) + BURST_NS

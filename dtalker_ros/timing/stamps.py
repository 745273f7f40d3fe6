"""A publisher's stamps, checked against the arrivals: pauses and losses are believed, jumps of its clock are not."""

from dataclasses import dataclass

from dtalker_ros.timing.pace import MS, Spread

STAMP_TRUST_NS = 5_000 * MS
"""Stamps further from the clock than this are of another clock: they tell what follows what, not when it sounded."""
STAMP_TOLERANCE_NS = 40 * MS
"""Stamps may be off by this without becoming a jump."""
DOUBT_NS = 100 * MS
"""Arrivals that disagree with a jump of the stamps by no more than this may be jitter: the stamp is believed."""
STEP_NS = 1_000 * MS
"""A row of stamps that jumped away and has gone on for so long is the publisher's clock set anew."""


@dataclass
class _Astray:
    """A row of stamps that does not fit."""

    since_ns: int
    expected_ns: int
    """Next stamp of it."""
    least_ns: int
    """Least that its stamps were behind the arrivals."""


class Stamps:
    """Turns stamps into times on our clock.

    What is estimated: `way_ns`, the least that audio lately took from its stamp to its arrival, and the skew that keeps
    a row of stamps going when the publisher's clock is set.
    """

    def __init__(self) -> None:
        self.way_ns: int | None = None
        """The least that the audio takes from its stamp to its arrival; None before the first stamp."""
        self._skew_ns = 0
        self._expected_ns = 0
        self._latency = Spread()
        self._astray: _Astray | None = None
        self._jumped_ns = 0

    def time_ns(self, stamp_ns: int, arrival_ns: int, duration_ns: int) -> int | None:
        """When audio stamped `stamp_ns` sounded, by our clock; None where the stamp misleads."""
        if self.way_ns is None:
            self._begin(stamp_ns, arrival_ns)
        for skew_ns in (self._skew_ns, 0):
            time_ns = stamp_ns + skew_ns
            jump_ns = time_ns - self._expected_ns
            if self._fits(jump_ns, arrival_ns - time_ns):
                self._skew_ns, self._astray = skew_ns, None
                self._expected_ns = duration_ns + (self._expected_ns if abs(jump_ns) <= STAMP_TOLERANCE_NS else time_ns)
                self._note(arrival_ns, duration_ns, arrival_ns - time_ns)
                return time_ns
        self._stray(stamp_ns, arrival_ns, duration_ns)
        return None

    def pass_over(self, duration_ns: int) -> None:
        """Audio without a stamp came in between."""
        self._expected_ns += duration_ns

    def settle(self) -> bool:
        """While the audio is live: take what all stamps lately have in common for the way; whether that is longer."""
        longest_ns = self._latency.lowest_ns if self.way_ns is not None and self._latency.full else 0
        if self.way_ns is None or longest_ns <= max(0, self.way_ns) + STAMP_TOLERANCE_NS:
            return False
        self.way_ns = longest_ns
        return True

    def take_jump(self) -> int:
        """By how much stamps jumped without the audio since the last call, 0 nearly always, nanoseconds."""
        jumped_ns, self._jumped_ns = self._jumped_ns, 0
        return jumped_ns

    def shift(self, step_ns: int) -> None:
        """Our clock was set by `step_ns`."""
        self._skew_ns += step_ns
        self._expected_ns += step_ns
        self._latency.shift(step_ns)
        self._astray = None

    def _begin(self, stamp_ns: int, arrival_ns: int) -> None:
        if abs(stamp_ns - arrival_ns) >= STAMP_TRUST_NS:
            self._skew_ns = arrival_ns - stamp_ns
        self._expected_ns = stamp_ns + self._skew_ns
        self.way_ns = arrival_ns - self._expected_ns

    def _fits(self, jump_ns: int, latency_ns: int) -> bool:
        """Whether the arrivals agree that stamps jumped by `jump_ns` because the audio did."""
        assert self.way_ns is not None
        if abs(jump_ns) <= STAMP_TOLERANCE_NS:
            return True
        if jump_ns > 0:
            return latency_ns >= self.way_ns - DOUBT_NS
        return latency_ns <= max(0, self.way_ns) + DOUBT_NS

    def _note(self, arrival_ns: int, duration_ns: int, latency_ns: int) -> None:
        assert self.way_ns is not None
        self.way_ns = min(self.way_ns, latency_ns)
        self._latency.note(arrival_ns, duration_ns, latency_ns)

    def _stray(self, stamp_ns: int, arrival_ns: int, duration_ns: int) -> None:
        """Let the row go on by itself; follow the other one when it has proved to be no accident."""
        assert self.way_ns is not None
        astray, behind_ns = self._astray, arrival_ns - stamp_ns
        if astray is None:
            self._jumped_ns = stamp_ns + self._skew_ns - self._expected_ns
        self._expected_ns += duration_ns
        if astray is None or abs(stamp_ns - astray.expected_ns) > STAMP_TOLERANCE_NS:
            self._astray = _Astray(arrival_ns, stamp_ns + duration_ns, behind_ns)
            return
        astray.expected_ns, astray.least_ns = stamp_ns + duration_ns, min(astray.least_ns, behind_ns)
        if arrival_ns - astray.since_ns >= STEP_NS:
            self._skew_ns, self._astray = astray.least_ns - self.way_ns, None
            self._expected_ns = stamp_ns + self._skew_ns + duration_ns

"""Simulated time: what is heard goes by the stamps of the audio, so that what is played again gives the same frames.

`/clock` comes in ticks, beside the audio and perhaps before or after it: where it stands when a chunk is handed over
depends on how busy the machine is. So the engine has a time of its own. It goes on to the stamp of each chunk, through
every moment at which the engine asked to be woken, and nothing of it depends on the clock. Only where no audio comes
does it follow the clock, so far behind that audio on its way is not overtaken.
"""

from collections import deque
from typing import Any, Protocol

from dtalker_ros.audio.convert import AudioChunk
from dtalker_ros.timing.pace import LONGEST_CHUNK_NS, MS

WAIT_NS = 100 * MS
"""Without a `gap_ms`, audio is waited for so long, in real time in which this process runs."""
MARGIN_NS = 50 * MS
"""So far the engine stays behind the clock where no audio comes: ticks and audio overtake each other."""
LONGEST_WAY_NS = 100 * MS
"""A chunk counts as arrived once it is over, as a microphone's does, but no later than this after its stamp."""
LOOK_NS = 20 * MS
"""No more than this of the time between two looks counts as running: a process that was stopped heard nothing."""
BACK_NS = 100 * MS
"""A clock that goes back by more than this plays something else, or the same again."""
STAMP_BACK_NS = 1_000 * MS
"""So do stamps that go back by more than this; less is jitter."""
TRUST_NS = 60_000 * MS
"""Stamps further from the clock than this are of another clock, and a clock that goes on by more has jumped."""


class Steps(Protocol):
    """What goes by this time: `TimedTalker`."""

    evenly: bool

    def reset(self, now_ns: int) -> None: ...
    def add(self, chunk: AudioChunk, now_ns: int) -> None: ...
    def step(self, now_ns: int) -> list[Any]: ...
    def next_wake_ns(self, now_ns: int) -> int | None: ...


class Replay:
    """The time of `engine` under simulated time. One thread calls it."""

    def __init__(self, engine: Steps, clock_ns: int, wait_ns: int = 0) -> None:
        """`wait_ns`: so long audio is waited for; 0: `WAIT_NS`."""
        self.now_ns = clock_ns
        """The engine's time."""
        self.fresh = True
        """Whether the next stamped chunk begins a stream of its own: fresh state, sequence 0."""
        self._engine, self._wait_ns = engine, wait_ns or WAIT_NS
        engine.evenly = False
        self._by_stamps = False
        self._overdue_ns = self._last_stamp_ns = self._silent_ns = self._late_ns = 0
        self._running_ns = self._heard_ns = 0
        self._steady_ns: int | None = None
        self._clocks: deque[tuple[int, int]] = deque([(0, clock_ns)])

    def hear(self, chunk: AudioChunk, clock_ns: int) -> list[Any]:
        """`chunk` is handed over while the clock stands at `clock_ns`; the rows that are due by then."""
        self._heard_ns = self._running_ns
        duration_ns = chunk.duration_ns if chunk.duration_ns <= LONGEST_CHUNK_NS else 0
        way_ns = min(duration_ns, LONGEST_WAY_NS)
        self._overdue_ns, stamp_ns = duration_ns - way_ns, chunk.stamp_ns
        self._by_stamps = stamp_ns is not None and abs(stamp_ns - clock_ns) <= TRUST_NS
        if stamp_ns is None or not self._by_stamps:
            return self._take(chunk, clock_ns)
        if self.fresh or stamp_ns < self._last_stamp_ns - STAMP_BACK_NS:
            self._begin(stamp_ns + way_ns)
        self._late_ns = max(self._late_ns, self._silent_ns - stamp_ns - way_ns)
        self._last_stamp_ns = stamp_ns
        return self._take(chunk, stamp_ns + way_ns)

    def run(self, clock_ns: int, steady_ns: int) -> list[Any]:
        """Nothing more is handed over for now; `steady_ns`: real time. The rows that are due by then."""
        self._look(clock_ns, steady_ns)
        if not self._by_stamps:
            return self._advance(clock_ns)
        age_ns, then_ns = self._running_ns - self._clocks[0][0], self._clocks[0][1]
        until_ns = then_ns - MARGIN_NS - self._overdue_ns
        if min(age_ns, self._running_ns - self._heard_ns) < self._wait_ns or until_ns <= self.now_ns:
            return []
        self._silent_ns = until_ns
        return self._advance(until_ns)

    def take_late(self) -> int:
        """By how much audio came after the silence in its place since the last call, 0 nearly always, nanoseconds."""
        late_ns, self._late_ns = self._late_ns, 0
        return late_ns

    def _begin(self, now_ns: int) -> None:
        self.fresh, self._silent_ns, self.now_ns = False, 0, now_ns
        self._engine.reset(now_ns)

    def _take(self, chunk: AudioChunk, time_ns: int) -> list[Any]:
        rows = self._advance(time_ns)
        self._engine.add(chunk, self.now_ns)
        return rows + self._engine.step(self.now_ns)

    def _advance(self, until_ns: int) -> list[Any]:
        rows: list[Any] = []
        while (wake_ns := self._engine.next_wake_ns(self.now_ns)) is not None and wake_ns <= until_ns:
            self.now_ns = max(self.now_ns, wake_ns)
            rows += self._engine.step(self.now_ns)
        self.now_ns = max(self.now_ns, until_ns)
        return rows

    def _look(self, clock_ns: int, steady_ns: int) -> None:
        ran_ns = 0 if self._steady_ns is None else steady_ns - self._steady_ns
        self._steady_ns = steady_ns
        self._running_ns += min(ran_ns, LOOK_NS)
        on_ns = clock_ns - self._clocks[-1][1]
        if on_ns < -BACK_NS or on_ns > TRUST_NS:
            self._jump(clock_ns)
        self._clocks.append((self._running_ns, clock_ns))
        while len(self._clocks) > 1 and self._running_ns - self._clocks[1][0] >= self._wait_ns:
            self._clocks.popleft()

    def _jump(self, clock_ns: int) -> None:
        """The clock is elsewhere: the audio there, if it has not come already, begins anew."""
        self._clocks.clear()
        if abs(clock_ns - self.now_ns) > STAMP_BACK_NS:
            self.fresh, self._by_stamps, self.now_ns, self._silent_ns = True, False, clock_ns, 0

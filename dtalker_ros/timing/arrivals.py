"""Where the audio of each chunk belongs, told from when it arrives and from its stamp.

All times are on the axis of what is heard: `end_ns` is when the audio at hand will have sounded, so that the chunks of
a steady stream arrive at `end_ns`. Audio that keeps pace with the clock is live: by how much all its recent chunks are
late or early in common is undone, by silence or by dropping the oldest. Audio that comes faster is speech sent ahead of
time and is never touched.
"""

import math
from dataclasses import dataclass

from dtalker_ros.audio.convert import AudioChunk
from dtalker_ros.timing.pace import LONGEST_CHUNK_NS, MS, Backlog, Pace, Spread
from dtalker_ros.timing.stamps import STAMP_TOLERANCE_NS, Stamps
from dtalker_ros.timing.timeline_config import TimelineConfig

LONGEST_WAIT_NS = 100 * MS
"""So long a chunk is waited for while the jitter is not known, and at most."""
SHORTEST_WAIT_NS = 12 * MS
"""So long a chunk is waited for where nothing jitters."""
TOLERANCE_NS = 8 * MS
"""Audio may be off by this before it is moved; with a `gap_ms` of the user's by an eighth of that."""


LEAST_STANDING_NS = 40 * MS
"""A smaller backlog that stands is not worth a break."""


@dataclass(frozen=True)
class Place:
    """What to do with a chunk, nanoseconds."""

    lead_ns: int = 0
    """Silence before it, after what is at hand."""
    cut_ns: int = 0
    """Its beginning is too old and is left out; all of it where this is its duration."""
    drop_ns: int = 0
    """Of the audio at hand, the chunk included, the oldest is dropped: it has waited for longer than it should."""


class Arrivals:
    """Follows the chunks of one publisher."""

    def __init__(self, config: TimelineConfig, now_ns: int) -> None:
        self.config = config
        self.open = False
        """Whether more audio is expected to follow what is at hand without a break."""
        self.last_ns = now_ns
        """When the newest chunk arrived."""
        self.stamps = Stamps()
        self._pace = Pace()
        self._ahead = Spread()
        self._backlog = Backlog()
        self._duration_ns = 0
        self._catching_up = False

    def place(self, chunk: AudioChunk, now_ns: int, end_ns: int, spare_ns: int) -> Place:
        """Where `chunk` goes, which arrives at `now_ns`, when the audio at hand ends at `end_ns`.

        `spare_ns`: the way from the publisher may take so long without any loss.
        """
        duration_ns = chunk.duration_ns
        fresh, self.open = not self.open, True
        self.last_ns, self._duration_ns = now_ns, duration_ns
        self._pace.note(now_ns, duration_ns, end_ns - now_ns, fresh)
        heard_ns = self._heard_ns(chunk, now_ns, spare_ns)
        if heard_ns is None:
            return Place(lead_ns=max(0, now_ns - end_ns) if fresh else 0)
        ahead_ns = end_ns - heard_ns
        if self._is_old(now_ns - heard_ns, ahead_ns):
            return Place(cut_ns=min(ahead_ns, duration_ns))
        begins = fresh or -ahead_ns > self._pause_ns(chunk.stamp_ns is not None)
        lead_ns = max(0, -ahead_ns) if begins else 0
        if lead_ns and not fresh:
            self._pace.moved(lead_ns)
        self._ahead.note(now_ns, duration_ns, ahead_ns + lead_ns)
        self._backlog.note(now_ns, duration_ns, min(ahead_ns, end_ns - now_ns) + lead_ns)
        return Place(lead_ns=lead_ns) if lead_ns else self._correction()

    def dropped(self, gone_ns: int) -> None:
        """The audio at hand has become `gone_ns` shorter, as `place` asked."""
        self._pace.moved(-gone_ns)
        self._ahead.move(-gone_ns)
        self._backlog.move(-gone_ns)

    @property
    def live(self) -> bool:
        """Whether the audio keeps pace with the clock."""
        return self._pace.live

    def way_ns(self, spare_ns: int) -> int:
        """How much later than their stamps say chunks are taken, because their way takes longer than `spare_ns`."""
        return max(0, (self.stamps.way_ns or 0) - spare_ns)

    @property
    def wait_ns(self) -> int:
        """How long the next chunk is waited for when the audio at hand is used up."""
        if self._duration_ns > LONGEST_CHUNK_NS:
            return 0
        if self.config.gap_ns:
            return self.config.gap_ns
        jitter_ns = self._pace.jitter_ns
        return LONGEST_WAIT_NS if jitter_ns is None else min(LONGEST_WAIT_NS, SHORTEST_WAIT_NS + jitter_ns * 3 // 2)

    def ended(self, now_ns: int, starved_ns: int) -> bool:
        """Whether no more audio is expected to follow at once, when the audio at hand was used up `starved_ns` ago."""
        if not self.open:
            return True
        wait_ns = self.wait_ns
        return starved_ns >= wait_ns or (starved_ns > 0 and now_ns - self.last_ns >= self._duration_ns + wait_ns)

    def shift(self, step_ns: int) -> None:
        """The clock was set by `step_ns`."""
        self.last_ns += step_ns
        self.stamps.shift(step_ns)
        self._pace.shift(step_ns)
        self._ahead.shift(step_ns)
        self._backlog.shift(step_ns)

    def _heard_ns(self, chunk: AudioChunk, now_ns: int, spare_ns: int) -> int | None:
        """When the chunk sounds: by its stamp, or else by its arrival; None where the stamp misleads."""
        if chunk.stamp_ns is None:
            self.stamps.pass_over(chunk.duration_ns)
            return now_ns
        time_ns = self.stamps.time_ns(chunk.stamp_ns, now_ns, chunk.duration_ns)
        return None if time_ns is None else time_ns + self.way_ns(spare_ns)

    def _is_old(self, late_ns: int, ahead_ns: int) -> bool:
        """Whether the chunk is of a backlog: its time has long passed, and there is newer audio at hand."""
        late = late_ns > self.config.max_lateness_ns
        self._catching_up = late or (self._catching_up and ahead_ns > TOLERANCE_NS)
        return self._catching_up and ahead_ns - late_ns > TOLERANCE_NS

    def _pause_ns(self, stamped: bool) -> float:
        """A chunk that belongs so much later than the audio at hand leaves a pause before it."""
        if not stamped:
            return self.wait_ns if self._pace.steady and not self.config.gap_ns else math.inf
        if not self._ahead.full:
            return STAMP_TOLERANCE_NS
        return min(STAMP_TOLERANCE_NS, SHORTEST_WAIT_NS + self._ahead.width_ns)

    def _correction(self) -> Place:
        if self._pace.live and self.stamps.settle():
            self._ahead.clear()  # what was measured before does not hold any more
        excess_ns = self._ahead.excess_ns(max(TOLERANCE_NS, self.config.gap_ns // 8))
        if excess_ns < 0 and self._pace.steady:
            self.dropped(excess_ns)
            return Place(lead_ns=-excess_ns)
        live = excess_ns > 0 and self._pace.live and self._backlog.level
        return Place(drop_ns=excess_ns if live else self._backlog.standing_ns(LEAST_STANDING_NS))

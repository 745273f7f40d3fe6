"""How audio is laid out in time: what the node's parameters say about it."""

from dataclasses import dataclass

from dtalker_model.rates import LOOKAHEAD_MS
from dtalker_ros.timing.pace import MS


@dataclass(frozen=True)
class TimelineConfig:
    """How audio is laid out in time."""

    asap: bool = False
    """Feed everything at once (pacing `asap`) rather than by the clock."""
    playout_delay_ms: float = LOOKAHEAD_MS
    """From a sample's time to the moment at which it is shown, 80..5000 ms."""
    gap_ms: float = 0.0
    """Input that stalls for this long has ended, ms; 0: told from its jitter, 100 ms at most."""
    max_lateness_ms: float = 500.0
    """When the stream falls behind the clock by more than this, the oldest audio is dropped, ms."""
    max_queue_s: float = 600.0
    """Audio that may wait, s; beyond it the oldest is dropped."""

    @property
    def gap_ns(self) -> int:
        """`gap_ms` in nanoseconds; 0 where the jitter tells."""
        return round(self.gap_ms * MS)

    @property
    def max_lateness_ns(self) -> int:
        """`max_lateness_ms` in nanoseconds."""
        return round(self.max_lateness_ms * MS)

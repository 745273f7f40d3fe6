"""An engine with a talker that shows what it heard, stepped by a simulated clock."""

import numpy as np
from fake_talker import FakeTalker

from dtalker_ros.audio.convert import AudioChunk
from dtalker_ros.publish_rate import Shown
from dtalker_ros.timed_talker import TimedTalker
from dtalker_ros.timing.pace import MS
from dtalker_ros.timing.timeline_config import TimelineConfig

START_NS = 1_700_000_000_123_456_789
CHUNK = 320
FRAME_NS = 20 * MS


class Rig:
    """An engine stepped by a simulated clock, waking when it asks to be woken."""

    def __init__(self, config: TimelineConfig | None = None, rate_hz: float = 50.0) -> None:
        self.now_ns = START_NS
        self.talker = FakeTalker()
        self.engine = TimedTalker(self.talker, config or TimelineConfig(), rate_hz, self.now_ns)
        self.rows: list[tuple[int, Shown]] = []

    def step(self) -> None:
        self.rows += [(self.now_ns, row) for row in self.engine.step(self.now_ns)]

    def run_to(self, time_ns: int) -> None:
        """Advance the clock to `time_ns`, stepping at every wake-up on the way."""
        while True:
            wake_ns = self.engine.next_wake_ns(self.now_ns)
            if wake_ns is None or wake_ns > time_ns:
                break
            self.now_ns = max(self.now_ns, wake_ns)
            self.step()
        self.now_ns = time_ns

    def run_ms(self, duration_ms: float) -> None:
        self.run_to(self.now_ns + round(duration_ms * MS))

    def hear(self, value: float, samples: int = CHUNK, stamp_ns: int | None = None) -> None:
        """Audio whose every sample is `value` arrives now."""
        self.engine.add(AudioChunk(np.full((samples, 1), value, np.float32), 16_000, stamp_ns), self.now_ns)
        self.step()

    def onset(self, value: float) -> int:
        """Stream index of the first sample that is `value`."""
        return int(np.flatnonzero(self.talker.heard == value)[0])

    def heard_ns(self, value: float) -> int:
        """When the first sample that is `value` is shown."""
        return self.engine.timeline.show_ns(self.onset(value))

    @property
    def stamps(self) -> list[int]:
        return [row.stamp_ns for _, row in self.rows]

    def assert_grid(self) -> None:
        """Every frame came once, in order, 20 ms after the one before."""
        assert np.all(np.diff(self.stamps) == FRAME_NS)
        assert [row.sequence for _, row in self.rows] == list(range(len(self.rows)))

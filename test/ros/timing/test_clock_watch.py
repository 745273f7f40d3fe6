"""A clock that is set is told from one that drifts, and from a process that was held up."""

from dtalker_ros.timing.clock_watch import ClockWatch
from dtalker_ros.timing.pace import MS


class Clocks:
    """A clock and a steady one; reading the first may take a while, as when the process is stopped just then."""

    def __init__(self) -> None:
        self.steady_ns, self.offset_ns = 1_000 * MS, 1_700_000_000_000 * MS
        self.slow_reads_ns: list[int] = []

    def clock_ns(self) -> int:
        self.steady_ns += self.slow_reads_ns.pop(0) if self.slow_reads_ns else 0
        return self.steady_ns + self.offset_ns

    def watch(self) -> ClockWatch:
        return ClockWatch(self.clock_ns, lambda: self.steady_ns)


def test_steps_are_seen_and_drift_is_not() -> None:
    clocks = Clocks()
    watch = clocks.watch()
    for step_ms in (0, 3, -800, 0, -3, 3_600_000, 0):
        clocks.steady_ns += 20 * MS
        clocks.offset_ns += step_ms * MS
        assert watch.step_ns() == (step_ms * MS if abs(step_ms) > 50 else 0)


def test_a_process_held_up_is_no_step() -> None:
    clocks = Clocks()
    watch = clocks.watch()
    clocks.steady_ns += 3_000 * MS
    assert watch.step_ns() == 0
    clocks.slow_reads_ns = [200 * MS]
    assert watch.step_ns() == 0
    clocks.slow_reads_ns = [200 * MS] * 3
    assert watch.step_ns() == 0
    clocks.offset_ns += 500 * MS
    assert watch.step_ns() == 500 * MS

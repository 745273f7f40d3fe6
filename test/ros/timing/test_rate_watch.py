"""Samples against the clock."""

import numpy as np
import pytest
from live_rig import Live, microphone
from timeline_rig import START_NS

from dtalker_ros.timing.pace import MS
from dtalker_ros.timing.rate_watch import RateWatch
from dtalker_ros.timing.turns import Turns

TELLS_S = 2.0
"""The speed is told within this."""


def told_after_s(watch: RateWatch, speed: float, chunk_ms: float, jitter_ms: float = 0.0) -> float:
    """Seconds until the watch tells the speed of a regular stream; inf where it does not within 5 s."""
    rng = np.random.default_rng(0)
    for i in range(round(5_000 / chunk_ms)):
        at_ns = round((i * chunk_ms + rng.uniform(0, jitter_ms)) * MS)
        watch.note(START_NS + at_ns, round(chunk_ms * speed * MS))
        if watch.speed is not None:
            return at_ns / 1e9
    return float("inf")


@pytest.mark.parametrize("chunk_ms", [5.0, 10.0, 20.0, 64.0, 100.0])
@pytest.mark.parametrize("speed", [0.5, 1.0, 1.5, 2.0, 2.756, 3.0])
def test_the_speed_is_told_within_two_seconds(speed: float, chunk_ms: float) -> None:
    watch = RateWatch()
    assert told_after_s(watch, speed, chunk_ms, min(15.0, chunk_ms / 2)) <= TELLS_S
    assert watch.speed == pytest.approx(speed, rel=0.03)


def test_synthesis_has_no_speed() -> None:
    """Bursts, whole sentences, and a machine that is now fast and now slow."""
    rng = np.random.default_rng(1)
    watch, at_ns = RateWatch(), START_NS
    for _ in range(40):
        for _ in range(int(rng.integers(1, 40))):
            watch.note(at_ns, 20 * MS)
            at_ns += 2 * MS
        at_ns += int(rng.integers(30, 400)) * MS
        assert watch.speed is None
    for _ in range(20):
        watch.note(at_ns, 2_000 * MS)
        at_ns += 2_000 * MS
        assert watch.speed is None


def test_a_pause_begins_anew() -> None:
    watch = RateWatch()
    told_after_s(watch, 3.0, 20.0)
    assert watch.speed is not None
    watch.note(START_NS + 60_000 * MS, 20 * MS)
    assert watch.speed is None


@pytest.mark.parametrize("phase_ms", [3, 7, 10, 16])
def test_by_turns_one_of_two_microphones_is_heard(phase_ms: int) -> None:
    """They cannot be told apart. Their chunks count differently, so that the face tells whom it follows."""
    live = Live()
    live.rig.engine.timeline.turns.taken = True
    one = microphone(6.0)
    other = [c.__class__(c.first + 1_000_000, c.samples, c.arrival_ns + phase_ms * MS, None) for c in one]
    live.play([*one, *other])
    values = np.array([row.weights[0] for _, row in live.rows(0.5, 6.0)])
    assert np.count_nonzero(values) > 0.95 * len(values)
    assert len({bool(v > 1_000_000) for v in values if v}) == 1
    assert live.rig.engine.timeline.queued_s < 0.05


def test_turns_go_on_after_a_pause_and_after_the_clock_was_set() -> None:
    turns = Turns()
    turns.taken = True
    for begin_ms in (0, 700, -3_600_000):
        passed = [turns.passes((begin_ms + at) * MS, 20 * MS) for k in range(20) for at in (20 * k, 20 * k + 9)]
        assert passed == [True, False] * 20

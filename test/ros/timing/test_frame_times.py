"""A recording's time goes on whatever the clock that stamps the frames does."""

import numpy as np
import pytest

from dtalker_ros.timing.frame_times import FrameTimes

FRAME_NS = 20_000_000
BEGIN_NS = 1_700_000_000_000_000_000


def times(stamps_ns: list[int], sequences: list[int], rate_hz: float = 50.0) -> tuple[np.ndarray, list[float]]:
    """The times, and the jumps that were seen."""
    frame_times, jumps = FrameTimes(rate_hz), []
    result = []
    for stamp_ns, sequence in zip(stamps_ns, sequences):
        result.append(frame_times.time_s(stamp_ns, sequence))
        jumps += [frame_times.jump_s] if frame_times.jump_s is not None else []
    return np.array(result), jumps


@pytest.mark.parametrize("jump_s", [-300, 3_600, -0.8, 0.8, 1_800_000_000])
def test_a_clock_that_is_set_begins_a_new_stretch(jump_s: float) -> None:
    stamps = [BEGIN_NS + i * FRAME_NS + (round(jump_s * 1e9) if i >= 200 else 0) for i in range(500)]
    got, jumps = times(stamps, list(range(500)))
    np.testing.assert_allclose(np.diff(got), 0.02, atol=1e-6)
    assert len(jumps) == 1 and jumps[0] == pytest.approx(jump_s + 0.02)


def test_frames_that_were_lost_leave_their_gap() -> None:
    kept = [i for i in range(500) if not 100 <= i < 250]
    got, jumps = times([BEGIN_NS + i * FRAME_NS for i in kept], kept)
    assert got[100] - got[99] == pytest.approx(3.02)
    assert jumps == []


@pytest.mark.parametrize(("pause_s", "gap_s"), [(3.0, 3.0), (3_600.0, 0.02)])
def test_a_talker_that_begins_anew(pause_s: float, gap_s: float) -> None:
    stamps = [BEGIN_NS + i * FRAME_NS + (round(pause_s * 1e9) - FRAME_NS if i >= 100 else 0) for i in range(200)]
    got, _ = times(stamps, [*range(100), *range(100)])
    assert got[100] - got[99] == pytest.approx(gap_s)


def test_another_publish_rate_is_no_jump() -> None:
    stamps = [BEGIN_NS + i * FRAME_NS for i in range(50)] + [BEGIN_NS + (50 + 2 * i) * FRAME_NS for i in range(50)]
    got, jumps = times(stamps, list(range(100)))
    assert got[-1] == pytest.approx((stamps[-1] - BEGIN_NS) / 1e9)
    assert jumps == []


def test_low_rates_have_long_steps() -> None:
    got, jumps = times([BEGIN_NS + i * 1_000_000_000 for i in range(10)], list(range(10)), 1.0)
    np.testing.assert_allclose(got, np.arange(10))
    assert jumps == []

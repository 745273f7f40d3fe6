"""Frames resampled in time, with sequence numbers that follow the stamps."""

import numpy as np
import pytest
from timeline_rig import FRAME_NS, START_NS

from dtalker_ros.publish_rate import PublishRate


@pytest.mark.parametrize("rate_hz", [50.0, 30.0, 25.0, 1.0])
def test_publish_rate_interpolates_on_an_exact_grid(rate_hz: float) -> None:
    rate = PublishRate(rate_hz)
    rows = []
    for i in range(501):
        rows += list(rate.push(START_NS + i * FRAME_NS, np.full(52, i * 0.02, np.float32), 0))
    assert len(rows) == int(10 * rate_hz) + 1
    for k, row in enumerate(rows):
        assert row.sequence == k
        assert abs(row.stamp_ns - START_NS - k / rate_hz * 1e9) <= 1
        assert row.weights[51] == pytest.approx(k / rate_hz, abs=1e-5)


def test_publish_rate_may_change_and_frames_may_be_missing() -> None:
    rate = PublishRate(25.0)
    rows = []
    for i in [*range(11), *range(61, 71)]:
        rows += list(rate.push(START_NS + i * FRAME_NS, np.zeros(52, np.float32), 0))
    assert [row.sequence for row in rows[:6]] == [0, 1, 2, 3, 4, 5]
    assert rows[6].sequence == 5 + 25
    rate.set_rate(50.0)
    assert next(rate.push(START_NS + 71 * FRAME_NS, np.zeros(52, np.float32), 0)).sequence == rows[-1].sequence + 1

"""Pacing `asap`: recordings of any time, pauses in them, and another recording after one."""

import numpy as np
import pytest
from timeline_rig import CHUNK, Rig

from dtalker_ros.timing.pace import MS
from dtalker_ros.timing.timeline_config import TimelineConfig

RECORDED_NS = 1_000_000_000_000


@pytest.mark.parametrize("jump_s", [60, 600, 3_600, -3_600])
def test_a_jump_is_another_recording_and_no_silence(jump_s: int) -> None:
    rig = Rig(TimelineConfig(asap=True))
    for i in range(100):
        value, jump_ns = (1.0, 0) if i < 50 else (2.0, jump_s * 1000 * MS)
        rig.hear(value, stamp_ns=RECORDED_NS + jump_ns + i * 20 * MS)
    rig.run_ms(500)
    assert len(rig.talker.heard) < 110 * CHUNK  # a look-ahead of silence between, and one at the end
    for value, first in ((1.0, 0), (2.0, 50)):
        stamps = [row.stamp_ns for _, row in rig.rows if row.weights[0] == value]
        jump_ns = 0 if value == 1 else jump_s * 1000 * MS
        assert len(stamps) == 50
        assert stamps[0] - RECORDED_NS - jump_ns - first * 20 * MS == pytest.approx(80 * MS, abs=20 * MS)
        assert np.all(np.diff(stamps) == 20 * MS)
    assert [row.sequence for _, row in rig.rows] == list(range(len(rig.rows)))  # nothing is missing


@pytest.mark.parametrize("pause_s", [0.5, 30.0])
def test_a_pause_is_silence(pause_s: float) -> None:
    rig = Rig(TimelineConfig(asap=True))
    for i in range(20):
        pause_ns = 0 if i < 10 else round(pause_s * 1000) * MS
        rig.hear(1.0 if i < 10 else 2.0, stamp_ns=RECORDED_NS + pause_ns + i * 20 * MS)
    rig.run_ms(500)
    assert rig.onset(2.0) - rig.onset(1.0) == 10 * CHUNK + round(pause_s * 16_000)
    rig.assert_grid()


@pytest.mark.parametrize("step_s", [-300, 300])
def test_the_clock_may_be_set(step_s: int) -> None:
    """The last frames come after `gap_ms` all the same, and stamps are those of the recording."""
    rig = Rig(TimelineConfig(asap=True))
    rig.hear(1.0, 3_200, RECORDED_NS)
    rig.now_ns += step_s * 1000 * MS
    rig.step()
    rig.engine.clock_set(step_s * 1000 * MS)
    rig.run_ms(150)
    assert len(rig.rows) == 10
    rig.assert_grid()
    assert rig.stamps[0] == RECORDED_NS + 80 * MS

"""Where audio and silence go on the time line."""

import numpy as np
import pytest
from timeline_rig import CHUNK, FRAME_NS, START_NS, Rig

from dtalker_ros.timing.pace import MS
from dtalker_ros.timing.timeline_config import TimelineConfig


def test_idle_frames_run_at_50_hz_and_are_in_time() -> None:
    rig = Rig()
    rig.run_ms(10_000)
    assert len(rig.rows) == pytest.approx(500, abs=5)
    rig.assert_grid()
    assert all(when_ns <= row.stamp_ns for when_ns, row in rig.rows)


@pytest.mark.parametrize("offset_ms", [0.0, 3.7, 19.99])
def test_audio_lands_on_its_sample(offset_ms: float) -> None:
    rig = Rig()
    rig.run_ms(1000 + offset_ms)
    arrived_ns = rig.now_ns
    rig.hear(1.0, 16_000)
    rig.run_ms(2000)
    assert abs(rig.heard_ns(1.0) - (arrived_ns + 80 * MS)) <= 62_500
    assert np.count_nonzero(rig.talker.heard == 1.0) == 16_000
    rig.assert_grid()


def test_contiguous_chunks_stay_contiguous_and_are_never_late() -> None:
    rig = Rig()
    rig.run_ms(500)
    for _ in range(500):
        rig.hear(1.0)
        rig.run_ms(20)
    rig.run_ms(200)
    heard = np.flatnonzero(rig.talker.heard == 1.0)
    assert len(heard) == 500 * CHUNK
    assert heard[-1] - heard[0] == len(heard) - 1
    rig.assert_grid()
    late = sum(row.stamp_ns < when_ns for when_ns, row in rig.rows)
    assert late <= 4  # those that wait to see whether more is coming


def test_last_frames_come_within_one_look_ahead_of_the_end() -> None:
    rig = Rig()
    rig.run_ms(500)
    for _ in range(50):
        rig.hear(1.0)
        rig.run_ms(20)
    end_ns = rig.now_ns
    rig.run_ms(300)
    assert max(when_ns for when_ns, row in rig.rows if row.weights[0] == 1.0) <= end_ns + 80 * MS


def test_jitter_of_the_arrival_leaves_no_hole() -> None:
    rig = Rig()
    rng = np.random.default_rng(0)
    begin_ns = rig.now_ns
    for i in range(300):
        rig.run_to(begin_ns + i * FRAME_NS + round(rng.uniform(0, 60) * MS) // 4 * 4)
        rig.hear(1.0)
    rig.run_ms(300)
    heard = np.flatnonzero(rig.talker.heard == 1.0)
    assert heard[-1] - heard[0] == len(heard) - 1 == 300 * CHUNK - 1
    rig.assert_grid()


def test_a_stall_becomes_silence_and_speech_goes_on_later() -> None:
    rig = Rig()
    for value in (1.0, 2.0):
        for _ in range(10):
            rig.hear(value)
            rig.run_ms(20)
        rig.run_ms(300)
    gap = rig.onset(2.0) - rig.onset(1.0) - 10 * CHUNK
    assert gap == pytest.approx(0.3 * 16_000, abs=1)
    rig.assert_grid()


def test_gap_in_the_stamps_becomes_silence_and_jitter_does_not() -> None:
    rig = Rig(TimelineConfig(playout_delay_ms=200))
    stamp_ns = rig.now_ns
    rng = np.random.default_rng(1)
    for i in range(40):
        lost = 4 if i >= 20 else 0  # 80 ms never arrive
        jitter_ns = round(rng.uniform(-10, 10) * MS)
        rig.hear(1.0 if i < 20 else 2.0, stamp_ns=stamp_ns + (i + lost) * FRAME_NS + jitter_ns)
        rig.run_ms(20)
    rig.run_ms(500)
    assert rig.onset(2.0) - rig.onset(1.0) - 20 * CHUNK == pytest.approx(4 * CHUNK, abs=20 * 16)
    assert np.count_nonzero(rig.talker.heard) == 40 * CHUNK
    rig.assert_grid()


@pytest.mark.parametrize("delay_ms", [80.0, 300.0])
def test_stamped_audio_is_shown_at_its_stamp_plus_the_delay(delay_ms: float) -> None:
    rig = Rig(TimelineConfig(playout_delay_ms=delay_ms))
    rig.run_ms(333)
    stamp_ns = rig.now_ns + 50 * MS
    rig.hear(1.0, 8000, stamp_ns)
    rig.run_ms(1500)
    assert abs(rig.heard_ns(1.0) - stamp_ns - delay_ms * MS) <= 62_500
    assert rig.engine.timeline.speech_start_ns == rig.heard_ns(1.0)


def test_stamps_of_another_clock_are_ignored() -> None:
    rig = Rig()
    rig.run_ms(333)
    arrived_ns = rig.now_ns
    rig.hear(1.0, 8000, 5_000_000_000)
    rig.run_ms(1500)
    assert abs(rig.heard_ns(1.0) - arrived_ns - 80 * MS) <= 62_500


def test_late_stamps_follow_without_a_break() -> None:
    rig = Rig()
    rig.run_ms(333)
    for _ in range(10):
        rig.hear(1.0, stamp_ns=rig.now_ns - 30 * MS)
        rig.run_ms(20)
    rig.run_ms(200)
    assert np.count_nonzero(rig.talker.heard == 1.0) == 10 * CHUNK
    rig.assert_grid()


def test_a_changed_setting_shows_within_100_ms_inside_a_long_sentence() -> None:
    rig = Rig()
    rig.hear(1.0, 160_000)
    rig.run_ms(3_005)
    changed_ns = rig.now_ns
    rig.engine.set({"gain": 5.0})
    rig.run_ms(500)
    assert min(row.stamp_ns for _, row in rig.rows if row.weights[1] == 5.0) <= changed_ns + 100 * MS


def test_flush_drops_the_rest_and_hushes() -> None:
    rig = Rig()
    rig.hear(1.0, 160_000)
    rig.run_ms(1_000)
    assert rig.engine.flush() == pytest.approx(10 - 1 - 0.04, abs=0.021)
    assert rig.talker.hushes == [40]
    before = np.count_nonzero(rig.talker.heard == 1.0)
    rig.run_ms(1_000)
    assert np.count_nonzero(rig.talker.heard == 1.0) == before
    rig.assert_grid()


def test_asap_feeds_everything_at_once_and_flushes_after_the_stall() -> None:
    rig = Rig(TimelineConfig(asap=True))
    rig.hear(1.0, 160_100)
    rig.run_to(rig.now_ns)
    assert len(rig.rows) == (160_100 - 1280) // 320 + 1
    assert rig.stamps[0] == START_NS + 80 * MS
    rig.run_ms(99)
    assert len(rig.rows) == 497
    rig.run_ms(2)
    assert len(rig.rows) == 501  # ceil(160100 / 320)
    rig.run_ms(5_000)
    assert len(rig.rows) == 501
    rig.assert_grid()


def test_asap_makes_silence_of_gaps_in_old_stamps() -> None:
    rig = Rig(TimelineConfig(asap=True))
    recorded_ns = 1_000_000_000_000
    for value, at_ms in ((1.0, 0), (2.0, 20), (3.0, 540)):
        rig.hear(value, stamp_ns=recorded_ns + at_ms * MS)
    rig.run_ms(200)
    assert rig.onset(2.0) - rig.onset(1.0) == CHUNK
    assert rig.onset(3.0) - rig.onset(2.0) == 26 * CHUNK
    assert rig.stamps[0] == recorded_ns + 80 * MS


def test_reset_begins_anew() -> None:
    rig = Rig()
    rig.hear(1.0, 160_000)
    rig.run_ms(500)
    rig.engine.reset(rig.now_ns)
    rig.rows.clear()
    rig.run_ms(500)
    assert rig.rows[0][1].sequence == 0
    assert not rig.talker.heard.any()


def test_a_new_delay_keeps_the_grid_and_holds_for_the_next_speech() -> None:
    rig = Rig()
    rig.hear(1.0, 4_000)
    rig.run_ms(500)
    rig.engine.configure(TimelineConfig(playout_delay_ms=400), 50.0, rig.now_ns)
    arrived_ns = rig.now_ns
    rig.hear(2.0, 4_000)
    rig.run_ms(1_000)
    assert abs(rig.heard_ns(2.0) - arrived_ns - 400 * MS) <= 62_500
    rig.assert_grid()

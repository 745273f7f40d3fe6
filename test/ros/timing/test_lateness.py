"""What the time line does when it falls behind, is given too much, or clocks do not agree."""

import numpy as np
import pytest
from timeline_rig import CHUNK, FRAME_NS, Rig

import dtalker_model
from dtalker_ros.audio.convert import AudioChunk
from dtalker_ros.timed_talker import TimedTalker
from dtalker_ros.timing.pace import MS
from dtalker_ros.timing.timeline_config import TimelineConfig


def test_a_late_node_drops_the_oldest_audio_and_says_so() -> None:
    rig = Rig()
    rig.hear(1.0, 80_000)
    rig.run_ms(1_000)
    rig.now_ns += 2_000 * MS  # the process was held up
    rig.step()
    rig.run_ms(4_000)
    assert rig.engine.take_losses(rig.now_ns)[0].startswith("late: dropped 98 frames and 1.96 s of audio")
    assert rig.engine.take_losses(rig.now_ns) == []
    steps = np.diff(rig.stamps)
    assert sorted(set(steps.tolist())) == [FRAME_NS, 99 * FRAME_NS]
    assert np.diff([row.sequence for _, row in rig.rows]).max() == 99
    assert np.count_nonzero(rig.talker.heard == 1.0) == pytest.approx(80_000 - 31_360, abs=1)


def test_lateness_up_to_the_bound_drops_nothing() -> None:
    rig = Rig()
    rig.hear(1.0, 80_000)
    rig.run_ms(1_000)
    rig.now_ns += 400 * MS
    rig.step()
    rig.run_ms(6_000)
    assert rig.engine.take_losses(rig.now_ns) == []
    assert np.count_nonzero(rig.talker.heard == 1.0) == 80_000
    rig.assert_grid()


def test_a_full_queue_drops_the_oldest_and_says_so() -> None:
    rig = Rig(TimelineConfig(max_queue_s=2.0))
    for value in (1.0, 2.0, 3.0):
        rig.engine.add(AudioChunk(np.full((16_000, 1), value, np.float32), 16_000, None), rig.now_ns)
    assert rig.engine.take_losses(rig.now_ns) == ["queue full: dropped the oldest 1.00 s of audio (max_queue_s)"]
    assert rig.engine.timeline.queued_s == pytest.approx(2.0)
    rig.run_ms(3_000)
    assert set(rig.talker.heard.tolist()) == {0.0, 2.0, 3.0}


@pytest.mark.parametrize("clock_error", [500e-6, -500e-6])
def test_a_microphone_with_a_clock_of_its_own_stays_in_step(clock_error: float) -> None:
    rig = Rig()
    begin_ns = rig.now_ns
    for i in range(30_000):  # ten minutes: 300 ms of drift
        rig.run_to(begin_ns + round(i * FRAME_NS * (1 - clock_error)))
        rig.hear(1.0)
    ahead_ms = [(row.stamp_ns - when_ns) / MS for when_ns, row in rig.rows]
    assert min(ahead_ms) > -80
    assert rig.engine.timeline.queued_s < 0.08
    lost_s = 30_000 * 0.02 - np.count_nonzero(rig.talker.heard == 1.0) / 16_000 - rig.engine.timeline.queued_s
    assert lost_s == pytest.approx(0.25 if clock_error > 0 else 0.0, abs=0.08)
    rig.assert_grid()


def test_speech_sent_ahead_of_time_is_not_taken_for_drift() -> None:
    rig = Rig()
    begin_ns = rig.now_ns
    for i in range(3_000):
        rig.run_to(begin_ns + round(i * FRAME_NS / 1.5))
        rig.hear(1.0)
    rig.run_ms(30_000)
    assert np.count_nonzero(rig.talker.heard == 1.0) == 3_000 * CHUNK
    assert rig.engine.take_losses(rig.now_ns) == []


@pytest.mark.parametrize("rate_hz", [8_000, 11_025, 22_050, 44_100, 48_000])
def test_live_audio_of_any_rate_is_in_time(rate_hz: int) -> None:
    rig = Rig()
    rig.talker = dtalker_model.load()  # type: ignore[assignment]
    rig.engine = TimedTalker(rig.talker, TimelineConfig(), 50.0, rig.now_ns)
    rig.run_ms(333)
    chunk = round(rate_hz * 0.02)
    tone = np.random.default_rng(0).normal(0, 0.1, (chunk, 2))
    begin_ns = rig.now_ns
    for i in range(100):
        rig.run_to(begin_ns + round(i * chunk / rate_hz * 1e9))
        rig.engine.add(AudioChunk(tone, rate_hz, None), rig.now_ns)
        rig.step()
    rig.run_ms(3000)
    rig.assert_grid()
    assert abs(rig.engine.timeline.fed_samples - rig.talker.samples) < 1000
    late = [when_ns - row.stamp_ns for when_ns, row in rig.rows if when_ns > row.stamp_ns + 12 * MS]
    assert len(late) <= 10  # those that wait to see whether more is coming, and those the resampler holds back
    assert all(when_ns <= row.stamp_ns for when_ns, row in rig.rows[-50:])


def test_a_clock_that_jumps_back_is_followed() -> None:
    rig = Rig()
    rig.run_ms(1_000)
    rig.now_ns -= 60_000 * MS
    count = len(rig.rows)
    rig.run_ms(1_000)
    assert len(rig.rows) - count == pytest.approx(50, abs=2)
    assert abs(rig.stamps[-1] - rig.now_ns) <= 40 * MS

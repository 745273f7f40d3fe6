"""Where audio and silence go on the time line, with a simulated clock and a talker that shows what it heard."""

import numpy as np
import pytest
from fake_talker import FakeTalker

import dtalker_model
from dtalker_ros.arrivals import MS
from dtalker_ros.convert import AudioChunk
from dtalker_ros.engine import Engine
from dtalker_ros.publish_rate import PublishRate, Shown
from dtalker_ros.timeline import TimelineConfig

START_NS = 1_700_000_000_123_456_789
CHUNK = 320
FRAME_NS = 20 * MS


class Rig:
    """An engine stepped by a simulated clock, waking when it asks to be woken."""

    def __init__(self, config: TimelineConfig | None = None, rate_hz: float = 50.0) -> None:
        self.now_ns = START_NS
        self.talker = FakeTalker()
        self.engine = Engine(self.talker, config or TimelineConfig(), rate_hz, self.now_ns)
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


def test_a_late_node_drops_the_oldest_audio_and_says_so() -> None:
    rig = Rig()
    rig.hear(1.0, 80_000)
    rig.run_ms(1_000)
    rig.now_ns += 2_000 * MS  # the process was held up
    rig.step()
    assert rig.engine.take_dropped().startswith("late: dropped 98 frames and 1.96 s of audio")
    assert rig.engine.take_dropped() == ""
    rig.run_ms(4_000)
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
    assert rig.engine.take_dropped() == ""
    assert np.count_nonzero(rig.talker.heard == 1.0) == 80_000
    rig.assert_grid()


def test_a_full_queue_drops_the_oldest_and_says_so() -> None:
    rig = Rig(TimelineConfig(max_queue_s=2.0))
    for value in (1.0, 2.0, 3.0):
        rig.engine.add(AudioChunk(np.full((16_000, 1), value, np.float32), 16_000, None), rig.now_ns)
    assert rig.engine.take_dropped() == "queue full: dropped the oldest 1.00 s of audio (max_queue_s)"
    assert rig.engine.timeline.queued_s == pytest.approx(2.0)
    rig.run_ms(3_000)
    assert set(rig.talker.heard.tolist()) == {0.0, 2.0, 3.0}


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
    assert rig.engine.take_dropped() == ""


@pytest.mark.parametrize("rate_hz", [8_000, 11_025, 22_050, 44_100, 48_000])
def test_live_audio_of_any_rate_is_in_time(rate_hz: int) -> None:
    rig = Rig()
    rig.talker = dtalker_model.load()  # type: ignore[assignment]
    rig.engine = Engine(rig.talker, TimelineConfig(), 50.0, rig.now_ns)
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

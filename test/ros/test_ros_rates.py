"""Sample rates on real rclpy: one that nobody declared is noticed, and the delay that a rate needs is told."""

import time

import numpy as np
from microphone_rig import microphone
from real_time_rig import in_real_time
from ros_rig import Listener, listener, talker

__all__ = ["listener"]

WARN = 1
TOLD_S = 2.0
HICCUP_S = 1.0
"""A machine that tests much at once may be so late with everything."""


@in_real_time
def test_48_khz_that_nobody_declared(listener: Listener) -> None:
    with talker(listener), microphone(listener, 48_000):
        begun_s = time.monotonic()
        line = listener.logged("come where no rate is declared: reading them as 48000 Hz")
        assert time.monotonic() - begun_s <= TOLD_S + HICCUP_S
        assert "audio_sample_rate_hz:=48000" in line
        listener.until(lambda: time.monotonic() - begun_s > 5.0, "five seconds")
        figures = listener.fresh_diagnostics()
        assert float(figures["queued_s"]) < 0.3
        level, text = listener.statuses[-1]
        assert level == WARN and "48000 Hz" in text
    assert sum("no rate is declared" in line for line in listener.logs) == 1


@in_real_time
def test_the_delay_in_force_is_told(listener: Listener) -> None:
    with talker(listener, audio_sample_rate_hz=8_000), microphone(listener, 8_000):
        info = listener.until(lambda: next((i for i in listener.infos if i.playout_delay_ms > 80), None), "the delay")
        assert 130 <= info.playout_delay_ms <= 150
        listener.frames.clear()
        listener.until(lambda: len(listener.frames) > 100, "frames")
        whens = np.array([when_ns for when_ns, _ in listener.frames]) / 1e6
        assert np.median(np.diff(whens)) > 15  # not in threes

"""50 frames a second as they are published: when speech begins and ends, at any sample rate and chunk length."""

import numpy as np
import pytest
from timeline_rig import START_NS, Rig

import dtalker_model
from dtalker_ros.audio.convert import AudioChunk
from dtalker_ros.timed_talker import TimedTalker
from dtalker_ros.timing.pace import MS
from dtalker_ros.timing.timeline_config import TimelineConfig

EVEN_MS = 40.0
"""Frames are never further apart."""


def pauses_ms(rig: Rig, begin_ms: float) -> np.ndarray:
    whens = np.array([when_ns for when_ns, _ in rig.rows])
    return np.diff(whens[whens >= START_NS + begin_ms * MS]) / MS


def speak(rig: Rig, rate_hz: int, chunk_ms: float, seconds: float) -> None:
    """Audio in real time."""
    chunk = round(rate_hz * chunk_ms / 1000)
    pcm = np.random.default_rng(0).normal(0, 0.1, (chunk, 1)).astype(np.float32)
    begin_ns = rig.now_ns
    for i in range(round(seconds * rate_hz / chunk)):
        rig.run_to(begin_ns + round(i * chunk / rate_hz * 1e9))
        rig.engine.add(AudioChunk(pcm + np.float32(i * 1e-6), rate_hz, None), rig.now_ns)
        rig.step()
    rig.run_to(begin_ns + round(seconds * 1e9))


@pytest.mark.parametrize("phase_ms", [0.0, 7.0, 13.0, 19.9])
@pytest.mark.parametrize("chunk_ms", [10.0, 20.0, 32.0, 64.0])
def test_frames_go_on_evenly_when_speech_begins_and_ends(chunk_ms: float, phase_ms: float) -> None:
    rig = Rig()
    for _ in range(3):
        rig.run_ms(500 + phase_ms)
        speak(rig, 16_000, chunk_ms, 1.6)
    rig.run_ms(500)
    rig.assert_grid()
    assert pauses_ms(rig, 1_500).max() <= EVEN_MS


@pytest.mark.parametrize("rate_hz", [8_000, 11_025, 22_050, 44_100, 48_000])
def test_frames_are_even_at_any_rate_and_the_stream_stays_exact(rate_hz: int) -> None:
    rig = Rig()
    rig.talker = dtalker_model.load()  # type: ignore[assignment]
    rig.engine = TimedTalker(rig.talker, TimelineConfig(), 50.0, rig.now_ns)
    for _ in range(3):
        rig.run_ms(500)
        speak(rig, rate_hz, 20.0, 1.6)
    rig.run_ms(1_000)
    rig.assert_grid()
    pauses = pauses_ms(rig, 1_000)
    assert pauses.max() <= EVEN_MS
    idle = pauses[-40:]
    np.testing.assert_allclose(idle, 20.0, atol=0.1)  # not in threes
    assert rig.engine.timeline.fed_samples == rig.talker.samples  # 16 kHz again, and not a sample lost on the way
    assert all(when_ns <= row.stamp_ns for when_ns, row in rig.rows[-40:])

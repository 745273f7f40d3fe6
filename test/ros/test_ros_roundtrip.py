"""The main job on real rclpy: ten seconds of speech in chunks of 20 ms at real-time pace, frames back in time."""

import threading
import time
from array import array
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
from real_time_rig import in_real_time
from ros_rig import FRAME_NS, QOS, Listener, listener, stamp_ns, talker
from std_msgs.msg import Int16MultiArray

import dtalker_model

__all__ = ["listener"]

CHUNK = 320
SECONDS = 10
HICCUP_MS = 400.0
"""A machine that tests much at once may hold the publisher up for so long; it must not be taken for the end."""
LATENCY_MS = 30.0
"""Bound on the 95th percentile of the latency beyond the look-ahead."""


class Publisher:
    """Publishes speech in real time from a thread; notes when each chunk went out."""

    def __init__(self, node: Any, pcm: np.ndarray) -> None:
        self._publisher = node.create_publisher(Int16MultiArray, "audio", QOS)
        self._chunks = pcm.reshape(-1, CHUNK)
        self.sent_ns: list[int] = []
        self.thread = threading.Thread(target=self._run)

    @property
    def heard(self) -> bool:
        return bool(self._publisher.get_subscription_count())

    def _run(self) -> None:
        begin_s = time.monotonic()
        for number, chunk in enumerate(self._chunks):
            time.sleep(max(0.0, begin_s + number * CHUNK / 16_000 - time.monotonic()))
            self.sent_ns.append(time.time_ns())
            self._publisher.publish(Int16MultiArray(data=array("h", chunk.tobytes())))


def speech(path: Path) -> np.ndarray:
    """Exactly ten seconds of the bundled clip."""
    pcm, rate_hz = soundfile.read(path, dtype="int16")
    assert rate_hz == 16_000
    return np.resize(pcm, SECONDS * 16_000)


@in_real_time
def test_ten_seconds_in_real_time(listener: Listener, demo_wav: Path) -> None:
    pcm = speech(demo_wav)
    with talker(listener, gap_ms=HICCUP_MS):
        publisher = Publisher(listener.node, pcm)
        listener.until(lambda: publisher.heard and listener.fresh_diagnostics(), "the subscription")
        publisher.thread.start()
        listener.until(lambda: not publisher.thread.is_alive(), "the end of the speech")
        listener.fresh_diagnostics()
        starts_ns = {int(figures["speech_start_ns"]) for figures in listener.diagnostics} - {0}
        assert len(starts_ns) == 1, "the machine held the publisher up for longer than HICCUP_MS"
        start_ns = starts_ns.pop()
        end_ns = start_ns + SECONDS * 1_000_000_000
        listener.until(lambda: stamp_ns(listener.frames[-1][1]) >= end_ns, "the last frame")
        diagnostics = listener.fresh_diagnostics()
    listener.assert_grid()
    spoken = [(when, m) for when, m in listener.frames if start_ns <= stamp_ns(m) < end_ns]
    assert len(spoken) == 500
    assert diagnostics["dropped_frames"] == diagnostics["messages_lost"] == "0"
    _check_latency(spoken, publisher.sent_ns, start_ns)
    _check_frames(listener.frames, pcm, start_ns)


def _check_latency(spoken: list[tuple[int, Any]], sent_ns: list[int], start_ns: int) -> None:
    """From the publishing of the chunk with the last sample that a frame depends on to the frame's arrival."""
    latencies = []
    for when_ns, message in spoken:
        last_sample = (stamp_ns(message) - start_ns) // 62_500 + 1280 - 1
        if last_sample // CHUNK < len(sent_ns):
            latencies.append((when_ns - sent_ns[last_sample // CHUNK]) / 1e6)
    p50, p95, p99 = np.percentile(latencies, (50, 95, 99))
    print(f"\nlatency beyond the look-ahead: p50 {p50:.2f} p95 {p95:.2f} p99 {p99:.2f} ms, {len(latencies)} frames")
    assert len(latencies) >= 495
    assert min(latencies) > 0
    assert p95 <= LATENCY_MS


def _check_frames(frames: list[tuple[int, Any]], pcm: np.ndarray, start_ns: int) -> None:
    """The frames are those of the core for the same audio at the same place."""
    first_ns = stamp_ns(frames[0][1]) - frames[0][1].sequence * FRAME_NS
    place = (start_ns - first_ns) // 62_500
    reference = dtalker_model.load()
    expected = reference.push(np.concatenate([np.zeros(place, np.int16), pcm]), 16_000)
    got = {message.sequence: message.weights for _, message in frames}
    pairs = [(got[i], frame.weights) for i, frame in enumerate(expected) if i in got]
    assert len(pairs) >= 500
    assert max(float(np.max(np.abs(a - b))) for a, b in pairs) < 1e-4

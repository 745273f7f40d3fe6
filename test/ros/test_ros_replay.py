"""A recording that is played again with simulated time gives the same frames, byte for byte, on a busy machine too."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from checkout import ROOT
from message_packages import environment
from ros_rig import WAIT_S, Listener, clip, listener, stamp_ns, talker

__all__ = ["listener"]

CHUNK = 320
BEGIN_NS = 1_000_000_000_123
STOPPED_S, RUNNING_S = 0.4, 0.25


@pytest.fixture
def recording(demo_wav: Path, tmp_path: Path) -> Path:
    """1.4 s of speech, 0.7 s of nothing, 0.8 s of speech, in chunks of 20 ms."""
    pcm, _ = clip(demo_wav, 2.2)
    rows = pcm[: len(pcm) // CHUNK * CHUNK].reshape(-1, CHUNK)
    stamps_ns = BEGIN_NS + 20_000_000 * np.arange(len(rows)) + 700_000_000 * (np.arange(len(rows)) >= 70)
    np.savez(tmp_path / "recording.npz", pcm=rows, stamps_ns=stamps_ns)
    return tmp_path / "recording.npz"


def played(listener: Listener, recording: Path, slowed: bool) -> list[tuple[int, str, int, bytes]]:
    """What a talker node publishes from its sequence number 0 on until 0.4 s after the recording."""
    env = {**os.environ, **environment("ros_drivers")}
    env["PYTHONPATH"] = f"{ROOT / 'test' / 'rigs'}{os.pathsep}{env['PYTHONPATH']}"
    end_ns = int(np.load(recording)["stamps_ns"][-1]) + 400_000_000
    listener.frames.clear()
    with talker(listener, environment("ros_drivers"), use_sim_time=True) as process:
        script = str(ROOT / "test" / "rigs" / "replay_rig.py")
        player = subprocess.Popen([sys.executable, script, str(recording)], env=env)
        turn_s, stopped = time.monotonic(), False
        while player.poll() is None:
            listener.executor.spin_once(timeout_sec=0.02)
            # What is stopped while it joins hears nothing that is said before it has joined.
            slows = slowed and listener.frames and stamp_ns(listener.frames[-1][1]) > BEGIN_NS
            if slows and time.monotonic() - turn_s > (STOPPED_S if stopped else RUNNING_S):
                turn_s, stopped = time.monotonic(), not stopped
                process.send_signal(signal.SIGSTOP if stopped else signal.SIGCONT)
        process.send_signal(signal.SIGCONT)
        assert player.wait(WAIT_S) == 0
        listener.until(lambda: stamp_ns(listener.frames[-1][1]) >= end_ns, "the last frames")
    assert not any("another replay may differ" in line for line in listener.logs)
    messages = [message for _, message in listener.frames]
    begin = max(k for k, message in enumerate(messages) if message.sequence == 0)
    return [contents(message) for message in messages[begin:] if stamp_ns(message) < end_ns]


def contents(message: Any) -> tuple[int, str, int, bytes]:
    """All of a message; its serialized bytes have gaps between fields, in which anything may stand."""
    weights = np.array(message.weights, np.float32).tobytes()
    return stamp_ns(message), message.header.frame_id, message.sequence, weights


def test_the_same_recording_gives_the_same_bytes_however_busy_the_machine(listener: Listener, recording: Path) -> None:
    free = played(listener, recording, slowed=False)
    slowed = played(listener, recording, slowed=True)
    assert len(free) > 50 * 3
    assert slowed == free

"""A microphone that is always open, on real rclpy: two seconds after a fault the face is with the sound again, and the
log has said so once. The chunks count, and the frames tell which one they show.
"""

import signal
import subprocess
import sys
import threading
import time
from array import array
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import numpy as np
import pytest
from checkout import ROOT
from live_rig import BEGIN_NS, Sent, double, lose, microphone, stall
from real_time_rig import in_real_time
from ros_rig import QOS, Listener, ended_by_ctrl_c, listener, stamp_ns
from std_msgs.msg import Int16MultiArray

__all__ = ["listener"]

CHUNK, CHUNK_NS = 320, 20_000_000
DELAY_NS = 80_000_000
IN_STEP_MS = 40.0
SETTLED_S = 2.0
HICCUP_MS = 30.0
"""A machine that tests much at once may be so late with everything."""


class Microphone:
    """Publishes counted chunks from a thread, each when its time has come."""

    def __init__(self, listener: Listener, sent: list[Sent], name: str = "audio") -> None:
        self._publisher = listener.node.create_publisher(Int16MultiArray, name, QOS)
        self._sent = sorted(sent, key=lambda chunk: chunk.arrival_ns)
        self.begun_ns = 0
        self.stop = threading.Event()
        self._thread = threading.Thread(target=self._run)

    @property
    def heard(self) -> bool:
        return bool(self._publisher.get_subscription_count())

    def start(self) -> None:
        self.begun_ns = time.time_ns()
        self._thread.start()

    def close(self, listener: Listener) -> None:
        self.stop.set()
        self._thread.join()
        listener.node.destroy_publisher(self._publisher)

    def _run(self) -> None:
        begun_s = time.monotonic()
        for chunk in self._sent:
            if self.stop.wait(max(0.0, begun_s + (chunk.arrival_ns - BEGIN_NS) / 1e9 - time.monotonic())):
                return
            number = chunk.first // CHUNK + 1
            self._publisher.publish(Int16MultiArray(data=array("h", [number] * (CHUNK - 1) + [-number])))


@dataclass
class Running:
    """A talker node, and, when it has ended, what it wrote on how the audio came."""

    process: "subprocess.Popen[str]"
    faults: list[str] = field(default_factory=list)


FAULTS = ("late: ", "audio is missing", "came twice", "jumped", "was set", "several publishers", "samples a second")


@contextmanager
def numbered_talker(listener: Listener) -> Iterator[Running]:
    """A talker whose frames tell what they show."""
    script = ROOT / "test" / "rigs" / "numbered_talker.py"
    process = subprocess.Popen(
        [sys.executable, str(script)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT
    )
    talking = Running(process)
    with ended_by_ctrl_c(listener, process) as written:
        yield talking
    talking.faults = [line for line in written if any(fault in line for fault in FAULTS)]


def off_ms(listener: Listener, begun_ns: int, begin_s: float, end_s: float) -> np.ndarray:
    """For the frames shown in this time after `begun_ns`: how late they show the chunk they tell, give or take half."""
    result = []
    for _, message in list(listener.frames):
        shown_ns, number = stamp_ns(message) - DELAY_NS - begun_ns, round(abs(message.weights[0]))
        if number and begin_s * 1e9 <= shown_ns < end_s * 1e9:
            result.append((shown_ns - (number - 1) * CHUNK_NS - CHUNK_NS // 2) / 1e6)
    return np.array(result)


def check(listener: Listener, running: Running, begun_ns: int, fault_end_s: float, end_s: float, text: str) -> None:
    """Two seconds after the fault the face shows what sounds; `text` was said once, and nothing else."""
    after = off_ms(listener, begun_ns, fault_end_s + SETTLED_S, end_s)
    assert len(after) > 0.9 * 50 * (end_s - fault_end_s - SETTLED_S)
    print(f"\n{text}: {after.min():.1f} to {after.max():.1f} ms")
    assert np.abs(after).max() <= IN_STEP_MS + CHUNK_NS / 2e6 + HICCUP_MS
    assert len(running.faults) == 1 and text in running.faults[0], running.faults


@pytest.mark.parametrize("stall_s", [0.4, 3.0, 8.0])
@in_real_time
def test_a_stall_of_the_network(listener: Listener, stall_s: float) -> None:
    end_s = 3.0 + stall_s + SETTLED_S + 1.0
    sent = list(stall(3.0, stall_s)(microphone(end_s)))
    _speak(listener, sent, 3.0 + stall_s, end_s, "whose time had passed")


@in_real_time
def test_four_percent_lost(listener: Listener) -> None:
    _speak(listener, list(lose(0.04)(microphone(7.0))), 2.0, 7.0, "audio is missing")


@in_real_time
def test_every_fifth_chunk_comes_twice(listener: Listener) -> None:
    _speak(listener, list(double(0.2)(microphone(6.0))), 1.0, 6.0, "the audio came twice")


HEARTBEAT_S = 3.5
"""Fast DDS may take so long until it goes on with a reader that did not answer."""


@in_real_time
def test_a_stopped_process(listener: Listener) -> None:
    end_s = 6.0 + HEARTBEAT_S + SETTLED_S + 1.0
    with numbered_talker(listener) as running:
        source = Microphone(listener, microphone(end_s + 0.2))
        listener.until(lambda: source.heard, "the subscription")
        source.start()
        _until(listener, source, 3.0)
        running.process.send_signal(signal.SIGSTOP)
        _until(listener, source, 6.0)
        running.process.send_signal(signal.SIGCONT)
        _until(listener, source, end_s + 0.2)
        source.close(listener)
    check(listener, running, source.begun_ns, 6.0 + HEARTBEAT_S, end_s, "whose time had passed")


@in_real_time
def test_a_second_publisher(listener: Listener) -> None:
    with numbered_talker(listener) as running:
        first = Microphone(listener, microphone(9.0))
        listener.until(lambda: first.heard, "the subscription")
        first.start()
        _until(listener, first, 3.0)
        second = Microphone(listener, microphone(9.0))
        second.start()
        _until(listener, first, 7.2)
        for source in (first, second):
            source.close(listener)
    after = off_ms(listener, first.begun_ns, 3.0 + SETTLED_S, 7.0)
    other = off_ms(listener, second.begun_ns, SETTLED_S, 4.0)
    assert len(after) and len(other)
    assert min(np.abs(after).max(), np.abs(other).max()) <= IN_STEP_MS + CHUNK_NS / 2e6 + HICCUP_MS
    assert len(running.faults) == 1 and "several publishers speak" in running.faults[0], running.faults


def _speak(listener: Listener, sent: list[Sent], fault_end_s: float, end_s: float, text: str) -> None:
    with numbered_talker(listener) as running:
        source = Microphone(listener, sent)
        listener.until(lambda: source.heard, "the subscription")
        source.start()
        _until(listener, source, end_s + 0.2)
        source.close(listener)
    check(listener, running, source.begun_ns, fault_end_s, end_s, text)


def _until(listener: Listener, source: Microphone, time_s: float) -> None:
    """Spin until `time_s` after the microphone began."""
    end_ns = source.begun_ns + round(time_s * 1e9)
    listener.until(lambda: time.time_ns() >= end_ns, f"{time_s} s of sound")

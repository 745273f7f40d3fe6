"""The worker thread: what it refuses it says once, nothing ends it but `stop`, and `stop` joins it."""

import threading
import time
from typing import Any

import numpy as np
import pytest
from fake_talker import FakeTalker

from dtalker_model.errors import AudioError
from dtalker_ros.audio.convert import AudioChunk
from dtalker_ros.publish_rate import Shown
from dtalker_ros.timed_talker import TimedTalker
from dtalker_ros.timing.timeline_config import TimelineConfig
from dtalker_ros.worker import Complaints, Worker

WAIT_S = 10.0


class Log:
    def __init__(self) -> None:
        self.lines: list[str] = []

    def warning(self, message: str) -> None:
        self.lines.append(message)

    error = warning


class Rig:
    """A worker with a converter that knows three messages: audio, 'bad' and 'broken'."""

    def __init__(self) -> None:
        self.log = Log()
        self.rows: list[Shown] = []
        self.came = threading.Event()
        self.talker = FakeTalker()
        engine = TimedTalker(self.talker, TimelineConfig(asap=True), 50.0, time.time_ns())
        self.worker = Worker(engine, self.convert, self.publish, time.time_ns, self.log)

    def convert(self, message: Any) -> AudioChunk:
        if message == "bad":
            raise AudioError("3 bytes are no samples")
        if message == "broken":
            raise RuntimeError("a bug")
        return AudioChunk(np.ones((3200, 1), np.float32), 16_000, None)

    def publish(self, rows: list[Shown]) -> None:
        self.rows += rows
        self.came.set()


@pytest.fixture
def rig() -> Any:
    result = Rig()
    yield result
    result.worker.stop()


def test_bad_messages_are_counted_and_said_once(rig: Rig) -> None:
    for message in ("bad", "bad", "broken", "good"):
        rig.worker.submit(message)
    assert rig.came.wait(WAIT_S)
    assert (rig.worker.received, rig.worker.refused) == (4, 2)
    assert rig.log.lines[0] == "audio refused: 3 bytes are no samples"
    assert "RuntimeError: a bug" in rig.log.lines[1]
    assert len(rig.log.lines) == 2


def test_what_is_wrong_with_the_sound_is_said_once_and_the_face_goes_on(rig: Rig) -> None:
    rig.talker.faults = ("the audio is clipped",)
    for _ in range(3):
        rig.came.clear()
        rig.worker.submit("good")
        assert rig.came.wait(WAIT_S)
    rig.worker.stop()
    assert rig.log.lines == ["the audio is clipped"]


def test_stop_joins_the_thread_even_when_it_waits() -> None:
    before = threading.active_count()
    rig = Rig()
    assert threading.active_count() == before + 1
    rig.worker.stop()
    assert threading.active_count() == before


def test_the_inbox_is_bounded(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dtalker_ros.worker.DEPTH", 10)
    with rig.worker._engine.lock:  # the worker cannot step meanwhile
        for _ in range(50):
            rig.worker.submit("good")
    assert rig.worker.lost >= 50 - 10 - 2


def test_complaints_of_a_kind_come_again_after_a_while_with_their_number() -> None:
    said: list[str] = []
    complain = Complaints()
    for i, time_s in enumerate((0, 1, 2, 11, 12)):
        complain(said.append, f"{i} bytes are odd", time_s * 1_000_000_000)
    assert said == ["0 bytes are odd", "3 bytes are odd (2 more like this)"]


def test_what_came_before_simulated_time_began_is_heard() -> None:
    """The first chunk may overtake the first tick of /clock."""
    clock, shown, heard = [0], [], threading.Event()
    stamp_ns = 1_000_000_000_000

    def publish(rows: list[Shown]) -> None:
        shown.extend(rows)
        if any(row.weights[0] == 1.0 for row in rows):
            heard.set()

    def convert(message: int) -> AudioChunk:
        return AudioChunk(np.ones((3200, 1), np.float32), 16_000, message)

    engine = TimedTalker(FakeTalker(), TimelineConfig(), 50.0, 0)
    worker = Worker(engine, convert, publish, lambda: clock[0], Log(), poll=True)
    try:
        for k in range(3):
            worker.submit(stamp_ns + k * 200_000_000)
        clock[0] = stamp_ns + 300_000_000
        assert heard.wait(WAIT_S)
    finally:
        worker.stop()
    first = next(row for row in shown if row.weights[0] == 1.0)
    assert (first.sequence, first.stamp_ns) == (
        0,
        stamp_ns + 180_000_000,
    )  # 80 ms, and the 100 ms that a chunk may take

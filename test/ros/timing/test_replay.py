"""Simulated time: the same stamped audio gives the same frames, however late audio and clock are handed over."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest
from fake_talker import FakeTalker

from dtalker_ros.audio.convert import AudioChunk
from dtalker_ros.publish_rate import Shown
from dtalker_ros.timed_talker import TimedTalker
from dtalker_ros.timing.pace import MS
from dtalker_ros.timing.replay import Replay
from dtalker_ros.timing.timeline_config import TimelineConfig

S = 1_000 * MS
BEGIN_NS = 100 * S + 7 * MS + 123_457


@dataclass(frozen=True)
class Message:
    """One chunk of 20 ms."""

    stamp_ns: int
    first: int
    """Value of its first sample; each is one more."""


def speech() -> list[Message]:
    """A microphone for a second, 1.5 s of nothing, a sentence that is sent twice as fast, a loss, jittery stamps."""
    rng = np.random.default_rng(0)
    steady = [BEGIN_NS + k * 20 * MS for k in range(50)]
    fast = [BEGIN_NS + 2_507 * MS + k * 10 * MS for k in range(60)]
    lossy = [BEGIN_NS + 5 * S + k * 20 * MS for k in range(100) if k % 17 != 3]
    jittery = [BEGIN_NS + 8 * S + k * 20 * MS + int(rng.uniform(-6, 6) * MS) for k in range(50)]
    return [Message(stamp_ns, 1 + 320 * k) for k, stamp_ns in enumerate([*steady, *fast, *lossy, *jittery])]


END_NS = BEGIN_NS + 9 * S


class Machine:
    """A process that looks at its clock and its messages only now and then."""

    def __init__(self, pause: Callable[[], float], tick_ns: int, rate: float = 1.0, wait_ns: int = 0) -> None:
        """`pause`: ms of real time from one look to the next; `tick_ns` of /clock; `rate` at which it is played."""
        self.engine = TimedTalker(FakeTalker(), TimelineConfig(), 50.0, 0)
        self.pause, self.tick_ns, self.rate = pause, tick_ns, rate
        self.replay = Replay(self.engine, 0, wait_ns)
        self.rows: list[Shown] = []
        self.real_ns = 0

    def play(self, messages: list[Message], begin_ns: int = BEGIN_NS - S, way_ns: int = 25 * MS) -> "Machine":
        """Play them once, with the clock from `begin_ns` to a second after the last."""
        waiting, started_ns, until_ns = list(messages), self.real_ns, messages[-1].stamp_ns + S
        while (sim_ns := begin_ns + round((self.real_ns - started_ns) * self.rate)) < until_ns:
            clock_ns = sim_ns // self.tick_ns * self.tick_ns
            while waiting and waiting[0].stamp_ns + way_ns <= sim_ns:
                self._hear(waiting.pop(0), clock_ns)
            self.rows += self.replay.run(clock_ns, self.real_ns)
            self.real_ns += round(self.pause() * MS)
        return self

    def _hear(self, message: Message, clock_ns: int) -> None:
        pcm = np.arange(message.first, message.first + 320, dtype=np.float32)[:, None]
        self.rows += self.replay.hear(AudioChunk(pcm, 16_000, message.stamp_ns), clock_ns)

    def frames(self, end_ns: int = END_NS) -> list[tuple[int, int, bytes]]:
        """Stamp, number and weights of what was published from the last beginning to `end_ns`."""
        begin = max(k for k, row in enumerate(self.rows) if row.sequence == 0)
        rows = [row for row in self.rows[begin:] if row.stamp_ns < end_ns]
        return [(row.stamp_ns, row.sequence, row.weights.tobytes()) for row in rows]


def steady() -> Machine:
    return Machine(lambda: 10.0, 10 * MS)


def busy(seed: int, wait_ns: int = 0) -> Machine:
    """Looks every 10 to 60 ms, is stopped for half a second now and then; ticks of 25 ms."""
    rng = np.random.default_rng(seed)
    return Machine(lambda: 500.0 if rng.random() < 0.02 else rng.uniform(10, 60), 25 * MS, wait_ns=wait_ns)


@pytest.fixture(scope="module")
def expected() -> list[tuple[int, int, bytes]]:
    return steady().play(speech()).frames()


def test_what_is_played_speaks(expected: list[tuple[int, int, bytes]]) -> None:
    stamps = np.array([stamp_ns for stamp_ns, _, _ in expected])
    assert [number for _, number, _ in expected] == list(range(len(expected)))
    assert set(np.diff(stamps)) == {20 * MS}
    assert stamps[0] == BEGIN_NS + 100 * MS  # the look-ahead, and the 20 ms that a chunk lasts
    speaking = [np.frombuffer(weights, np.float32)[0] > 0 for _, _, weights in expected]
    assert 0.4 < np.mean(speaking) < 0.9


@pytest.mark.parametrize("seed", range(5))
def test_a_busy_machine_gives_the_same_frames(expected: list[tuple[int, int, bytes]], seed: int) -> None:
    machine = busy(seed).play(speech(), BEGIN_NS - (seed + 1) * 777 * MS)
    assert machine.frames() == expected
    assert machine.replay.take_late() == 0


@pytest.mark.parametrize("rate", [0.3, 5.0])
def test_slower_and_faster_playing_gives_the_same_frames(expected: list[tuple[int, int, bytes]], rate: float) -> None:
    assert Machine(lambda: 10.0, 10 * MS, rate).play(speech()).frames() == expected


def test_played_again_on_the_same_node_it_gives_the_same_frames(expected: list[tuple[int, int, bytes]]) -> None:
    machine = steady().play(speech())
    assert machine.play(speech()).frames() == expected
    assert [row.sequence for row in machine.rows].count(0) >= 2


def test_frames_come_in_time_while_audio_comes() -> None:
    """At the latest when they are shown, with chunks of 20 ms that take 5 ms."""
    machine = steady()
    clock_ns = BEGIN_NS + S
    for k in range(100):
        pcm = np.full((320, 1), k + 1, np.float32)
        rows = machine.replay.hear(AudioChunk(pcm, 16_000, clock_ns - 25 * MS), clock_ns)
        assert all(row.stamp_ns >= clock_ns for row in rows)
        assert len(rows) > 0 or k < 5
        clock_ns += 20 * MS


def test_where_no_audio_comes_frames_follow_the_clock() -> None:
    machine = steady().play(speech()[:50])
    stamps = [row.stamp_ns for row in machine.rows]
    assert stamps[-1] >= BEGIN_NS + 2 * S - 250 * MS
    assert max(np.diff(stamps[10:])) <= 1 * S  # before the first audio there were other frames


def test_audio_that_comes_after_the_silence_in_its_place_is_told() -> None:
    messages = speech()[:50]
    machine = steady().play(messages)
    machine._hear(Message(BEGIN_NS + 1_100 * MS, 1), BEGIN_NS + 2 * S)
    assert 0 < machine.replay.take_late() < S
    assert machine.replay.take_late() == 0


def test_longer_waiting_overcomes_a_longer_delay(expected: list[tuple[int, int, bytes]]) -> None:
    late = busy(1, wait_ns=1500 * MS).play(speech(), way_ns=1200 * MS)
    assert late.frames(END_NS - S) == [frame for frame in expected if frame[0] < END_NS - S]


def test_audio_without_stamps_goes_by_the_clock() -> None:
    machine = steady()
    machine.replay.run(BEGIN_NS, 0)
    machine.rows += machine.replay.hear(AudioChunk(np.ones((32_000, 1), np.float32), 16_000, None), BEGIN_NS)
    for k in range(100):
        machine.rows += machine.replay.run(BEGIN_NS + k * 10 * MS, k * 10 * MS)
    shown = [row.stamp_ns for row in machine.rows if row.weights[0] == 1]
    assert abs(shown[0] - BEGIN_NS - 80 * MS) <= 20 * MS and len(shown) > 40

"""One thread behind one bounded queue: callbacks drop messages into it, everything else happens in the thread."""

import re
import threading
import time
import traceback
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from dtalker_model.errors import DtalkerError
from dtalker_model.faults import SaidOnce
from dtalker_ros.audio.convert import AudioChunk
from dtalker_ros.audio.publishers import DEPTH
from dtalker_ros.publish_rate import Shown
from dtalker_ros.timed_talker import TimedTalker
from dtalker_ros.timing.clock_watch import ClockWatch
from dtalker_ros.timing.replay import Replay

_POLL_S = 0.01
"""With a clock that is not the wall clock (simulated time) the thread looks at it this often."""

_AGAIN_NS, _RARELY_NS = 10_000_000_000, 3_600_000_000_000
"""A complaint of the same kind is repeated after the first of these at the earliest, then ever less often."""


class Log(Protocol):
    """The part of an rclpy logger that is used here."""

    def warning(self, message: str) -> Any: ...
    def error(self, message: str) -> Any: ...


class OwnLines:
    """A log for code that is handed `warning` and `error` as functions.

    rclpy ties each line of code that logs to the severity that it had first, so each has a line of its own here.
    """

    def __init__(self, log: Log) -> None:
        self._log = log

    def warning(self, message: str) -> Any:
        """Log a warning."""
        return self._log.warning(message)

    def error(self, message: str) -> Any:
        """Log an error."""
        return self._log.error(message)


@dataclass
class _Said:
    at_ns: int
    pause_ns: int = _AGAIN_NS
    silent: int = 0


class Complaints:
    """Says the same kind of thing once, then after ten seconds with the number of repetitions, and ever less often."""

    def __init__(self) -> None:
        self._kinds: dict[str, _Said] = {}

    def __call__(self, say: Callable[[str], Any], text: str, now_ns: int) -> None:
        """Pass `text` to `say`, unless something that differs only in numbers was said lately."""
        kind = re.sub(r"[\d.,]+", "#", text)
        if kind not in self._kinds and len(self._kinds) >= 100:
            self._kinds.clear()
        said = self._kinds.get(kind)
        if said is not None and 0 <= now_ns - said.at_ns < said.pause_ns:
            said.silent += 1
            return
        silent = said.silent if said is not None else 0
        pause_ns = min(2 * said.pause_ns, _RARELY_NS) if said is not None and silent else _AGAIN_NS
        self._kinds[kind] = _Said(now_ns, pause_ns)
        say(f"{text} ({silent} more like this)" if silent else text)


class Worker:
    """Converts, computes and publishes in a thread of its own; `stop` joins it."""

    def __init__(
        self,
        engine: TimedTalker,
        convert: Callable[[Any], AudioChunk | None],
        publish: Callable[[list[Shown]], None],
        clock_ns: Callable[[], int],
        log: Log,
        poll: bool = False,
        say_speaking: Callable[[bool], None] = lambda speaks: None,
    ) -> None:
        """`convert`: None where a message completes no sample. `poll`: the clock is not the wall clock, so waiting for
        a time means looking at it again and again, and the engine goes by the stamps (`Replay`). `say_speaking` is told
        when the face begins and ceases to speak.
        """
        self._engine, self._convert, self._publish = engine, convert, publish
        self._clock_ns, self._log, self._poll = clock_ns, OwnLines(log), poll
        self._say_speaking, self._speaks = say_speaking, False
        self._complain, self._tell = Complaints(), SaidOnce(self._log.warning)
        self._watch = None if poll else ClockWatch(clock_ns, time.monotonic_ns)
        self._replay = Replay(engine, clock_ns(), engine.gap_ns) if poll else None
        self._inbox: deque[tuple[Any, int]] = deque()
        self._unwanted = 0
        """Messages at the front of the inbox that are not to be heard."""
        self._changed = threading.Condition()
        self._stopping = False
        self.received = 0
        """Messages taken in."""
        self.refused = 0
        """Messages that were no usable audio."""
        self.lost_on_the_way = 0
        """Messages lost by the middleware, as far as it tells; set by whoever hears."""
        self._dropped = 0
        self._thread = threading.Thread(target=self._run, name="dtalker_worker", daemon=True)
        self._thread.start()

    @property
    def lost(self) -> int:
        """Messages lost on the way, or dropped because too many waited."""
        return self.lost_on_the_way + self._dropped

    def submit(self, message: Any) -> None:
        """Hand over a message and return at once; for callbacks."""
        with self._changed:
            if len(self._inbox) >= DEPTH:
                self._inbox.popleft()
                self._unwanted = max(0, self._unwanted - 1)
                self._dropped += 1
            self._inbox.append((message, self._clock_ns()))
            self._changed.notify()

    def wake(self) -> None:
        """Let the thread look again: a setting has changed."""
        with self._changed:
            self._changed.notify()

    def drain(self) -> None:
        """Let the messages that wait not be heard. They are converted all the same: the next one may go on in the midst
        of a sample, or under a header that came with them.
        """
        with self._changed:
            self._unwanted = len(self._inbox)

    def reset(self) -> None:
        """Fresh state of the engine; what waits is not heard."""
        self.drain()
        if self._replay is not None:
            self._replay.fresh = True
        self._engine.reset(self.engine_ns)
        self.wake()

    @property
    def engine_ns(self) -> int:
        """The time by which the engine goes."""
        return self._clock_ns() if self._replay is None else self._replay.now_ns

    def stop(self) -> None:
        """End the thread and wait for it."""
        with self._changed:
            self._stopping = True
            self._changed.notify()
        self._thread.join()

    def _run(self) -> None:
        self._await_clock()
        while not self._stopping:
            try:
                self._step()
                self._wait()
            except Exception:  # a node that runs for months must say what went wrong and go on
                self._complain(self._log.error, f"unexpected error: {traceback.format_exc()}", self._clock_ns())
                threading.Event().wait(_POLL_S)

    def _await_clock(self) -> None:
        """Simulated time is 0 until somebody sends it; what began at 0 would be years late then."""
        if not self._poll or self._clock_ns() > 0:
            return
        while not self._stopping and self._clock_ns() == 0:
            threading.Event().wait(_POLL_S)
        self._replay = Replay(self._engine, self._clock_ns(), self._engine.gap_ns)
        self._engine.reset(self._replay.now_ns)

    def _step(self) -> None:
        step_ns = self._watch.step_ns() if self._watch is not None else 0
        if step_ns:
            self._engine.clock_set(step_ns)
        while self._inbox and not self._stopping:
            with self._changed:
                message, arrival_ns = self._inbox.popleft() if self._inbox else (None, 0)
                wanted = self._unwanted == 0
                self._unwanted = max(0, self._unwanted - 1)
            if message is not None:
                self._take(message, arrival_ns, wanted)
        if self._replay is None:
            self._send(self._engine.step(self._clock_ns()))
        else:
            self._send(self._replay.run(self._clock_ns(), time.monotonic_ns()))
        self._report_speaking()
        self._report_dropped()

    def _send(self, rows: list[Shown]) -> None:
        if rows:
            self._publish(rows)
            now_ns = self._clock_ns()
            self._engine.statistics.latency_ms.extend((now_ns - row.ready_ns) / 1e6 for row in rows)

    def _report_speaking(self) -> None:
        speaks = self._engine.speaking(self._clock_ns())
        if speaks != self._speaks:
            self._speaks = speaks
            self._say_speaking(speaks)

    def _take(self, message: Any, arrival_ns: int, wanted: bool) -> None:
        self.received += 1
        try:
            chunk = self._convert(message)
            if chunk is None or not wanted:
                return
            if self._replay is None:
                self._engine.add(chunk, min(arrival_ns, self._clock_ns()))
            else:
                self._send(self._replay.hear(chunk, self._clock_ns()))
        except (DtalkerError, TypeError, ValueError) as error:
            self.refused += 1
            self._complain(self._log.error, f"audio refused: {error}", arrival_ns)

    def _report_dropped(self) -> None:
        now_ns = self._clock_ns()
        late_ns = self._replay.take_late() if self._replay is not None else 0
        if late_ns:
            text = (
                f"audio came {late_ns / 1e9:.2f} s after the silence in its place: another replay may differ (gap_ms)"
            )
            self._complain(self._log.warning, text, now_ns)
        for said in self._engine.take_losses(now_ns):
            self._complain(self._log.warning, said, now_ns)
        for said in self._engine.take_refusals():
            self._complain(self._log.error, f"audio refused, silence in its place: {said}", now_ns)
        self._tell(self._engine.faults)

    def _wait(self) -> None:
        now_ns = self._clock_ns()
        wake_ns = self._engine.next_wake_ns(now_ns)
        timeout_s = None if wake_ns is None else max(0.0, (wake_ns - now_ns) / 1e9)
        if self._poll:
            timeout_s = _POLL_S
        with self._changed:
            if not self._inbox and not self._stopping and timeout_s != 0.0:
                self._changed.wait(timeout_s)

"""All checks, one after the other, none of which can hang."""

import os
import queue
import re
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar

from dtalker_ros.doctor import middleware, software
from dtalker_ros.doctor.finding import Finding, Level, exit_code

T = TypeVar("T")
LOOK = (sys.executable, "-m", "dtalker_ros.doctor.look")
LOOK_S = 8.0
"""ROS that has not answered by then hangs; it takes 5 s, while the packages are imported here."""


def examine(args: Sequence[str] | None) -> Iterator[Finding]:
    """Every finding as soon as it is there; `args`: ROS arguments."""
    looking = begun(lambda: seen([*LOOK, *(args or [])]))
    needed = list(software.check_needed())
    yield from (software.check_python(), *needed, software.check_optional())
    yield from (software.check_messages(), software.check_foreign_messages())
    yield from (check(os.environ) for check in (middleware.check_distribution, middleware.check_domain))
    yield from (middleware.check_reach(os.environ), *middleware.check_profiles(os.environ))
    if exit_code(needed):
        yield Finding(Level.WARN, "the rest", "was not looked at", "mend the packages first, then ask again")
    else:
        yield from _examine_rest(looking)


def _examine_rest(looking: Callable[[float], Any]) -> Iterator[Finding]:
    """Speed, graph, clocks and microphone, which need the packages; `looking` waits for the graph."""
    from dtalker_ros.doctor import clocks, computer
    from dtalker_ros.timing.clock_watch import ClockWatch

    yield computer.check_speed(caught(computer.measured_speed))
    microphones = begun(computer.found_microphones)
    watch = ClockWatch(time.time_ns, time.monotonic_ns)
    yield from check_ros(looking(LOOK_S))
    yield clocks.check_system_clock(time.time(), watch.step_ns() / 1e9)
    yield computer.check_microphones(microphones(computer.MICROPHONE_S))


def seen(command: Sequence[str], seconds: float = LOOK_S) -> Any:
    """The `Sights` that the process `command` prints. Raises `RuntimeError` with the reason where it prints none."""
    from dtalker_ros.doctor.sights import read

    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=seconds, check=False)
    except subprocess.TimeoutExpired:
        raise RuntimeError(f"it did not answer within {seconds:g} s") from None
    if done.returncode != 0:
        raise RuntimeError(_reason(done.stderr))
    return read(done.stdout.strip().splitlines()[-1])


def _reason(written: str) -> str:
    """The last line of a traceback or a log, without the time and the place in somebody's source."""
    line = (written.strip().splitlines() or ["no reason given"])[-1]
    return re.sub(r"^(\[[^]]*\] ?)+: ", "", line).partition(", at /")[0]


def check_ros(sights: Any) -> Iterator[Finding]:
    """The graph, as `Sights`; or the exception that says why it could not be seen."""
    text, asked = str(sights), os.environ.get("RMW_IMPLEMENTATION", "")
    if not isinstance(sights, Exception):
        yield from _check_graph(sights)
    elif "No module named" in text:
        remedy = "source ROS 2, with the Python that it is made for, and the workspace"
        yield Finding(Level.ERROR, "ROS 2", f"cannot be imported ({text})", remedy)
    elif asked and asked in text:
        yield middleware.check_rmw(text, os.environ)
    else:
        remedy = "look at RMW_IMPLEMENTATION, ROS_DOMAIN_ID and the arguments behind --ros-args"
        yield Finding(Level.ERROR, "ROS 2", f"does not start: {text}", remedy)


def _check_graph(sights: Any) -> Iterator[Finding]:
    from dtalker_ros.doctor import clocks, graph, talkers

    yield middleware.check_rmw(sights.rmw, os.environ)
    yield from graph.check_audio(sights)
    yield from graph.check_qos(sights)
    yield from talkers.check_talkers(sights)
    yield from clocks.check_simulated_time(sights)
    yield from clocks.check_clocks_agree(sights)


def caught(work: Callable[[], T]) -> T | Exception:
    """What `work` returns or raises."""
    try:
        return work()
    except Exception as error:
        return error


def begun(work: Callable[[], T]) -> Callable[[float], T | Exception]:
    """Begin `work` in a thread; the function that is returned waits for it, so many seconds at most."""
    results: queue.Queue[T | Exception] = queue.Queue()
    threading.Thread(target=lambda: results.put(caught(work)), daemon=True).start()

    def wait(seconds: float) -> T | Exception:
        try:
            return results.get(timeout=seconds)
        except queue.Empty:
            return TimeoutError(f"it did not answer within {seconds:g} s")

    return wait

"""Real time where others want the cores too: what fails is no verdict where the test itself was kept waiting."""

import functools
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

TRIES = 3
CORE = 0.8
"""What `in_time` needs of a core: a page in a browser without a GPU draws with all of it."""
BUSY = 0.02
"""On a machine that is free a thread waits for a core for less than a fortieth of this share of the time."""


def in_real_time(test: Callable[..., None]) -> Callable[..., None]:
    """`test` bounds real time. Where it fails and its thread waited for a core too long, it is skipped and says so."""

    @functools.wraps(test)
    def judged(*arguments: Any, **fixtures: Any) -> None:
        begun_s, before_s = time.monotonic(), _waited_s()
        try:
            test(*arguments, **fixtures)
        except AssertionError as error:
            share = (_waited_s() - before_s) / (time.monotonic() - begun_s)
            if share > BUSY and not str(error).startswith("waited"):  # what never came is no question of time
                pytest.skip(f"no real time here: the test waited for a core for {share:.0%} of the time")
            raise

    return judged


def in_time(measure: Callable[[], Any], good: Callable[[Any], bool]) -> None:
    """Some measurement of `TRIES` is `good`: other programs may spoil one, what is slow itself spoils all.

    Skipped where other programs leave less than `CORE` to those that the test started.
    """
    measured: list[Any] = []
    while not (measured and good(measured[-1])):
        if len(measured) == TRIES:
            share = _spare_core()
            if share < CORE:
                pytest.skip(f"no real time here: {share:.0%} of a core is left; measured: {measured}")
            pytest.fail(f"{measured}")
        measured.append(measure())


def _spare_core() -> float:
    """The part of a core that a program gets which does nothing but compute for a second."""
    begun_s, before_s = time.monotonic(), time.process_time()
    while time.monotonic() - begun_s < 1.0:
        pass
    return (time.process_time() - before_s) / (time.monotonic() - begun_s)


def _waited_s() -> float:
    """How long the main thread was ready to run and had no core, seconds; 0 where the system does not tell."""
    try:
        return int(Path("/proc/self/schedstat").read_text().split()[1]) / 1e9
    except (OSError, IndexError):
        return 0.0

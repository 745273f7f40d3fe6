"""Ctrl-C: how long a command may wait without missing it, and how a stream ends properly by it."""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

NOTICED_S = 0.2
"""A command's main thread waits no longer than this at a time. A wait without an end would miss a Ctrl-C that another
thread gets, or that comes just before the wait: Python handles signals between two steps of its main thread alone."""


@contextmanager
def terminable() -> Iterator[None]:
    """SIGTERM ends what is inside as Ctrl-C does: files get their names, faces that are shown come to rest."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def on_signal(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, on_signal)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


@contextmanager
def interruptible(end: Callable[[], None]) -> Iterator[None]:
    """The first Ctrl-C (or SIGTERM) calls `end`, so that the stream ends properly; the next one ends everything."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def on_signal(number: int, frame: FrameType | None) -> None:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        # Not here: the loop may hold right now what `end` locks.
        threading.Thread(target=end, daemon=True).start()

    before = {number: signal.signal(number, on_signal) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)

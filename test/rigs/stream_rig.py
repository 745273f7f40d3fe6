"""Stands for a stream of sounddevice's: a thread that calls back, and a clock of its own."""

import threading
import time
from abc import ABC, abstractmethod


class FakeStream(ABC):
    """Runs `_run` from `start` to `stop`; it may be closed once it has been stopped."""

    def __init__(self) -> None:
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run)

    @property
    def time(self) -> float:
        return time.time()

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._over.set()
        self._thread.join()

    def close(self) -> None:
        assert self._over.is_set()

    @abstractmethod
    def _run(self) -> None:
        """Call back until `_over` is set."""

"""A serial device on a pseudo-terminal, whose cable can be pulled out and put back."""

import os
import pty
import select
import threading
import tty
from collections.abc import Callable
from pathlib import Path

BYTES = 4096


class Cable:
    """Context manager: `path` is a serial port at whose other end `device` takes all bytes and may answer.

    `device` runs in a thread of the cable, under its `changed`. What it raises fails the test, then or at the end.
    """

    def __init__(self, path: Path, device: Callable[[bytes], bytes]) -> None:
        self.path, self.changed = path, threading.Condition()
        self._device = device
        self._plugged: tuple[list[int], threading.Thread] | None = None
        self._fault: Exception | None = None

    def __enter__(self) -> "Cable":
        self.plug()
        return self

    def __exit__(self, *_: object) -> None:
        self.unplug()
        self._check()

    def plug(self) -> None:
        """The port appears."""
        ours, theirs = pty.openpty()
        tty.setraw(theirs)
        self.path.symlink_to(os.ttyname(theirs))
        over, end = os.pipe()
        thread = threading.Thread(target=self._serve, args=(ours, over), daemon=True)
        self._plugged = [ours, theirs, over, end], thread
        thread.start()

    def unplug(self) -> None:
        """The port vanishes, and who has it open gets errors; once more does nothing."""
        if self._plugged is None:
            return
        (files, thread), self._plugged = self._plugged, None
        self.path.unlink()
        os.write(files[-1], b"\0")
        thread.join(5)
        for file in files:
            os.close(file)

    def until(self, holds: Callable[[], bool], timeout_s: float = 10.0) -> None:
        """Wait until `holds` after some byte; fails the test where it does not."""
        with self.changed:
            held = self.changed.wait_for(lambda: self._fault is not None or holds(), timeout_s)
        self._check()
        assert held

    def _serve(self, ours: int, over: int) -> None:
        while over not in select.select([ours, over], [], [])[0]:
            data = os.read(ours, BYTES)
            with self.changed:
                try:
                    os.write(ours, self._device(data))
                except Exception as error:
                    self._fault = self._fault or error
                self.changed.notify_all()

    def _check(self) -> None:
        if self._fault is not None:
            raise self._fault

"""Libraries that only some drivers need, and what they raise."""

import importlib
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from dtalker_model.errors import DtalkerError
from dtalker_ros.joints.driver import DriverError

BITS_PER_BYTE = 10
"""On a serial line, with start and stop bit."""


def needed(module: str, package: str) -> Any:
    """The module, imported now; raises `DriverError` that says how to get it."""
    try:
        return importlib.import_module(module)
    except ImportError:
        raise DriverError(f"needs the Python package {package}: pip install {package}") from None


@contextmanager
def reaching(close: Callable[[], None] | None = None) -> Iterator[None]:
    """Inside, whatever a library raises is a `DriverError` or another `OSError`; `close` follows it.

    pyserial, for one, lets `termios.error` through, which is neither, when the port is gone.
    """
    try:
        yield
    except BaseException as error:
        if close is not None:
            close()
        if isinstance(error, (DtalkerError, OSError)) or not isinstance(error, Exception):
            raise
        raise DriverError(f"{type(error).__name__}: {error}") from error


def wait_until_sent(byte_count: int, baud: int) -> None:
    """Sleep while so many bytes go over a serial line: else the kernel queues up to 4 kB of old positions, and the head
    lags (by 0.7 s at 57600 baud). `tcdrain` does the same, but for ever where an adapter hangs.
    """
    time.sleep(BITS_PER_BYTE * byte_count / baud)

"""The first second of a node's process, while Python imports: nothing is open yet, so a signal ends it at once."""

import os
import signal
from types import FrameType


def end_quietly() -> None:
    """Until `run_node` takes over, SIGINT and SIGTERM end the process with exit code 0 instead of a traceback."""

    def on_signal(number: int, frame: FrameType | None) -> None:
        os._exit(0)

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, on_signal)

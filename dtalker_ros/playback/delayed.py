"""Messages of audio once more, later: for sound that is played elsewhere than where the face is."""

from collections import deque
from collections.abc import Callable
from copy import deepcopy
from typing import Any

from dtalker_model.errors import DtalkerError
from dtalker_ros.audio.convert import stamp_of
from dtalker_ros.timing.pace import MS

MOST = 20_000
"""So many messages may wait; of more, the oldest go: 200 s of 10 ms chunks."""


class DelayedAudio:
    """Holds each message for the delay, and moves its stamp by as much."""

    def __init__(self, publish: Callable[[Any], None]) -> None:
        self.delay_ms = 80.0
        """In force for what comes from now on."""
        self._publish = publish
        self._waiting: deque[tuple[int, Any]] = deque(maxlen=MOST)

    def hear(self, message: Any, steady_ns: int) -> None:
        """`message` has come at `steady_ns`."""
        delay_ns = round(self.delay_ms * MS)
        self._waiting.append((steady_ns + delay_ns, restamped(message, delay_ns)))

    def publish_due(self, steady_ns: int) -> None:
        """Publish what has waited long enough at `steady_ns`, in the order in which it came."""
        while self._waiting and self._waiting[0][0] <= steady_ns:
            self._publish(self._waiting.popleft()[1])

    def clear(self) -> None:
        """Publish nothing of what waits."""
        self._waiting.clear()


def restamped(message: Any, delay_ns: int) -> Any:
    """A copy of `message` whose stamp, where it has one that is not 0, is `delay_ns` later."""
    message = deepcopy(message)
    stamp = stamp_of(message)
    if stamp is not None and (stamp.sec or stamp.nanosec):
        stamp.sec, stamp.nanosec = divmod(stamp.sec * 1_000_000_000 + stamp.nanosec + delay_ns, 1_000_000_000)
    return message


def own_topic(audio: str, delayed: str) -> None:
    """Raise `DtalkerError` where both topics are one: what is published would be heard again, for ever."""
    if audio == delayed:
        raise DtalkerError(f"audio_delayed and audio are both {audio}: remap one of them")

"""When the face begins and ceases to speak: told by the frames, in effect when they are shown."""

from collections import deque

REST = 0.02
"""A mouth that is let speak by less than this has come to rest: smoothing never ends altogether."""


class SpeakingTimes:
    """Keeps the changes that the frames computed so far will bring."""

    def __init__(self) -> None:
        self._changes: deque[tuple[int, bool]] = deque()
        self._newest = self._now = False

    def note(self, shown_ns: int, share: float) -> None:
        """The next frame is shown at `shown_ns`, and its mouth is let speak by `share`, 0..1."""
        speaks = share >= REST
        if speaks != self._newest:
            self._newest = speaks
            self._changes.append((shown_ns, speaks))

    def at(self, now_ns: int) -> bool:
        """Whether the face that is shown at `now_ns` speaks; `now_ns` only goes forward."""
        while self._changes and self._changes[0][0] <= now_ns:
            self._now = self._changes.popleft()[1]
        return self._now

    def next_ns(self) -> int | None:
        """When the next change is; None where none is known."""
        return self._changes[0][0] if self._changes else None

    def hurry(self) -> None:
        """All that is known is in effect by now: the times of the frames do not hold any more, or never did."""
        self._changes.clear()
        self._now = self._newest

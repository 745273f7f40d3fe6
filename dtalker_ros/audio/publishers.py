"""One of several publishers of a topic is heard, where the middleware numbers their messages; gaps in the numbers are
messages that were lost.
"""

DEPTH = 20_000
"""Messages that may wait for us, in the middleware as in the worker: 200 s of 10 ms chunks."""
QUIET_S = 0.5
"""Another publisher is heard once the one that was heard has been quiet for so long."""
LARGEST_LOSS = 1_000
"""Where there are several publishers, a number that is further on than this is another one's."""


class Publishers:
    """Follows the numbers of one publisher's messages."""

    def __init__(self) -> None:
        self.names: list[str] = []
        """Nodes that publish now, as the graph says."""
        self.heard = ""
        """Which of them is heard; empty where that is not known."""
        self.numbered = False
        """Whether the middleware numbers messages, so that publishers can be told apart."""
        self.others = 0
        """Messages of others that were not heard."""
        self.lost = 0
        """Messages lost on the way."""
        self._last: int | None = None
        self._last_s = 0.0

    def wanted(self, number: int | None, now_s: float) -> bool:
        """Whether the message `number` of its publisher, which comes at `now_s`, is to be heard."""
        self.numbered = number is not None
        if number is None:
            return True
        if not self._goes_on(number):
            if len(self.names) > 1 and self._last is not None and now_s - self._last_s < QUIET_S:
                self.others += 1
                return False
            self.heard = self.names[0] if len(self.names) == 1 else ""
        elif self._last is not None:
            self.lost += number - self._last - 1
        self._last, self._last_s = number, now_s
        return True

    def note_lost(self, count: int) -> None:
        """The middleware says that `count` messages were lost; where it numbers them, the numbers have told it."""
        if not self.numbered:
            self.lost += count

    def _goes_on(self, number: int) -> bool:
        """Whether `number` can be the next of the publisher that is heard."""
        if self._last is None or number <= self._last:
            return False
        return len(self.names) < 2 or number - self._last <= LARGEST_LOSS

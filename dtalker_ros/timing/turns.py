"""Several publishers speak at once and cannot be told apart: who comes in time is heard, and who is early is not."""

from dtalker_ros.timing.pace import MS

RESTART_NS = 500 * MS
"""What seems earlier than this is no other publisher, but a clock that was set."""


class Turns:
    """Lets chunks pass at the pace of the clock."""

    def __init__(self) -> None:
        self.taken = False
        """Whether turns are taken at all."""
        self._due_ns = 0

    def passes(self, arrival_ns: int, duration_ns: int) -> bool:
        """Whether the chunk of `duration_ns` that arrives at `arrival_ns` is heard."""
        early_ns = self._due_ns - arrival_ns
        if not self.taken or early_ns >= RESTART_NS:
            self._due_ns = arrival_ns + duration_ns
            return True
        if early_ns > duration_ns // 4:
            return False
        self._due_ns = max(self._due_ns, arrival_ns) + duration_ns
        return True

"""What was left out or put in to stay in step: counted, and said once it is worth a line."""

from collections import Counter
from dataclasses import dataclass, field
from enum import Enum

from dtalker_ros.timing.pace import MS

SMALL_NS = 100 * MS
"""Small corrections are said when they add up to this."""
QUIET_NS = 200 * MS
"""What is late is said when nothing more has been late for so long, so that the line tells all of it."""


class Loss(Enum):
    """Kinds of what is counted: in nanoseconds, but for `FRAMES`."""

    FRAMES = "frames that are never shown"
    LATE = "audio dropped because its time had passed"
    DRIFT = "audio dropped in small pieces because the publisher's clock is fast"
    OVERFLOW = "audio dropped because too much was waiting"
    DOUBLED = "audio left out because it came twice"
    MISREAD = "audio dropped because it was read with the wrong rate, or was several publishers' at once"
    MISSING = "silence put in where audio is missing"
    JUMP = "how far stamps jumped without the audio"
    CLOCK = "how far the clock was set"


_DROPPED = {Loss.LATE, Loss.DRIFT, Loss.OVERFLOW, Loss.DOUBLED, Loss.MISREAD}
_TEXTS = {
    Loss.DRIFT: (SMALL_NS, "the audio's clock is fast: dropped {:.3f} s to stay in step"),
    Loss.OVERFLOW: (1, "queue full: dropped the oldest {:.2f} s of audio (max_queue_s)"),
    Loss.DOUBLED: (1, "the audio came twice: left out {:.2f} s of it (is a second bridge or player running?)"),
    Loss.MISSING: (SMALL_NS, "audio is missing: put {:.2f} s of silence in its place (lost, or a slow publisher)"),
    Loss.JUMP: (1, "the stamps of the audio jumped by {:.2f} s without the audio: not followed"),
    Loss.CLOCK: (1, "the clock was set by {:.2f} s: the face goes on from there"),
}
"""From how many nanoseconds on each kind is said, and how."""


@dataclass
class Losses:
    """Counts each kind."""

    dropped_ns: int = 0
    """Audio dropped so far, for whatever reason."""
    dropped_frames: int = 0
    """Frames that were not shown so far."""
    _unsaid: Counter[Loss] = field(default_factory=Counter)
    _late_at_ns: int = 0

    def note(self, kind: Loss, amount: int, now_ns: int = 0) -> None:
        """`amount` more of `kind`, at `now_ns` where it is late."""
        self._unsaid[kind] += amount
        if kind is Loss.LATE and amount:
            self._late_at_ns = now_ns
        self.dropped_ns += amount if kind in _DROPPED else 0
        self.dropped_frames += amount if kind is Loss.FRAMES else 0

    def take(self, now_ns: int) -> list[str]:
        """Sentences on what was not said yet and is worth it by now."""
        texts = []
        late = self._unsaid[Loss.FRAMES] or self._unsaid[Loss.LATE]
        if late and not 0 <= now_ns - self._late_at_ns < QUIET_NS:
            frames, late_s = self._unsaid.pop(Loss.FRAMES, 0), self._unsaid.pop(Loss.LATE, 0) / 1e9
            texts.append(f"late: dropped {frames} frames and {late_s:.2f} s of audio whose time had passed")
        for kind, (least_ns, text) in _TEXTS.items():
            if abs(self._unsaid[kind]) >= least_ns:
                texts.append(text.format(self._unsaid.pop(kind) / 1e9))
        return texts

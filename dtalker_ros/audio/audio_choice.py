"""Which of several types on one topic is heard. No ROS in here.

A publisher that was killed stays in the graph for many seconds, and somebody may publish something else on the topic.
So a type that is quiet gives way to others. One at a time: FastDDS allows a process one type for each topic.
"""

from collections.abc import Collection
from dataclasses import dataclass, field

from dtalker_ros.audio.audio_topics import AUDIO_TYPES

QUIET_S = 1.0
"""A type that is quiet for so long gives way to one that has not been tried yet."""
TRIAL_S = 3.0
"""One that has not delivered anything is tried for so long."""
PROVEN_S = 10.0
"""One that has delivered is waited for so long before others are tried again."""


@dataclass
class AudioChoice:
    """Follows what is offered and what is delivered; times are those of a clock that only goes forward."""

    chosen: str = ""
    """The type that is subscribed to; empty: none yet."""
    _last_s: float = 0.0
    _tried_s: dict[str, float] = field(default_factory=dict)
    _delivered: set[str] = field(default_factory=set)

    def note_message(self, now_s: float) -> None:
        """A message of the chosen type has come."""
        self._last_s = now_s
        self._delivered.add(self.chosen)

    def choose(self, offered: Collection[str], now_s: float) -> str:
        """The type to hear of those that are `offered`; the one chosen before where nothing is."""
        for gone in self._tried_s.keys() - set(offered) - {self.chosen}:
            del self._tried_s[gone]
            self._delivered.discard(gone)
        others = [name for name in offered if name != self.chosen]
        if others and (self.chosen not in offered or now_s - self._last_s >= self._patience_s(others)):
            # Known ones first, then whoever has not been tried for longest.
            self.chosen = min(others, key=lambda name: (name not in AUDIO_TYPES, self._tried_s.get(name, 0.0), name))
            self._tried_s[self.chosen] = self._last_s = now_s
        return self.chosen

    def _patience_s(self, others: list[str]) -> float:
        if any(name not in self._tried_s for name in others):
            return QUIET_S
        return PROVEN_S if self.chosen in self._delivered else TRIAL_S

"""Sound in a row at the card's nominal rate, and when each sample is to be heard."""

from collections import deque

import numpy as np
from numpy.typing import NDArray

LONGEST_S = 20.0
"""So much is kept; of more, the oldest goes: nobody plays it."""
KEPT = 256
"""So many samples that were read are kept: who begins to read in the midst needs what came before."""
MOVED_NS = 100_000
"""What is put in so far from where the row would go on has another place in time."""


class Reel:
    """Written at its end, read from any index on; what was read is forgotten."""

    def __init__(self, rate_hz: int, channels: int) -> None:
        self._rate_hz, self._channels = rate_hz, channels
        self._pieces: deque[NDArray[np.float32]] = deque()
        self.begin = self.end = 0
        """Indices of the first sample that is there, and behind the last."""
        self._places: deque[tuple[int, int]] = deque()

    def put(self, sound: NDArray[np.float32], heard_ns: int) -> None:
        """Append `sound` (n, channels), whose first sample is to be heard at `heard_ns`."""
        if len(sound) == 0:
            return
        if not self._places or abs(self._time_ns(self._places[-1], self.end) - heard_ns) > MOVED_NS:
            self._places.append((self.end, heard_ns))
        self._pieces.append(sound)
        self.end += len(sound)
        self.forget(self.end - round(LONGEST_S * self._rate_hz))

    def index(self, time_ns: int, near: float) -> float:
        """Index of the sample that is to be heard at `time_ns`, as the samples about index `near` have it."""
        while len(self._places) > 1 and self._places[1][0] <= near:
            self._places.popleft()
        place, heard_ns = self._places[0]
        return place + (time_ns - heard_ns) * self._rate_hz / 1e9

    def find(self, time_ns: int) -> float:
        """The same wherever it is: in the samples whose times are nearest; those before them are forgotten."""
        ends = [*[place for place, _ in self._places][1:], self.end]
        found = [place + (time_ns - heard_ns) * self._rate_hz / 1e9 for place, heard_ns in self._places]
        away = [max(place - index, index - end, 0) for (place, _), index, end in zip(self._places, found, ends)]
        best = min(range(len(away)), key=lambda k: (away[k], -k))
        for _ in range(best):
            self._places.popleft()
        if best:
            self.forget(self._places[0][0])
        return found[best]

    def read(self, begin: int, count: int) -> NDArray[np.float32]:
        """Samples from index `begin` on, at most `count`: zeros for those before the first; forgets what is before."""
        self.forget(begin - KEPT)
        before = min(max(0, self.begin - begin), count)
        parts = [np.zeros((before, self._channels), np.float32)]
        skipped, missing = max(0, begin - self.begin), count - before
        for piece in self._pieces:
            if missing <= 0:
                break
            parts.append(piece[skipped : skipped + missing])
            skipped = max(0, skipped - len(piece))
            missing -= len(parts[-1])
        return np.concatenate(parts)

    def forget(self, before: int) -> None:
        """Drop what lies before index `before`."""
        while self._pieces and self.begin < before:
            piece = self._pieces.popleft()
            gone = min(before - self.begin, len(piece))
            if gone < len(piece):
                self._pieces.appendleft(piece[gone:])
            self.begin += gone

    def _time_ns(self, place: tuple[int, int], index: int) -> int:
        return place[1] + (index - place[0]) * 1_000_000_000 // self._rate_hz

"""How much one page may send."""

import time

PER_S = 200.0
"""More than sixty slider events and the microphone's fifty pieces of audio in each second."""
AT_ONCE = 400.0
PIECES_PER_S = 50.0
"""A second of audio counts as so many messages, however it is cut."""


class Allowance:
    """Fills by `PER_S` up to `AT_ONCE`; what is sent is taken from it."""

    def __init__(self) -> None:
        self._left, self._at_s = AT_ONCE, time.monotonic()

    def take(self, audio_s: float = 0.0) -> bool:
        """Count a message with so much audio in it; whether that was still allowed."""
        now_s = time.monotonic()
        self._left = min(AT_ONCE, self._left + PER_S * (now_s - self._at_s)) - max(1.0, PIECES_PER_S * audio_s)
        self._at_s = now_s
        return self._left >= 0

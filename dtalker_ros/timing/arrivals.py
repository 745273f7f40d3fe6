"""What is known about the input from the chunks that came: whether speech goes on, and whether its stamps have gaps."""

from dtalker_ros.audio.convert import AudioChunk

MS = 1_000_000
"""Nanoseconds of a millisecond."""
STAMP_TRUST_NS = 5_000 * MS
"""Stamps further from the clock than this come from another clock and are not used."""
STAMP_TOLERANCE_NS = 40 * MS
"""Stamps may be off by this without becoming a gap."""
LONGEST_GAP_NS = 60_000 * MS
"""A jump of the stamps beyond this is another clock, not a pause."""
SENTENCE_NS = 500 * MS
"""A first message longer than this is a whole sentence: none is expected to follow at once."""


class Arrivals:
    """Follows the chunks of a stretch of speech; a stretch ends when nothing more is expected."""

    def __init__(self, now_ns: int) -> None:
        self.open = False
        """Whether a stretch has begun and has not been ended."""
        self.last_ns = now_ns
        """When the newest chunk arrived."""
        self._chunks = 0
        self._duration_ns = 0
        self._next_stamp_ns: int | None = None

    def note(self, chunk: AudioChunk, stamp_ns: int | None, now_ns: int, anew: bool) -> bool:
        """Take in `chunk`, whose usable stamp is `stamp_ns`; whether its stamp leaves a gap after the chunk before.

        `anew`: the row of stamps begins with this chunk.
        """
        gap_ns = self._gap_ns(stamp_ns, chunk.duration_ns, anew)
        self._chunks = self._chunks + 1 if self.open else 1
        self.open, self.last_ns, self._duration_ns = True, now_ns, chunk.duration_ns
        return STAMP_TOLERANCE_NS < gap_ns < LONGEST_GAP_NS

    def ended(self, now_ns: int, gap_ms: float) -> bool:
        """Whether no more audio is expected to follow at once."""
        if not self.open or (self._chunks == 1 and self._duration_ns > SENTENCE_NS):
            return True
        gap_ns = gap_ms * MS
        return now_ns - self.last_ns >= max(gap_ns, self._duration_ns + gap_ns / 2)

    def _gap_ns(self, stamp_ns: int | None, duration_ns: int, anew: bool) -> int:
        """How much later `stamp_ns` is than the end of the chunk before; 0 where that cannot be told."""
        expected_ns = None if anew else self._next_stamp_ns
        if stamp_ns is None:
            self._next_stamp_ns = None if expected_ns is None else expected_ns + duration_ns
            return 0
        gap_ns = 0 if expected_ns is None else stamp_ns - expected_ns
        jitter = expected_ns is not None and -LONGEST_GAP_NS < gap_ns <= STAMP_TOLERANCE_NS
        # Jitter must not add up, so the row of stamps that began the stretch goes on.
        self._next_stamp_ns = (expected_ns if jitter and expected_ns is not None else stamp_ns) + duration_ns
        return gap_ns


def usable_stamp(chunk: AudioChunk, now_ns: int, asap: bool) -> int | None:
    """The chunk's stamp, unless it is of another clock; recordings (pacing `asap`) may be of any time."""
    if chunk.stamp_ns is None or asap or abs(chunk.stamp_ns - now_ns) < STAMP_TRUST_NS:
        return chunk.stamp_ns
    return None

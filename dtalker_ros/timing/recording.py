"""Pacing `asap`: a recording's stamps may be of any time, and pauses in them become silence."""

from dtalker_ros.audio.convert import AudioChunk
from dtalker_ros.timing.pace import MS
from dtalker_ros.timing.stamps import STAMP_TOLERANCE_NS

LONGEST_PAUSE_NS = 60_000 * MS
"""A jump of the stamps beyond this is another recording, not a pause."""


class Recording:
    """Follows the stamps of a recording."""

    def __init__(self) -> None:
        self._expected_ns: int | None = None

    def gap_ns(self, chunk: AudioChunk) -> int:
        """How much later `chunk` is stamped than the audio before ends; 0 where that is nothing or cannot be told.

        From `LONGEST_PAUSE_NS` on, either way, a new recording begins.
        """
        stamp_ns, expected_ns = chunk.stamp_ns, self._expected_ns
        if stamp_ns is None:
            self._expected_ns = None if expected_ns is None else expected_ns + chunk.duration_ns
            return 0
        gap_ns = 0 if expected_ns is None else stamp_ns - expected_ns
        jitter = -LONGEST_PAUSE_NS < gap_ns <= STAMP_TOLERANCE_NS
        # Jitter must not add up, so the row of stamps that began the recording goes on.
        row_ns = expected_ns if jitter and expected_ns is not None else stamp_ns
        self._expected_ns = row_ns + chunk.duration_ns
        return 0 if jitter else gap_ns

"""Pacing `asap`: all is fed at once. A recording's stamps may be of any time, and pauses in them become silence."""

from dtalker_model.rates import FRAME_SAMPLES, LOOKAHEAD_SAMPLES, SAMPLE_RATE_HZ
from dtalker_ros.audio.convert import AudioChunk
from dtalker_ros.timing.feed import Feed
from dtalker_ros.timing.pace import MS
from dtalker_ros.timing.stamps import STAMP_TOLERANCE_NS
from dtalker_ros.timing.stream import SAMPLE_NS, Block, Piece

LONGEST_PAUSE_NS = 60_000 * MS
"""A jump of the stamps beyond this is another recording, not a pause."""
GAP_NS = 100 * MS
"""Without a `gap_ms`, input that stalls for this long has ended."""
BLOCKS = 4
"""About as many blocks of at most a second are fed at once, so that commands are heard between."""


class Recording:
    """Lays out the audio of recordings in `feed`."""

    def __init__(self, feed: Feed, now_ns: int) -> None:
        self.stretch = 0
        """Goes up when another recording begins, whose stamps do not go on from those before."""
        self._feed = feed
        self._expected_ns: int | None = None
        self._anchored, self._finished = False, False
        self._open, self._last_ns = False, now_ns

    def add(self, chunk: AudioChunk, now_ns: int, delay_ns: int) -> None:
        """Queue `chunk`, which is shown `delay_ns` after its time."""
        shown_ns = (now_ns if chunk.stamp_ns is None else chunk.stamp_ns) + delay_ns
        if not self._anchored:
            self._feed.anchor(shown_ns)
            self._anchored = True
        gap_ns = self._gap_ns(chunk)
        self._open, self._last_ns = True, now_ns
        if abs(gap_ns) < LONGEST_PAUSE_NS:
            self._feed.queue.append(Piece(chunk, now_ns, gap_ns // SAMPLE_NS))
        else:
            self._feed.queue.append(Piece(chunk, now_ns, anchor_ns=shown_ns))

    def close(self) -> None:
        """What was queued does not go on."""
        self._open = False

    def next_wake_ns(self, now_ns: int, gap_ns: int) -> int | None:
        """When `due` has more to hand out if nothing arrives, nanoseconds; None if never."""
        if self._feed.queue:
            return now_ns
        return self._last_ns + (gap_ns or GAP_NS) if self._open else None

    def due(self, now_ns: int, gap_ns: int, holdback: int) -> list[Block]:
        """What must be pushed into the talker now, in order; its resampler keeps back `holdback` 16 kHz samples."""
        feed, reach = self._feed, LOOKAHEAD_SAMPLES + holdback
        blocks: list[Block] = []
        self._last_ns = min(self._last_ns, now_ns)  # the clock may be set back
        while (piece := feed.queue.head) is not None and len(blocks) < BLOCKS:
            if piece.anchor_ns is not None:
                if not self._finished:  # its last frames have the old place in time
                    return blocks + self._finish(reach, now_ns)
                feed.anchor(piece.anchor_ns)
                piece.anchor_ns, self.stretch = None, self.stretch + 1
            self._finished = False
            blocks += feed.lead_in(feed.position.samples + piece.lead, now_ns)
            blocks += feed.audio(feed.position.samples + SAMPLE_RATE_HZ, now_ns)
        if not feed.queue and self._open and now_ns - self._last_ns >= (gap_ns or GAP_NS):
            self._open = False
            blocks += self._finish(reach, now_ns)
        return blocks

    def _finish(self, reach: int, now_ns: int) -> list[Block]:
        """Silence that brings out the last frame of what was fed."""
        self._finished = True
        last_frame = (self._feed.position.samples - 1) // FRAME_SAMPLES * FRAME_SAMPLES
        return self._feed.silence(last_frame + reach, now_ns)

    def _gap_ns(self, chunk: AudioChunk) -> int:
        """How much later `chunk` is stamped than the audio before ends; 0 where that is nothing or cannot be told."""
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

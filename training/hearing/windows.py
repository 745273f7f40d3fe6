"""Long clips in windows, for ears whose attention sees a window and no more."""

from __future__ import annotations

from collections.abc import Iterator


def windows(frames: int, length: int, context: int) -> Iterator[tuple[int, int, int]]:
    """Windows over a clip: (start, begin, end), where the window that starts at `start` gives rows begin .. end.

    The rows follow each other without gaps, each at least `context` from the ends of its window, unless that is the end
    of the clip. All windows are `length` long, or the whole clip.
    """
    end = 0
    while end < frames:
        start = max(min(end - context, frames - length), 0)
        last = start + length >= frames
        begin, end = end, frames if last else start + length - context
        yield start, begin, end

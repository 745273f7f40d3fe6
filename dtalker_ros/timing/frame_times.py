"""The time of frames in a recording, whatever the clock does that stamped them."""

TOLERANCE_S = 0.5
"""Stamps may differ by this from what the sequence numbers say."""
LONGEST_GAP_S = 10.0
"""A longer step of the stamps, or one back, begins a new stretch right after the frame before."""


class FrameTimes:
    """Turns stamps into seconds since the first frame, which always ascend."""

    def __init__(self, frame_rate_hz: float) -> None:
        self.jump_s: float | None = None
        """How far the stamps jumped with the newest frame, where a new stretch began with it."""
        self._period_s = 1.0 / frame_rate_hz
        self._last: tuple[int, int] | None = None
        self._last_s = 0.0

    def time_s(self, stamp_ns: int, sequence: int) -> float:
        """Time of the frame `sequence` that is stamped `stamp_ns`, in seconds."""
        last, self._last, self.jump_s = self._last, (stamp_ns, sequence), None
        if last is not None:
            step_s = (stamp_ns - last[0]) / 1e9
            if self._jumps(step_s, sequence - last[1]):
                self.jump_s, step_s = step_s, self._period_s
            self._last_s += step_s
        return self._last_s

    def _jumps(self, step_s: float, frames: int) -> bool:
        """Whether stamps `step_s` and sequence numbers `frames` apart are of a clock that was set."""
        if not 0 < step_s <= LONGEST_GAP_S:
            return True
        return frames > 0 and abs(step_s - frames * self._period_s) > TOLERANCE_S

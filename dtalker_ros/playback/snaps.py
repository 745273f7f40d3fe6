"""Clicks of a loudspeaker and snaps of a jaw: when they are due, and when a microphone heard them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dtalker_model.errors import DtalkerError
from dtalker_ros.timing.pace import MS

CLICK_S = 0.010
CLICK_HZ = (2_000.0, 6_000.0)
"""A click is a sweep over these, which a microphone finds to a tenth of a millisecond in any noise."""
PERIOD_MS, SNAP_MS = 1_600, 800
"""A click each period, and the jaw snaps so long after it; the frames' 20 ms divide both."""
LONGEST_MS = 700
"""Neither sound nor jaw is later than this."""
OPENING_MS = 300
"""The jaw opens so long before it snaps shut."""
SNAP_RISE_MS = 10.0
"""A snap is at its loudest within this of its beginning."""
CLEAR = 8.0
"""A click or snap stands out of the noise by this factor, or it was not heard."""
ALIKE_MS = 5.0
"""Half of them agree within this, or nothing is measured."""


@dataclass(frozen=True)
class Recording:
    """What a microphone heard."""

    pcm: NDArray[np.float32]
    """(samples,)."""
    begin_ns: float
    """When the first sample sounded, by our clock."""
    sample_ns: float
    """From one sample to the next."""

    def after(self, time_ns: float, length_ms: float) -> NDArray[np.float64]:
        """Samples from `time_ns` on; silence where nothing was recorded."""
        begin, count = round((time_ns - self.begin_ns) / self.sample_ns), round(length_ms * MS / self.sample_ns)
        window = np.zeros(count)
        first, last = max(0, begin), min(len(self.pcm), begin + count)
        if first < last:
            window[first - begin : last - begin] = self.pcm[first:last]
        return window


@dataclass(frozen=True)
class Schedule:
    """When what is due: `begin_ns` and then a click each period."""

    begin_ns: int
    count: int

    @property
    def clicks_ns(self) -> list[int]:
        """When each click is to be heard."""
        return [self.begin_ns + k * PERIOD_MS * MS for k in range(self.count)]

    @property
    def snaps_ns(self) -> list[int]:
        """When the jaw is to snap shut each time."""
        return [time_ns + SNAP_MS * MS for time_ns in self.clicks_ns]

    @property
    def end_ns(self) -> int:
        """When all is over."""
        return self.begin_ns + self.count * PERIOD_MS * MS

    def jaw(self, time_ns: int) -> float:
        """How far the jaw is open at `time_ns`, 0..1: it opens evenly and shuts at once."""
        since_ms = (time_ns - self.begin_ns) % (PERIOD_MS * MS) / MS
        inside = self.begin_ns <= time_ns < self.end_ns
        opened = (since_ms - (SNAP_MS - OPENING_MS)) / (OPENING_MS / 2)
        return min(max(opened, 0.0), 1.0) if inside and since_ms < SNAP_MS else 0.0

    def sound(self, rate_hz: int) -> NDArray[np.float32]:
        """All clicks (samples, 1), the first sample due at `begin_ns`."""
        result, one = np.zeros((self.count * PERIOD_MS * rate_hz // 1000, 1), np.float32), click(1e9 / rate_hz)
        for k in range(self.count):
            begin = k * PERIOD_MS * rate_hz // 1000
            result[begin : begin + len(one), 0] = one
        return result


def click(sample_ns: float) -> NDArray[np.float32]:
    """One click (samples,), 0.5 at its loudest."""
    t = np.arange(round(CLICK_S * 1e9 / sample_ns)) * sample_ns / 1e9
    low, high = CLICK_HZ
    sweep = np.sin(2 * np.pi * (low * t + (high - low) * t**2 / (2 * CLICK_S)))
    return (0.5 * sweep * np.sin(np.pi * t / CLICK_S) ** 2).astype(np.float32)


def click_delays_ms(recording: Recording, due_ns: Sequence[int]) -> list[float]:
    """How much later than due each click was heard, of those that were."""
    shape = click(recording.sample_ns)
    found = []
    for time_ns in due_ns:
        likeness = np.abs(np.correlate(recording.after(time_ns, LONGEST_MS + 1e3 * CLICK_S), shape, "valid"))
        # The sweep's own oscillation hides the peak's place: its envelope is what is looked at.
        peak = int(np.argmax(likeness))
        if likeness[peak] > CLEAR * np.median(likeness):
            found.append(_between(likeness, peak) * recording.sample_ns / MS)
    return found


def snap_delays_ms(recording: Recording, due_ns: Sequence[int]) -> list[float]:
    """How much later than due the jaw was heard to snap each time, of those that were: where its noise begins."""
    width = max(1, round(0.5 * MS / recording.sample_ns))
    found = []
    for time_ns in due_ns:
        before = _loudness(recording.after(time_ns - 100 * MS, 100), width)
        loudness = _loudness(recording.after(time_ns, LONGEST_MS), width)
        peak, floor = int(np.argmax(loudness)), float(np.median(before))
        if loudness[peak] > CLEAR * floor:
            rise = max(0, peak - round(SNAP_RISE_MS * MS / recording.sample_ns))
            begin = rise + int(np.argmax(loudness[rise : peak + 1] >= max(0.3 * loudness[peak], 2 * floor)))
            found.append((begin + 0.8 * width) * recording.sample_ns / MS)
    return found


def seen_delays_ms(seen_ns: Sequence[float], due_ns: Sequence[int]) -> list[float]:
    """The same from the times at which a camera saw the jaw shut."""
    found = []
    for time_ns in due_ns:
        later = [s - time_ns for s in seen_ns if 0 <= s - time_ns <= LONGEST_MS * MS]
        found += [min(later) / MS] if later else []
    return found


def agreed_ms(delays_ms: Sequence[float], count: int, what: str) -> float:
    """The median of `delays_ms`; raises `DtalkerError` where fewer than half of `count` were found, or they differ."""
    if len(delays_ms) < max(2, count / 2):
        raise DtalkerError(f"{len(delays_ms)} of {count} {what} were noticed: a louder one, or less noise around")
    middle = float(np.median(delays_ms))
    spread = float(np.median(np.abs(np.array(delays_ms) - middle)))
    if spread > ALIKE_MS:
        raise DtalkerError(
            f"the delays of the {what} differ by {spread:.1f} ms: nothing else may move or sound meanwhile"
        )
    return middle


def _loudness(window: NDArray[np.float64], width: int) -> NDArray[np.float64]:
    """Root of the mean square over `width` samples of what changes fast in `window`, from each sample on."""
    fast = np.diff(window, append=window[-1:])
    total = np.concatenate([[0.0], np.cumsum(fast**2)])
    return np.sqrt(np.maximum(total[width:] - total[:-width], 0) / width)


def _between(values: NDArray[np.float64], peak: int) -> float:
    """Place of the top of a parabola through the values about `peak`."""
    if not 0 < peak < len(values) - 1:
        return float(peak)
    left, top, right = values[peak - 1 : peak + 2]
    bend = left - 2 * top + right
    return peak + (0.5 * (left - right) / bend if bend else 0.0)

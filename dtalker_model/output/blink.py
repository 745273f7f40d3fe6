"""Blinks for a face whose model leaves the eyes open: when they come, and how the lids move.

The shape was fitted by eye to blinks in iPhone captures: about 80 ms down, hardly a rest, fast up, then a tail.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from dtalker_model.output.event_random import BLINK_STREAM, event_random, lognormal
from dtalker_model.rates import FRAME_MS, FRAME_RATE_HZ

Curve = npt.NDArray[np.float32]

OWN_BLINK = 0.45
"""Model's eyeBlink above which its eyes count as shut."""

OWN_BLINK_RISE = 0.2
"""So much above its own slow average, eyeBlink is the model's own blink: expressions hold the lids still."""

OWN_BLINK_TIME_CONSTANT_S = 0.5
OWN_BLINK_REST_FRAMES = 15
"""No blink begins within 0.3 s after one of the model's own."""

INTERVAL_SIGMA = 0.5
"""Spread of the logarithm of the intervals: people blink irregularly, rarely twice within a second."""

_FOLLOW = FRAME_MS / (1000 * OWN_BLINK_TIME_CONSTANT_S)


@dataclass(frozen=True)
class Lids:
    """One blink: times in frames, how far each lid closes (0..1)."""

    closing: float
    shut: float
    opening: float
    left: float
    right: float
    lead: float
    """The blink begins this part of a frame before the frame that shows it first."""

    def closure(self, age: int) -> float:
        """How far the lids are closed (0..1) `age` frames after the blink began; negative when it is over."""
        t = age + self.lead
        if t < self.closing:
            return _ease(t / self.closing)
        t -= self.closing + self.shut
        if t <= 0:
            return 1.0
        t /= self.opening
        return 1 - _ease(1 - (1 - t) ** 2.2) if t < 1 else -1.0  # rises fast, settles slowly


class Blinker:
    """State of the blinking: the number of the next blink, how long it is due, and the blink that is under way."""

    def __init__(self, seed: int) -> None:
        self.reset(seed)

    def reset(self, seed: int) -> None:
        """Start over with event 0."""
        self._event = 0
        self._lids: Lids | None = None
        self._age = 0
        self._waited = 0.0  # in mean intervals, so that the rate may change at any time
        self._own_average = 0.0
        self._since_own_frames = OWN_BLINK_REST_FRAMES
        self.reseed(seed)

    def reseed(self, seed: int) -> None:
        """Go on with other random numbers; a blink under way ends as it began."""
        self.seed = seed
        uniform = event_random(seed, BLINK_STREAM, self._event)
        self._due = uniform() if self._event == 0 else lognormal(uniform, INTERVAL_SIGMA)

    def apply(self, own: Curve, enabled: bool, rate_hz: float) -> Curve | None:
        """Closure (T, 2) of left and right lid in 0..1, or None when all are 0.

        `own` (T,) is the model's own eyeBlink; with `enabled` False no new blink begins; `rate_hz` blinks a second.
        """
        step = rate_hz / FRAME_RATE_HZ if enabled else 0.0
        rows = [self._frame(value, step) for value in own.tolist()]
        return np.array(rows, np.float32) if any(row is not _OPEN for row in rows) else None

    def _frame(self, own: float, step: float) -> tuple[float, float]:
        self._watch(own)
        self._waited += step
        if self._lids is None:
            if not step or self._waited < self._due or self._since_own_frames < OWN_BLINK_REST_FRAMES:
                return _OPEN
            self._begin()
        assert self._lids is not None
        closure = self._lids.closure(self._age)
        self._age += 1
        if closure < 0:
            self._lids = None
            return _OPEN
        return closure * self._lids.left, closure * self._lids.right

    def _watch(self, own: float) -> None:
        """Notice the model's own blinks; each counts as a blink, so the next is a whole interval away."""
        if own > OWN_BLINK or own - self._own_average > OWN_BLINK_RISE:
            self._since_own_frames = 0
            self._waited = 0.0
        else:
            self._since_own_frames += 1
        self._own_average += _FOLLOW * (own - self._own_average)

    def _begin(self) -> None:
        self._lids = _lids(self.seed, self._event)
        self._age = 0
        self._waited = max(0.0, min(self._waited - self._due, 1.0))
        self._event += 1
        self.reseed(self.seed)


_OPEN = (0.0, 0.0)


def _lids(seed: int, event: int) -> Lids:
    """Shape of blink number `event`: 225 to 360 ms in all."""
    uniform = event_random(seed, BLINK_STREAM, event)
    uniform(), uniform()  # these two made the interval
    depth = 1.0 if uniform() < 0.85 else 0.7 + 0.2 * uniform()
    return Lids(
        closing=(70 + 30 * uniform()) / FRAME_MS,
        shut=(5 + 25 * uniform()) / FRAME_MS,
        opening=(150 + 80 * uniform()) / FRAME_MS,
        left=depth * (1 - 0.04 * uniform()),
        right=depth * (1 - 0.04 * uniform()),
        lead=uniform(),
    )


def _ease(t: float) -> float:
    """From 0 to 1 without a kink at either end, for t in 0..1."""
    return t * t * (3 - 2 * t)

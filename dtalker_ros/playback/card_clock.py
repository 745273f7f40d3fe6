"""When the samples of a sound card sound, by our clock: a delay-locked loop sees through the jitter of callbacks.

After F. Adriaensen, Using a DLL to filter time (Linux Audio Conference 2005), eqs. for `t0`, `t1` and `e2`.
"""

import math

BANDWIDTH_HZ = 0.05
"""The loop follows what changes more slowly than this; crystals do."""
START_HZ = 1.0
"""At first it follows faster: START_HZ / (1 + seconds since it began), until it comes to `BANDWIDTH_HZ`."""
LOST_S = 0.05
"""A callback that is off by more than this follows a stall or a clock that was set: the loop begins anew."""
MOST_OFF = 0.01
"""No card's rate is off by more than this share."""


class CardClock:
    """Follows one stream of a card at a nominal `rate_hz`."""

    def __init__(self, rate_hz: int) -> None:
        self._rate_hz = rate_hz
        self._next_s: float | None = None
        self._epoch_ns = 0
        self.sample_s = 1 / rate_hz
        """Seconds from one sample to the next."""
        self._running_s = 0.0

    @property
    def drift_ppm(self) -> float:
        """How much faster than nominal the card is, millionths."""
        return (1 / (self._rate_hz * self.sample_s) - 1) * 1e6

    def sounds_ns(self, dac_ns: int, frames: int) -> int:
        """When the first of the next `frames` samples sounds, where the card says `dac_ns`."""
        if self._next_s is None:
            self._epoch_ns, self._next_s, self._running_s = dac_ns, 0.0, 0.0
        error_s = (dac_ns - self._epoch_ns) / 1e9 - self._next_s
        if abs(error_s) > LOST_S:
            self._next_s = None
            return self.sounds_ns(dac_ns, frames)
        begin_s, period_s = self._next_s, frames * self.sample_s
        hz = max(BANDWIDTH_HZ, START_HZ / (1 + self._running_s))
        omega = min(0.3, 2 * math.pi * hz * period_s)
        self._next_s += period_s + math.sqrt(2) * omega * error_s
        nominal_s = 1 / self._rate_hz
        sample_s = self.sample_s + omega**2 * error_s / frames
        self.sample_s = min(max(sample_s, nominal_s * (1 - MOST_OFF)), nominal_s * (1 + MOST_OFF))
        self._running_s += period_s
        return self._epoch_ns + round(begin_s * 1e9)

"""Sound with the times at which it is to be heard in, buffers for a sound card out: in step, and without a click.

The card's crystal and ours differ by up to some hundred millionths. So its clock is measured, and the sound is played
as much faster or slower: nothing is dropped for it. What is off by little is made up for in the same way, over
seconds; only what is off by more than `JUMP_S` (after an underrun, or where the clock was set) is jumped over.
"""

import threading

import numpy as np
from numpy.typing import NDArray

from dtalker_ros.playback.card_clock import CardClock
from dtalker_ros.playback.reel import Reel
from dtalker_ros.playback.seam import Seam
from dtalker_ros.playback.source_rate import SourceRate, in_channels
from dtalker_ros.playback.varispeed import Varispeed, held

JUMP_S = 0.012
"""What is off by more than this is jumped over."""
SETTLE_S = 3.0
"""What is off by less is made up for with this time constant."""
MOST_SPEED = 0.005
"""The speed changes by no more than this share: a twelfth of a semitone."""
FEED = 128
"""Samples that are resampled at once."""


class Player:
    """Everything between the audio of a topic and a card of `rate_hz` and `channels`. `put` and `render` may be called
    from two threads.
    """

    def __init__(self, rate_hz: int, channels: int) -> None:
        self.rate_hz, self.channels = rate_hz, channels
        self.underruns = 0
        """How often the card wanted sound that was not there."""
        self.off_ms = 0.0
        """How much too late the sound is now, milliseconds, as far as the card's own times tell."""
        self.clock = CardClock(rate_hz)
        self._lock = threading.Lock()
        self._source = SourceRate(rate_hz, channels)
        self._reel = Reel(rate_hz, channels)
        self._seam = Seam(rate_hz, channels)
        self._varispeed: Varispeed | None = None

    def put(self, pcm: NDArray[np.generic], rate_hz: int, heard_ns: int, broken: bool = False) -> None:
        """Append `pcm` (n, channels) of any of the core's types, whose first sample is to be heard at `heard_ns`.

        `broken`: it does not go on from what was put in before.
        """
        with self._lock:
            for sound, time_ns in self._source.push(in_channels(pcm, self.channels), rate_hz, heard_ns, broken):
                self._reel.put(sound, time_ns)

    def render(self, frames: int, dac_ns: int) -> NDArray[np.float32]:
        """The next `frames` samples (frames, channels), the first of which sounds at `dac_ns`, as the card says."""
        with self._lock:
            sounds_ns = self.clock.sounds_ns(dac_ns, frames)
            broken = self._follow(sounds_ns, frames)
            sound = self._played(frames)
            if len(sound) < frames:
                self._varispeed = None
                whole = self._seam.join(sound, broken)
                rest = np.zeros((frames - len(sound), self.channels), np.float32)
                return np.concatenate([whole, self._seam.join(rest, True)])
            return self._seam.join(sound, broken)

    def _follow(self, sounds_ns: int, frames: int) -> bool:
        """Set the speed, or jump to where the sound should be; whether it jumped."""
        if self._reel.end == 0:
            return False
        speed = self.rate_hz * self.clock.sample_s
        now = self._varispeed.position if self._varispeed is not None else float(self._reel.begin)
        wanted = self._reel.index(sounds_ns, now)
        early = now - wanted
        jumps = self._varispeed is None or abs(early) > JUMP_S * self.rate_hz
        if jumps:
            wanted = self._reel.find(sounds_ns)
            if wanted + frames + held() + FEED > self._reel.end:
                self._varispeed = None  # not enough to go on with
                return False
            self._varispeed, early = self._begun(int(wanted)), 0.0
        assert self._varispeed is not None
        self.off_ms = -1e3 * early / self.rate_hz
        correction = min(max(early / (SETTLE_S * self.rate_hz), -MOST_SPEED), MOST_SPEED)
        self._varispeed.set_speed(speed * (1 - correction), 0 if jumps else frames)
        return jumps

    def _begun(self, index: int) -> Varispeed:
        """A resampler whose next output is sample `index`, and that has heard what came before."""
        varispeed = Varispeed(self.channels, index - FEED)
        while varispeed.ready < FEED:
            varispeed.push(self._reel.read(varispeed.next, FEED))
        varispeed.pull(FEED)
        return varispeed

    def _played(self, frames: int) -> NDArray[np.float32]:
        varispeed = self._varispeed
        if varispeed is None:
            return np.zeros((0, self.channels), np.float32)
        while varispeed.ready < frames:
            if varispeed.next + FEED > self._reel.end:
                self.underruns += 1
                break
            varispeed.push(self._reel.read(varispeed.next, FEED))
        return varispeed.pull(frames)

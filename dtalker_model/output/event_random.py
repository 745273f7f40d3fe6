"""Randomness that depends on the seed and the number of an event, never on the chunks in which frames are asked for."""

import math
import random
from collections.abc import Callable

BLINK_STREAM = 0
GAZE_STREAM = 1
BROW_STREAM = 2
GLANCE_STREAM = 3
_STREAMS = 4


def event_random(seed: int, stream: int, event: int) -> Callable[[], float]:
    """Uniform random numbers in 0..1 for event number `event` of `stream`; `seed` is 0 or more.

    Python promises the same sequence from `random.Random(seed).random` in every version.
    """
    return random.Random((seed * _STREAMS + stream) << 32 | event).random


def lognormal(uniform: Callable[[], float], sigma: float) -> float:
    """A positive number of mean 1 whose logarithm has standard deviation `sigma`; takes two uniform numbers."""
    radius = math.sqrt(-2 * math.log(1 - uniform()))
    normal = radius * math.cos(2 * math.pi * uniform())
    return math.exp(sigma * normal - sigma * sigma / 2)

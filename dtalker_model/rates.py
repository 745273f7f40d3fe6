"""All rates of dtalker, in one place, derived by exact division.

Time inside dtalker is an integer index of 16 kHz samples. A wrong combination of constants fails at import.
"""

SAMPLE_RATE_HZ = 16_000
"""Sample rate of all audio inside dtalker (mono float32)."""

FRAME_RATE_HZ = 50
"""Blendshape frames a second, one per HuBERT feature."""


def _exact(numerator: int, denominator: int) -> int:
    quotient, remainder = divmod(numerator, denominator)
    assert remainder == 0, f"{numerator} is not a multiple of {denominator}"
    return quotient


FRAME_SAMPLES = _exact(SAMPLE_RATE_HZ, FRAME_RATE_HZ)
"""Samples of one frame: 320."""

FRAME_MS = _exact(1000, FRAME_RATE_HZ)
"""Duration of one frame in milliseconds: 20."""

LOOKAHEAD_MS = 80
"""Frame i depends on audio before its own start plus this, and on nothing later."""

LOOKAHEAD_SAMPLES = _exact(LOOKAHEAD_MS * SAMPLE_RATE_HZ, 1000)
LOOKAHEAD_FRAMES = _exact(LOOKAHEAD_SAMPLES, FRAME_SAMPLES)

DELAY_FRAMES = LOOKAHEAD_FRAMES - 1
"""The network's output at feature j is frame j - DELAY_FRAMES: a frame's own 20 ms are part of its look-ahead."""

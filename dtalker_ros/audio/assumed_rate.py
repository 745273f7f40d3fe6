"""The sample rate of audio that does not say it: 16 kHz, until samples against the clock tell otherwise."""

from dataclasses import dataclass
from typing import Any

from dtalker_ros.audio.convert import AudioFormat

USUAL_HZ = (8_000, 11_025, 12_000, 16_000, 22_050, 24_000, 44_100, 48_000)
"""Rates that are followed. 32 kHz is not among them: that is what two channels at 16 kHz look like."""
AMBIGUOUS_HZ = tuple(factor * usual for factor in (2, 4) for usual in USUAL_HZ)
"""Rates that may as well be more channels or wider samples: these are said and not followed."""
NEAR = 0.03
"""A speed within this share of a rate's is that rate's; what is near none is speech sent ahead of time."""


@dataclass(frozen=True)
class Finding:
    """What the clock says about a rate that nobody declared."""

    text: str
    """For the log, with the parameter to set."""
    rate_hz: int | None
    """What to read the audio as from now on; None: nothing that could be told."""


def says_its_rate(message: Any) -> bool:
    """Whether `message` is of a kind that says its sample rate."""
    inner = getattr(message, "audio", message)
    return hasattr(inner, "info") or hasattr(inner, "sample_rate")


def find_rate(speed: float, assumed_hz: int) -> Finding | None:
    """What audio is that was read as `assumed_hz` and comes at `speed` seconds a second; None where all is well."""
    measured_hz = speed * assumed_hz
    near = [rate for rate in (*USUAL_HZ, *AMBIGUOUS_HZ) if abs(measured_hz / rate - 1) <= NEAR]
    if not near or assumed_hz in near:
        return None
    rate_hz = near[0] if near[0] in USUAL_HZ else None
    seen = f"{measured_hz:.0f} samples a second come where no rate is declared"
    if rate_hz is not None:
        advice = f"declare it with audio_sample_rate_hz:={rate_hz}, or publish AudioInfo"
        return Finding(f"{seen}: reading them as {rate_hz} Hz; {advice}", rate_hz)
    default = AudioFormat()
    text = (
        f"{seen}, read as {default.channels} channel of {assumed_hz} Hz: the face cannot keep up; "
        "declare audio_sample_rate_hz, audio_channels or audio_format"
    )
    return Finding(text, None)

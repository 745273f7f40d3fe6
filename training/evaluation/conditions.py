"""What happens to speech on its way to a robot: babble and noise, hiss, a telephone. Seeded, the same for every model.

Babble opens the mouth of a model that takes it for its speaker; hiss, in which it hears nobody, shuts it. The ranges of
the augmentation that models learn from are not used: what is measured must not move when those do.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial

import numpy as np

from training.acoustics.line import TELEPHONE_HZ, band_pass
from training.acoustics.noise import FEWEST_TALKERS, add_at_snr, babble, coloured

PINK = 0.5
"""Slope of the noise's amplitude; its power falls by 3 dB an octave, as that of rooms and traffic does."""

Spoil = Callable[[np.ndarray, Sequence[np.ndarray], np.random.Generator], np.ndarray]
"""Mono audio at 16 kHz, audio of other voices, and randomness in; audio of the same length in -1..1 out."""


def clean(audio: np.ndarray, others: Sequence[np.ndarray], draw: np.random.Generator) -> np.ndarray:
    """As recorded."""
    return audio


def noisy(audio: np.ndarray, others: Sequence[np.ndarray], draw: np.random.Generator, snr_db: float) -> np.ndarray:
    """Babble and pink noise of the same power, together `snr_db` below the level of the speech.

    Args:
        others: other voices to babble; with fewer than `FEWEST_TALKERS` there is noise alone.
    """
    noise = _unit(coloured(len(audio), draw, PINK))
    if len(others) >= FEWEST_TALKERS:
        noise = noise + _unit(babble(len(audio), draw, others))
    return _loud_enough(add_at_snr(audio, noise, snr_db))


def hissing(audio: np.ndarray, others: Sequence[np.ndarray], draw: np.random.Generator, snr_db: float) -> np.ndarray:
    """White noise `snr_db` below the level of the speech."""
    return _loud_enough(add_at_snr(audio, coloured(len(audio), draw, 0.0), snr_db))


def telephone(audio: np.ndarray, others: Sequence[np.ndarray], draw: np.random.Generator) -> np.ndarray:
    """The band of a telephone, 300 to 3400 Hz."""
    return np.clip(band_pass(audio, *TELEPHONE_HZ), -1, 1).astype(np.float32)


CONDITIONS: Mapping[str, Spoil] = {
    "clean": clean,
    "10 dB": partial(noisy, snr_db=10.0),
    "0 dB": partial(noisy, snr_db=0.0),
    "0 dB hiss": partial(hissing, snr_db=0.0),
    "telephone": telephone,
}


def _loud_enough(heard: np.ndarray) -> np.ndarray:
    """Turned down where it would clip."""
    return (heard / max(1.0, float(np.abs(heard).max()))).astype(np.float32)


def _unit(noise: np.ndarray) -> np.ndarray:
    """At a mean power of 1; silence stays silent."""
    return noise / max(float(np.sqrt(np.square(noise, dtype=np.float64).mean())), 1e-9)

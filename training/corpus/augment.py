"""Augmentation of audio: another voice, and what another room, crowd, microphone or line would have done to the speech.

`play_at` changes time, pitch and formants: everyone hears that, and the face follows. `spoil` changes only what a
microphone hears: sample k is still sample k, so that a teacher may hear the clip beside a student that hears it spoilt.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import soxr

from dtalker_model.rates import SAMPLE_RATE_HZ
from training.acoustics.line import TELEPHONE_HZ, band_pass, mu_law, opus
from training.acoustics.microphone import at_level, digitised, equalise
from training.acoustics.noise import FEWEST_TALKERS, add_at_snr, babble, coloured
from training.acoustics.room import reverberate
from training.corpus.clips import Clip, load_audio

CROWD = 240
"""Clips that are kept to make babble of: 70 MB."""
ROOMS = 1 / 3
"""Share of variants that are heard in a room."""
OPUS_KBPS = (8.0, 24.0)


@dataclass(frozen=True)
class Augmentation:
    """Ranges from which each variant of a clip draws.

    Attributes:
        speed: how much faster the audio may play, one of these; pitch and formants move with it (1.25: a child's).
            They are few, so that what a large encoder hears is computed once for each.
        heard_speed: share of the variants of clips without motion that play at another speed than the recorded.
        level_dbfs: level of the speech; a share `levelled` of the variants is set to it.
        gain_db: change of level of the others, from the recorded.
        clipped: share of variants that are louder than full scale, by up to 12 dB of speech over -12 dBFS.
        offset, largest_offset: share with a DC offset, and the largest, as a share of full scale.
        tilt_db: slope of the spectrum, from 100 Hz to 7 kHz.
        band_gain_db: up to three broad peaks or dips.
        telephone, lowpass: shares in the telephone's band, and below a frequency of `cutoff_hz`.
        noisy, noise_snr_db: share with noise, and its level below the speech; of these a share `babble` hears other
            voices, the rest white to brown noise.
        reverb_t60_s: decay of a room, applied to a third of the variants.
        mu_law, opus: shares through a telephone's codec and through Opus at 8 to 24 kb/s.
    """

    speed: tuple[float, ...] = (0.87, 1.0, 1.0, 1.15, 1.25)
    heard_speed: float = 0.25
    level_dbfs: tuple[float, float] = (-45.0, -12.0)
    levelled: float = 0.6
    gain_db: tuple[float, float] = (-18.0, 12.0)
    clipped: float = 0.04
    offset: float = 0.2
    largest_offset: float = 0.05
    tilt_db: tuple[float, float] = (-8.0, 8.0)
    band_gain_db: float = 6.0
    telephone: float = 0.1
    lowpass: float = 0.15
    cutoff_hz: tuple[float, float] = (3400.0, 6000.0)
    noisy: float = 0.75
    noise_snr_db: tuple[float, float] = (0.0, 20.0)
    babble: float = 0.4
    reverb_t60_s: tuple[float, float] = (0.1, 0.5)
    mu_law: float = 0.05
    opus: float = 0.04


@dataclass(frozen=True)
class Crowd:
    """Voices that babble is made of, mono at 16 kHz, and whose they are."""

    voices: tuple[np.ndarray, ...] = ()
    identities: tuple[str, ...] = ()

    def without(self, identity: str) -> list[np.ndarray]:
        """Everyone else's."""
        return [voice for voice, name in zip(self.voices, self.identities) if name != identity]


NOBODY = Crowd()


def crowd_of(clips: Sequence[Clip], seed: int) -> Crowd:
    """Up to `CROWD` of `clips`, drawn at random."""
    chosen = np.random.default_rng(seed).permutation(len(clips))[:CROWD]
    return Crowd(tuple(load_audio(clips[k]) for k in chosen), tuple(clips[k].identity for k in chosen))


def play_at(audio: np.ndarray, speed: float) -> np.ndarray:
    """Mono 16 kHz audio `speed` times faster (1.1: a tenth), pitch and formants with it; float32; itself at 1."""
    if speed == 1:
        return audio
    return soxr.resample(audio, round(SAMPLE_RATE_HZ * speed), SAMPLE_RATE_HZ, quality="MQ").astype(np.float32)


def spoil(
    audio: np.ndarray, draw: np.random.Generator, ranges: Augmentation, voices: Sequence[np.ndarray] = ()
) -> np.ndarray:
    """What a microphone might hear of mono 16 kHz `audio`: float32 in -1..1, as long and in step.

    Args:
        voices: others' audio to make babble of; with fewer than three there is none.
    """
    if draw.random() < ROOMS:
        audio = reverberate(audio, draw, draw.uniform(*ranges.reverb_t60_s))
    if draw.random() < ranges.noisy:
        audio = add_at_snr(audio, _noise(len(audio), draw, ranges, voices), draw.uniform(*ranges.noise_snr_db))
    audio = equalise(audio, draw, draw.uniform(*ranges.tilt_db), ranges.band_gain_db)
    offset = draw.uniform(-1, 1) * ranges.largest_offset if draw.random() < ranges.offset else 0.0
    audio = _levelled(_narrowed(audio, draw, ranges), draw, ranges)
    return _coded(digitised(audio, offset), draw, ranges)


def _noise(samples: int, draw: np.random.Generator, ranges: Augmentation, voices: Sequence[np.ndarray]) -> np.ndarray:
    if draw.random() < ranges.babble and len(voices) >= FEWEST_TALKERS:
        return babble(samples, draw, voices)
    return coloured(samples, draw, draw.uniform(0.0, 1.0))


def _narrowed(audio: np.ndarray, draw: np.random.Generator, ranges: Augmentation) -> np.ndarray:
    dice = draw.random()
    if dice < ranges.telephone:
        return band_pass(audio, *TELEPHONE_HZ)
    return band_pass(audio, 0.0, draw.uniform(*ranges.cutoff_hz)) if dice < ranges.telephone + ranges.lowpass else audio


def _levelled(audio: np.ndarray, draw: np.random.Generator, ranges: Augmentation) -> np.ndarray:
    dice = draw.random()
    if dice < ranges.clipped:
        return at_level(audio, draw.uniform(-12.0, 0.0))
    if dice < ranges.clipped + ranges.levelled:
        return at_level(audio, draw.uniform(*ranges.level_dbfs))
    return audio * 10 ** (draw.uniform(*ranges.gain_db) / 20)


def _coded(audio: np.ndarray, draw: np.random.Generator, ranges: Augmentation) -> np.ndarray:
    dice = draw.random()
    if dice < ranges.mu_law:
        return mu_law(audio)
    return np.clip(opus(audio, draw.uniform(*OPUS_KBPS)), -1, 1) if dice < ranges.mu_law + ranges.opus else audio

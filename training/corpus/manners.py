"""How a speaker's face differs from others', whatever is said: where it rests and how far it moves.

A crop whose speaker is replaced by a generic one is given that one's manner. Otherwise the audio encoder would learn to
tell the speakers by their voices and each one's amplitude by heart, and an unseen voice would get somebody else's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from training.corpus.variants import Variant

REST_PERCENTILE = 10
LEAST_SPREAD = 0.01
GREATEST_GAIN = 2.0
"""Noise in coefficients that a speaker hardly moves is not amplified further."""


@dataclass(frozen=True)
class Manner:
    """rest (52,): each coefficient's 10th percentile. spread (52,): its standard deviation. Zero where unobserved."""

    rest: np.ndarray
    spread: np.ndarray


def manner(variants: Sequence[Variant]) -> Manner:
    """The manner of one speaker, from observed frames."""
    observed = np.concatenate([v.observed for v in variants])
    weights = np.where(observed, np.concatenate([v.weights for v in variants]), np.nan).astype(np.float32)
    seen = observed.any(axis=0)
    rest, spread = np.zeros(52, np.float32), np.zeros(52, np.float32)
    rest[seen] = np.nanpercentile(weights[:, seen], REST_PERCENTILE, axis=0)
    spread[seen] = np.nanstd(weights[:, seen], axis=0)
    return Manner(rest, spread)


def average(manners: Sequence[Manner]) -> Manner:
    """The manner between all: mean rest and root mean square spread over the speakers who show a coefficient."""
    rest, spread = np.stack([m.rest for m in manners]), np.stack([m.spread for m in manners])
    count = np.maximum((spread > 0).sum(axis=0), 1)
    return Manner(rest.sum(axis=0) / count, np.sqrt((spread**2).sum(axis=0) / count))


def imitate(motion: np.ndarray, own: Manner, other: Manner) -> np.ndarray:
    """Motion (T, 52) of a speaker as another with the same words would move."""
    gain = other.spread / np.maximum(own.spread, LEAST_SPREAD)
    gain = np.clip(gain, 1 / GREATEST_GAIN, GREATEST_GAIN)
    return np.maximum(other.rest + (motion - own.rest) * gain, 0).astype(np.float32)

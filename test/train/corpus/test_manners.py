"""A speaker's manner: rest and range, and what a crop looks like in another's."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch", reason="torch is not installed: pip install '.[train]'")

from training.corpus.clips import Clip
from training.corpus.manners import GREATEST_GAIN, Manner, average, imitate, manner
from training.corpus.variants import Variant


def _variant(jaw: np.ndarray) -> Variant:
    weights, observed = np.zeros((len(jaw), 52), np.float16), np.zeros((len(jaw), 52), bool)
    weights[:, 0], observed[:, 0] = jaw, True
    clip = Clip(Path(), "a", "ravdess", "train", "s", "neutral", "a.flac", 1.0, "none")
    return Variant(clip, {}, weights, observed, np.zeros(len(jaw), np.int64), np.zeros(len(jaw), np.uint8))


def _flat(rest: float, spread: float) -> Manner:
    return Manner(np.full(52, rest, np.float32), np.full(52, spread, np.float32))


def test_a_manner_is_rest_and_spread_of_what_is_observed() -> None:
    found = manner([_variant(np.array([0.2, 0.2, 0.2, 0.2])), _variant(np.array([0.6, 0.6, 0.6, 0.6]))])
    assert found.rest[0] == pytest.approx(0.2, abs=1e-3)
    assert found.spread[0] == pytest.approx(0.2, abs=1e-3)
    assert not found.rest[1:].any() and not found.spread[1:].any()


def test_the_average_leaves_out_who_does_not_show_a_coefficient() -> None:
    between = average([_flat(0.1, 0.1), _flat(0.3, 0.7), _flat(0.0, 0.0)])
    assert between.rest == pytest.approx(np.full(52, 0.2))
    assert between.spread == pytest.approx(np.full(52, np.sqrt((0.1**2 + 0.7**2) / 2)))


def test_imitation_moves_rest_and_range() -> None:
    motion = np.full((1, 52), 0.3, np.float32)
    assert imitate(motion, _flat(0.1, 0.1), _flat(0.2, 0.15)) == pytest.approx(np.full((1, 52), 0.2 + 0.2 * 1.5))
    assert imitate(motion, _flat(0.1, 0.1), _flat(0.1, 0.1)) == pytest.approx(motion)


def test_noise_is_amplified_no_further_than_a_limit() -> None:
    found = imitate(np.full((1, 52), 0.02, np.float32), _flat(0.0, 0.001), _flat(0.0, 0.5))
    assert found == pytest.approx(np.full((1, 52), 0.02 * GREATEST_GAIN))

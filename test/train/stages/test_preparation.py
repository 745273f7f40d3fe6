"""What a run starts from: the noise filters that are as smooth as the motion."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch is not installed: pip install '.[train]'")

from torch import Tensor  # noqa: E402

from dtalker_model.blendshapes import INDEX  # noqa: E402
from dtalker_model.networks.noise import LEAST_FRAMES, MOST_FRAMES, low_pass  # noqa: E402
from training.corpus.clips import Clip  # noqa: E402
from training.corpus.variants import Variant  # noqa: E402
from training.stages.preparation import motion_colour  # noqa: E402

SLOW, FAST, JITTER, FAINT, UNSEEN = (
    INDEX[n] for n in ("browInnerUp", "jawOpen", "eyeBlinkLeft", "cheekPuff", "tongueOut")
)
CONSTANTS = np.linspace(2.0, 10.0, 52)


def variant(source: str, weights: np.ndarray, observed: np.ndarray | None = None) -> Variant:
    T = len(weights)
    seen = np.ones((T, 52), bool) if observed is None else observed
    clip = Clip(Path(), "a", source, "train", "s", "neutral", "a.flac", 1.0, "none")
    x = np.where(seen, weights, 0).astype(np.float16)
    return Variant(clip, {}, x, seen, np.zeros(T, np.int64), np.zeros(T, np.uint8))


def smooth(constants: np.ndarray, frames: int = 4000, seed: int = 0) -> np.ndarray:
    """Motion (T, 52) about 0.5, of a deviation of 0.15, as smooth as these time constants in frames say."""
    white = np.random.default_rng(seed).standard_normal((frames, 52))
    taps = low_pass(torch.from_numpy(constants)).numpy()
    return 0.5 + 0.15 * np.stack([np.convolve(white[:, k], taps[k, ::-1], "valid") for k in range(52)], axis=1)


def peaks(taps: Tensor) -> np.ndarray:
    """Time constants (52,) of filters, whose peak is two of them ago; to half a frame."""
    return (taps.flip(1).argmax(dim=1).numpy() + 1) / 2


def test_the_filters_are_as_smooth_as_the_motion() -> None:
    taps = motion_colour([variant("grid", smooth(CONSTANTS))])
    torch.testing.assert_close(taps.norm(dim=1), torch.ones(52))
    np.testing.assert_allclose(peaks(taps), CONSTANTS, rtol=0.2, atol=0.5)


def test_slower_coefficients_get_slower_filters_within_what_a_filter_holds() -> None:
    constants = np.full(52, 4.0)
    constants[SLOW], constants[FAST] = 9.0, 2.0
    weights = smooth(constants)
    weights[:, JITTER] = np.random.default_rng(1).uniform(0, 1, len(weights))
    weights[:, FAINT] = np.linspace(0, 1, len(weights))  # slower than the slowest filter
    found = peaks(motion_colour([variant("grid", weights)]))
    assert found[SLOW] > found[INDEX["mouthFunnel"]] > found[FAST]
    assert (found[JITTER], found[FAINT]) == (LEAST_FRAMES, MOST_FRAMES)


def test_sources_weigh_alike_whatever_their_length() -> None:
    short = variant("facegood", smooth(np.full(52, 8.0), 1500))
    long = [variant("grid", smooth(np.full(52, 2.0), seed=k)) for k in range(3)]
    np.testing.assert_allclose(peaks(motion_colour([short, *long])), 5.0, atol=1.0)


def test_what_nobody_observed_or_hardly_moves_is_as_smooth_as_the_average() -> None:
    constants = np.full(52, 6.0)
    weights, observed = smooth(constants), np.ones((4000 - 95, 52), bool)
    observed[:, UNSEEN] = False
    weights[:, FAINT] = 0.5 + 0.0001 * np.sign(weights[:, FAINT] - 0.5)  # a tracker's jitter
    taps = motion_colour([variant("grid", weights, observed)])
    np.testing.assert_allclose(peaks(taps)[[UNSEEN, FAINT]], 6.0, atol=1.0)


def test_a_source_that_observes_a_coefficient_decides_for_one_that_does_not() -> None:
    seen = np.ones((4000 - 95, 52), bool)
    seen[:, SLOW] = False
    blind = variant("ravdess", smooth(np.full(52, 3.0)), seen)
    found = peaks(motion_colour([blind, variant("grid", smooth(np.full(52, 9.0), seed=1))]))
    assert found[SLOW] == pytest.approx(9.0, abs=1.0) and found[FAST] == pytest.approx(6.0, abs=1.0)


def test_a_gap_in_the_recording_is_no_movement() -> None:
    """Where the tracker lost the face, the weights are zero: a jump there is nobody's."""
    weights = smooth(np.full(52, 6.0))
    seen = np.ones((len(weights), 52), bool)
    seen[::10] = False
    np.testing.assert_allclose(peaks(motion_colour([variant("grid", weights, seen)])), 6.0, atol=1.0)

"""What is done to speech before a model hears it: ratios, bands and seeds with known values."""

from __future__ import annotations

import numpy as np
import pytest

from training.acoustics.noise import speech_rms
from training.evaluation.conditions import CONDITIONS, noisy

RATE_HZ = 16000


def tone(hz: float, seconds: float = 2.0, level: float = 0.1) -> np.ndarray:
    return (level * np.sin(2 * np.pi * hz * np.arange(int(seconds * RATE_HZ)) / RATE_HZ)).astype(np.float32)


VOICES = [tone(hz, 1.0) for hz in (150.0, 210.0, 280.0, 330.0)]


def added(snr_db: float, others: list[np.ndarray]) -> np.ndarray:
    return noisy(tone(1000.0), others, np.random.default_rng(0), snr_db).astype(np.float64) - tone(1000.0)


@pytest.mark.parametrize("snr_db", [0.0, 10.0])
@pytest.mark.parametrize("others", [[], VOICES])
def test_what_is_added_has_the_power_that_was_asked_for(snr_db: float, others: list[np.ndarray]) -> None:
    ratio = speech_rms(tone(1000.0)) / np.sqrt((added(snr_db, others) ** 2).mean())
    assert 20 * np.log10(ratio) == pytest.approx(snr_db, abs=0.1)


def test_hiss_is_as_loud_at_all_frequencies() -> None:
    noise = CONDITIONS["0 dB hiss"](tone(1000.0), VOICES, np.random.default_rng(0)).astype(np.float64) - tone(1000.0)
    assert np.sqrt((noise**2).mean()) == pytest.approx(speech_rms(tone(1000.0)), rel=0.01)
    low, high = (part.sum() for part in np.array_split(np.abs(np.fft.rfft(noise)) ** 2, 2))
    assert low / high == pytest.approx(1, abs=0.1)


def test_half_of_it_is_other_voices() -> None:
    noise = added(0.0, VOICES)
    power, hz = np.abs(np.fft.rfft(noise)) ** 2, np.fft.rfftfreq(len(noise), 1 / RATE_HZ)
    voiced = np.any([np.abs(hz - f) < 5 for f in (150.0, 210.0, 280.0, 330.0)], axis=0)
    assert power[voiced].sum() / power.sum() == pytest.approx(0.5, abs=0.05)


def test_what_would_be_too_loud_is_turned_down_and_not_clipped() -> None:
    heard = noisy(tone(200.0, level=0.95), VOICES, np.random.default_rng(0), 0.0)
    assert np.abs(heard).max() == pytest.approx(1.0) and (np.abs(heard) > 0.999).sum() < 5


def test_a_telephone_passes_its_band_alone() -> None:
    for hz, kept in ((100.0, 0.0), (1000.0, 1.0), (5000.0, 0.0)):
        heard = CONDITIONS["telephone"](tone(hz), [], np.random.default_rng(0))
        assert speech_rms(heard) / speech_rms(tone(hz)) == pytest.approx(kept, abs=0.05)


@pytest.mark.parametrize("name", CONDITIONS)
def test_a_condition_is_a_function_of_its_seed(name: str) -> None:
    first, again = (CONDITIONS[name](tone(200.0), VOICES, np.random.default_rng(3)) for _ in range(2))
    np.testing.assert_array_equal(first, again)
    assert first.shape == tone(200.0).shape and first.dtype == np.float32

"""Log-mel features: analytic signals, causality, any chunking, reset."""

from __future__ import annotations

import numpy as np
import pytest

from dtalker_model.hearing.features import FEATURE_DIM, MEL_BANDS, POWER_FLOOR, LogMel, hz_to_mel, mel_filters


def noise(samples: int, seed: int = 0) -> np.ndarray:
    return 0.1 * np.random.default_rng(seed).standard_normal(samples, np.float32)


def test_silence_is_the_floor() -> None:
    features = LogMel().push(np.zeros(3200, np.float32))
    assert features.log_mel.shape == (10, FEATURE_DIM)
    np.testing.assert_allclose(features.log_mel, np.log(POWER_FLOOR), rtol=1e-6)
    np.testing.assert_allclose(features.level_db, -100.0, atol=1e-3)


@pytest.mark.parametrize("hz", [200.0, 1000.0, 3000.0, 6000.0])
def test_a_tone_peaks_in_its_own_band(hz: float) -> None:
    audio = (0.5 * np.sin(2 * np.pi * hz * np.arange(16000) / 16000)).astype(np.float32)
    band = LogMel().push(audio).log_mel[10, :MEL_BANDS].argmax()
    centres = np.linspace(hz_to_mel(60.0), hz_to_mel(7000.0), MEL_BANDS + 2)[1:-1]
    assert abs(int(band) - int(np.abs(centres - hz_to_mel(hz)).argmin())) <= 1


def tone(hz: float, rms_db: float = -3.01) -> np.ndarray:
    return (np.sqrt(2) * 10 ** (rms_db / 20) * np.sin(2 * np.pi * hz * np.arange(16000) / 16000)).astype(np.float32)


@pytest.mark.parametrize("hz", [300, 500, 1500, 6000])
def test_the_level_of_a_full_scale_sine_is_minus_3_db(hz: float) -> None:
    level_db = LogMel().push(tone(hz)).level_db
    np.testing.assert_allclose(level_db[1:], -3.01, atol=0.05)
    assert level_db[0] == pytest.approx(-3.01, abs=0.5), "the window begins in the silence before"


def test_the_level_of_noise_is_that_of_its_samples() -> None:
    level_db = LogMel().push(noise(160_000)).level_db
    assert 10 * np.log10(np.mean(10 ** (level_db / 10))) == pytest.approx(-20, abs=1)


@pytest.mark.parametrize(("hz", "left_db"), [(10, 48), (20, 45), (50, 43), (60, 43), (80, 35), (100, 35)])
def test_the_level_leaves_out_hum_and_rumble(hz: float, left_db: float) -> None:
    assert LogMel().push(tone(hz, -25)).level_db[1:].max() < -25 - left_db


def test_the_level_leaves_out_dc() -> None:
    assert LogMel().push(np.full(16000, 0.05, np.float32)).level_db[1:].max() < -70


def test_what_lies_low_is_voiced_and_what_lies_high_is_not() -> None:
    vowel = np.sum([tone(hz, -30 - hz / 200) for hz in range(120, 4000, 120)], axis=0)
    assert LogMel().push(vowel).voiced[1:].all()
    for audio in (noise(16000), tone(3000), np.zeros(16000, np.float32)):
        assert not LogMel().push(audio).voiced.any()


def test_ten_db_are_ten_db() -> None:
    quiet, loud = LogMel().push(noise(16000)).log_mel, LogMel().push(noise(16000) * 10**0.5).log_mel
    np.testing.assert_allclose((loud - quiet)[2:], np.log(10), atol=1e-2)


def test_every_filter_covers_some_bin() -> None:
    assert (mel_filters().max(axis=0) > 0).all()


def test_later_audio_never_changes_earlier_frames() -> None:
    audio = noise(6400)
    changed = audio.copy()
    changed[3200:] = 0
    a, b = LogMel().push(audio).log_mel, LogMel().push(changed).log_mel
    np.testing.assert_array_equal(a[:10], b[:10])
    assert np.abs(a[10] - b[10]).max() > 0.1


def test_any_chunking_gives_the_same_features() -> None:
    audio, whole, pieces = noise(32000), LogMel(), LogMel()
    cuts = np.unique(np.random.default_rng(1).integers(1, len(audio), 60))
    parts = [pieces.push(p) for p in np.split(audio, cuts)]
    expected = whole.push(audio)
    np.testing.assert_allclose(np.concatenate([p.log_mel for p in parts]), expected.log_mel, atol=1e-5)
    np.testing.assert_allclose(np.concatenate([p.level_db for p in parts]), expected.level_db, atol=1e-4)
    np.testing.assert_array_equal(np.concatenate([p.voiced for p in parts]), expected.voiced)


def test_reset_forgets() -> None:
    features, fresh = LogMel(), LogMel()
    features.push(noise(1000))
    features.reset()
    np.testing.assert_array_equal(features.push(noise(3200, 2)).log_mel, fresh.push(noise(3200, 2)).log_mel)

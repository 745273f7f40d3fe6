"""What is done to audio does what it says: levels, bands, ratios, and nothing to time."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from training.acoustics.line import TELEPHONE_HZ, band_pass, mu_law, opus
from training.acoustics.microphone import at_level, digitised
from training.acoustics.noise import add_at_snr, babble, coloured, speech_rms
from training.acoustics.room import reverberate
from training.corpus.augment import Augmentation, Crowd, play_at, spoil

RATE_HZ = 16000
NOTHING = Augmentation(
    levelled=0,
    gain_db=(0, 0),
    clipped=0,
    offset=0,
    tilt_db=(0, 0),
    band_gain_db=0,
    telephone=0,
    lowpass=0,
    noisy=0,
    reverb_t60_s=(1e-3, 1e-3),
    mu_law=0,
    opus=0,
)
"""Ranges that leave audio as it is, but for a room of a millisecond."""


def db(ratio: float) -> float:
    return 20 * np.log10(ratio)


def tone(hz: float, seconds: float = 2.0) -> np.ndarray:
    return (0.3 * np.sin(2 * np.pi * hz * np.arange(int(seconds * RATE_HZ)) / RATE_HZ)).astype(np.float32)


def talk(seed: int = 0, seconds: float = 3.0) -> np.ndarray:
    """Noise in syllables of 125 ms, with a pause in the middle third."""
    draw = np.random.default_rng(seed)
    times_s = np.arange(int(seconds * RATE_HZ)) / RATE_HZ
    loud = np.sin(np.pi * times_s / 0.125) ** 2 * (np.abs(times_s - seconds / 2) > seconds / 6)
    return (0.1 * loud * draw.normal(size=len(times_s))).astype(np.float32)


def lag(a: np.ndarray, b: np.ndarray) -> int:
    """By how many samples `b` comes later than `a`."""
    size = 2 * len(a)
    across = np.fft.irfft(np.fft.rfft(b, size) * np.conj(np.fft.rfft(a, size)), size)
    best = int(across.argmax())
    return best - size if best > size // 2 else best


def test_pauses_do_not_count_in_the_level_of_speech() -> None:
    loud = tone(440)
    assert speech_rms(loud) == pytest.approx(0.3 / np.sqrt(2), rel=1e-3)
    assert speech_rms(np.concatenate([loud, np.zeros(4 * RATE_HZ, np.float32)])) == pytest.approx(speech_rms(loud))
    assert speech_rms(np.zeros(1000, np.float32)) == 0


@pytest.mark.parametrize("snr_db", [0.0, 10.0, 20.0])
@pytest.mark.parametrize("kind", ["white", "brown", "babble"])
def test_noise_has_its_ratio_to_the_speech(kind: str, snr_db: float) -> None:
    speech, draw = talk(), np.random.default_rng(1)
    voices = [talk(k, 1.0 + k / 4) for k in range(2, 9)]
    noise = babble(len(speech), draw, voices) if kind == "babble" else coloured(len(speech), draw, kind == "brown")
    added = add_at_snr(speech, noise, snr_db) - speech
    assert db(speech_rms(speech) / np.sqrt(np.mean(added**2))) == pytest.approx(snr_db, abs=0.5)


def test_brown_noise_falls_by_6_db_an_octave_where_it_is_heard() -> None:
    power = np.abs(np.fft.rfft(coloured(1 << 16, np.random.default_rng(0), 1.0))) ** 2
    hz = np.fft.rfftfreq(1 << 16, 1 / RATE_HZ)
    low, high = (power[(hz >= f) & (hz < 2 * f)].mean() for f in (500, 2000))
    assert 10 * np.log10(low / high) == pytest.approx(12, abs=0.5)
    assert power[hz < 19].sum() < 1e-6 * power.sum()


@pytest.mark.parametrize(("hz", "gain_db"), [(300, -3), (3400, -3), (1000, 0), (150, -24), (5000, -33)])
def test_the_telephone_has_its_edges(hz: float, gain_db: float) -> None:
    middle = slice(RATE_HZ // 2, -RATE_HZ // 2)
    heard = band_pass(tone(hz), *TELEPHONE_HZ)[middle]
    assert db(heard.std() / tone(hz)[middle].std()) == pytest.approx(gain_db, abs=0.6)


def test_a_low_pass_keeps_what_is_low() -> None:
    np.testing.assert_allclose(band_pass(tone(100), 0.0, 4000.0), tone(100), atol=0.01)


@pytest.mark.parametrize("level_dbfs", [-45.0, -20.0])
def test_speech_has_its_level(level_dbfs: float) -> None:
    ranges = replace(NOTHING, levelled=1, level_dbfs=(level_dbfs, level_dbfs))
    for seed in range(4):
        heard = spoil(talk(), np.random.default_rng(seed), ranges)
        assert db(speech_rms(heard)) == pytest.approx(level_dbfs, abs=0.1)
    assert not at_level(np.zeros(1000), -20.0).any()


def test_too_loud_is_clipped() -> None:
    heard = [spoil(talk(), np.random.default_rng(seed), replace(NOTHING, clipped=1)) for seed in range(8)]
    assert all(np.abs(x).max() == 1 for x in heard)
    assert max((np.abs(x) == 1).mean() for x in heard) > 0.05


def test_an_offset_is_at_most_what_is_said() -> None:
    means = [spoil(tone(440), np.random.default_rng(k), replace(NOTHING, offset=1)).mean() for k in range(40)]
    assert 0.03 < max(np.abs(means)) <= 0.05 and min(means) < 0 < max(means)
    assert digitised(np.ones(4), 0.1).max() == 1


def test_codecs_keep_length_and_time() -> None:
    speech = band_pass(talk(), 0.0, 3000.0).astype(np.float32)
    for heard, least in ((mu_law(speech), 30.0), (opus(speech, 24.0), 5.0)):
        assert heard.shape == speech.shape and heard.dtype == np.float32 and lag(speech, heard) == 0
        assert db(speech.std() / (heard - speech).std()) > least
    assert mu_law(speech[:-1]).shape == (len(speech) - 1,)


def test_a_room_keeps_the_direct_sound_in_time() -> None:
    click = np.zeros(8000)
    click[100] = 1
    heard = reverberate(click, np.random.default_rng(0), 0.3)
    assert heard.shape == click.shape and np.argmax(np.abs(heard)) == 100 and np.abs(heard[:100]).max() < 1e-9


def test_spoilt_audio_is_as_long_in_step_and_repeatable() -> None:
    voices = [talk(k, 1.0) for k in range(3)]
    for seed in range(60):
        speech = talk(seed)[: -seed or None]
        heard = spoil(speech, np.random.default_rng(seed), Augmentation(noise_snr_db=(5, 20)), voices)
        assert heard.shape == speech.shape and heard.dtype == np.float32 and np.abs(heard).max() <= 1
        assert abs(lag(speech, heard)) <= 8
        again = spoil(speech, np.random.default_rng(seed), Augmentation(noise_snr_db=(5, 20)), voices)
        np.testing.assert_array_equal(heard, again)


def test_silence_stays_quiet() -> None:
    for seed in range(20):
        heard = spoil(np.zeros(RATE_HZ, np.float32), np.random.default_rng(seed), replace(Augmentation(), offset=0))
        assert np.abs(heard).max() < 1e-3


def test_speed_moves_time_and_pitch() -> None:
    faster = play_at(tone(400), 1.25)
    assert len(faster) == pytest.approx(2 * RATE_HZ / 1.25, abs=2) and faster.dtype == np.float32
    assert np.abs(np.fft.rfft(faster[:RATE_HZ])).argmax() == 500
    speech = talk()
    assert play_at(speech, 1.0) is speech


def test_nobody_babbles_over_himself() -> None:
    crowd = Crowd((tone(100), tone(200), tone(300)), ("a", "b", "a"))
    assert [x.std() for x in crowd.without("a")] == [tone(200).std()]

"""PCM of every kind becomes mono float32 at 16 kHz; bad PCM gets a message that says what to do."""

from __future__ import annotations

import numpy as np
import pytest

from dtalker_model import AudioError
from dtalker_model.hearing.audio import Resampler, to_mono


def tone(rate_hz: int, seconds: float = 1.0, hz: float = 440.0) -> np.ndarray:
    return (0.5 * np.sin(2 * np.pi * hz * np.arange(int(rate_hz * seconds)) / rate_hz)).astype(np.float32)


@pytest.mark.parametrize(
    ("pcm", "expected"),
    [
        (np.array([16384, -32768], np.int16), [0.5, -1.0]),
        (np.array([1 << 30], np.int32), [0.5]),
        (np.array([0.25, -1.0], np.float64), [0.25, -1.0]),
        (np.array([[8192, 24576]], np.int16), [0.5]),
        (np.array([[0.5], [0.25]], np.float32), [0.5, 0.25]),
    ],
)
def test_full_scale_and_mix_down(pcm: np.ndarray, expected: list[float]) -> None:
    mono = to_mono(pcm)
    assert mono.dtype == np.float32
    np.testing.assert_allclose(mono, expected, atol=1e-6)


def test_the_callers_array_is_left_alone() -> None:
    pcm = np.full(10, 0.5, np.float32)
    Resampler().push(pcm, 16000)[:] = 0
    assert (pcm == 0.5).all()


@pytest.mark.parametrize(
    ("pcm", "message"),
    [
        (np.zeros(0, np.int16), "empty audio chunk"),
        (np.zeros(3, np.uint8), "received uint8"),
        ([0.0, 0.1], "received list"),
        (np.zeros((2, 3, 4), np.float32), r"received \(2, 3, 4\)"),
        (np.zeros((2, 16000), np.float32), r"\(samples, channels up to 64\)"),
        (np.array([0.0, np.nan], np.float32), "NaN or infinite"),
        (np.array([np.inf], np.float64), "NaN or infinite"),
        (np.array([12000.0], np.float32), "divide 16-bit values by 32768"),
    ],
)
def test_bad_pcm_is_refused(pcm: np.ndarray, message: str) -> None:
    with pytest.raises(AudioError, match=message):
        Resampler().push(pcm, 16000)


@pytest.mark.parametrize("rate_hz", [0, -16000, 7999, 192001, 44100.5, "16000", None, True, float("nan")])
def test_bad_rates_are_refused(rate_hz: int) -> None:
    with pytest.raises(AudioError, match=r"8000\.\.192000"):
        Resampler().push(np.zeros(10, np.float32), rate_hz)


def test_more_than_ten_minutes_in_one_chunk_is_refused() -> None:
    with pytest.raises(AudioError, match="600 s at most"):
        Resampler().push(np.zeros(600 * 8000 + 1, np.int16), 8000)


@pytest.mark.parametrize("rate_hz", [8000, 11025, 22050, 44100, 48000, 96000, 192000])
def test_a_tone_keeps_its_pitch_and_level(rate_hz: int) -> None:
    resampler = Resampler()
    out = np.concatenate([resampler.push(tone(rate_hz), rate_hz), resampler.flush()])
    assert abs(len(out) - 16000) <= 1
    middle = slice(2000, 14000)
    np.testing.assert_allclose(out[middle], tone(16000)[: len(out)][middle], atol=2e-3)


def test_decimation_filters_what_would_alias() -> None:
    resampler = Resampler()
    out = np.concatenate([resampler.push(tone(48000, hz=12000), 48000), resampler.flush()])
    assert np.abs(out[2000:14000]).max() < 1e-3


def test_any_chunking_gives_the_same_samples() -> None:
    pcm, draw = tone(44100, 2.0), np.random.default_rng(0)
    whole = Resampler()
    expected = np.concatenate([whole.push(pcm, 44100), whole.flush()])
    cuts = np.sort(draw.integers(1, len(pcm), 40))
    pieces = Resampler()
    out = [pieces.push(p, 44100) for p in np.split(pcm, np.unique(cuts))]
    np.testing.assert_allclose(np.concatenate([*out, pieces.flush()]), expected, atol=1e-6)


def test_the_rate_may_change_between_chunks() -> None:
    resampler = Resampler()
    parts = [resampler.push(tone(rate), rate) for rate in (48000, 16000, 22050)]
    assert abs(len(np.concatenate([*parts, resampler.flush()])) - 48000) <= 3

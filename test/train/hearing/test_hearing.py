"""The registry of what audio encoders hear."""

from __future__ import annotations

import wave
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch", reason="torch is not installed: pip install '.[train]'")

from training.hearing import registry
from training.hearing.registry import HEARINGS, SILENCE, hear, hearing_dim


class FakeHubert(registry.HubertHearing):
    """Counts how often a model is loaded."""

    loaded = 0

    def __init__(self, source: str) -> None:
        FakeHubert.loaded += 1
        self.dim = 7

    def __call__(self, audio: np.ndarray) -> np.ndarray:
        return np.zeros((-(-len(audio) // 320), self.dim), np.float16)


@pytest.fixture
def fake_hubert(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "HubertHearing", FakeHubert)
    registry._hubert.cache_clear()


@pytest.mark.usefixtures("fake_hubert")
@pytest.mark.parametrize("name", HEARINGS)
@pytest.mark.parametrize("samples", [1, 320, 321])
def test_rows(name: str, samples: int) -> None:
    rows = hear(name, np.full(samples, 0.1, np.float32), "somewhere")
    assert rows.shape == (-(-samples // 320), hearing_dim(name, "somewhere")) and rows.dtype == np.float16


@pytest.mark.usefixtures("fake_hubert")
def test_hubert_is_loaded_once() -> None:
    before = FakeHubert.loaded
    for _ in range(3):
        hear("hubert", np.zeros(320, np.float32), "somewhere")
    registry._hubert.cache_clear()
    assert FakeHubert.loaded == before + 1


@pytest.mark.parametrize("name", SILENCE)
def test_silence_sounds_as_it_says(name: str) -> None:
    rows = hear(name, np.zeros(640, np.float32))
    np.testing.assert_allclose(rows, SILENCE[name], atol=0.01)


def test_half_precision_keeps_the_waveform(demo_wav: Path) -> None:
    with wave.open(str(demo_wav)) as file:
        audio = np.frombuffer(file.readframes(file.getnframes()), np.int16).astype(np.float32) / 32768
    rows = hear("waveform", audio)
    error = rows.astype(np.float64).ravel()[: len(audio)] - audio
    assert 10 * np.log10((audio.astype(np.float64) ** 2).sum() / (error**2).sum()) > 70
    assert (rows.ravel()[len(audio) :] == 0).all()


def test_errors() -> None:
    with pytest.raises(ValueError, match="use one of log_mel, waveform, hubert"):
        hear("mfcc", np.zeros(1, np.float32))
    with pytest.raises(ValueError, match="needs a model"):
        hear("hubert", np.zeros(1, np.float32))

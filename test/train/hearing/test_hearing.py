"""The registry of what audio encoders hear."""

from __future__ import annotations

import wave
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch", reason="torch is not installed: pip install '.[train]'")

from training.corpus.clips import Clip
from training.corpus.kept import Kept
from training.hearing import registry
from training.hearing.registry import HEARINGS, SILENCE, hear, hearing_dim
from training.hearing.whisper import BASE

loaded: list[tuple[str, str]] = []
"""Name and source of every pretrained model that was loaded."""


class FakeHubert(registry.HubertHearing):
    """Rows of seven values."""

    def __init__(self, source: str) -> None:
        loaded.append(("hubert", source))
        self.dim, self.model = 7, source

    def __call__(self, audio: np.ndarray) -> np.ndarray:
        return np.zeros((-(-len(audio) // 320), self.dim), np.float16)


class FakeWhisper(registry.WhisperHearing):
    """Rows of nine values."""

    def __init__(self, source: str = "") -> None:
        loaded.append(("whisper", source))
        self.dim, self.model = 9, source

    def __call__(self, audio: np.ndarray) -> np.ndarray:
        return np.zeros((-(-len(audio) // 320), self.dim), np.float16)


@pytest.fixture
def fake_ears(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Pretrained ears that cost nothing; none is loaded yet, and none of them stays."""
    monkeypatch.setattr(registry, "HubertHearing", FakeHubert)
    monkeypatch.setattr(registry, "WhisperHearing", FakeWhisper)
    loaded.clear()
    for loader in (registry._hubert, registry._whisper):
        loader.cache_clear()
    yield
    for loader in (registry._hubert, registry._whisper):
        loader.cache_clear()


@pytest.mark.usefixtures("fake_ears")
@pytest.mark.parametrize("name", HEARINGS)
@pytest.mark.parametrize("samples", [1, 320, 321])
def test_rows(name: str, samples: int) -> None:
    rows = hear(name, np.full(samples, 0.1, np.float32), "somewhere")
    assert rows.shape == (-(-samples // 320), hearing_dim(name, "somewhere")) and rows.dtype == np.float16


@pytest.mark.usefixtures("fake_ears")
@pytest.mark.parametrize("name", registry.PRETRAINED)
def test_pretrained_ears_are_loaded_once(name: str) -> None:
    for _ in range(3):
        hear(name, np.zeros(320, np.float32), "somewhere")
    assert loaded == [(name, "somewhere")]


@pytest.mark.usefixtures("fake_ears")
def test_whisper_finds_its_own_place_where_no_source_is_given() -> None:
    hear("whisper", np.zeros(320, np.float32))
    assert loaded == [("whisper", "")]


@pytest.mark.usefixtures("fake_ears")
def test_training_hears_what_its_encoders_ask_for_and_keeps_what_costs_much(tmp_path: Path) -> None:
    found = registry.hearings({"whisper", "hubert_cnn"}, "somewhere", tmp_path / "ears")
    assert list(found) == ["log_mel", "waveform", "whisper"], "log-mel always"
    assert {name for name, hears in found.items() if isinstance(hears, Kept)} == {"whisper"}
    assert not any(isinstance(hears, Kept) for hears in registry.hearings({"whisper"}, "somewhere").values())
    assert set(registry.HEARS.values()) == set(HEARINGS)


@pytest.mark.usefixtures("fake_ears")
def test_what_another_model_heard_is_not_taken_for_this_ones(tmp_path: Path) -> None:
    clip = Clip(Path(), "a", "grid", "train", "grid", "neutral", "a.flac", 0.02, "CC0")
    for source in ("base", "small"):
        whisper = registry.hearings({"whisper"}, source, tmp_path)["whisper"]
        assert isinstance(whisper, Kept)
        whisper.of_clip(clip, 1.0, np.zeros(320, np.float32))
    assert len(list(tmp_path.iterdir())) == 2


@pytest.mark.usefixtures("fake_ears")
@pytest.mark.parametrize(
    ("ears", "model", "name"),
    [("whisper", BASE, "whisper"), ("whisper", "0123abcd", "whisper-0123abcd"), ("hubert", "89ef", "hubert-89ef")],
)
def test_files_begin_with_the_ears_and_the_model_but_for_whisper_base(
    ears: str, model: str, name: str, tmp_path: Path
) -> None:
    kept = registry.hearings({ears}, model, tmp_path)[ears]
    assert isinstance(kept, Kept) and kept.name == name


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
    with pytest.raises(ValueError, match="use one of log_mel, waveform, hubert, whisper"):
        hear("mfcc", np.zeros(1, np.float32))
    with pytest.raises(ValueError, match="needs a model"):
        hear("hubert", np.zeros(1, np.float32))

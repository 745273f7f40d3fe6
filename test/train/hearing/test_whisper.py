"""The ears `whisper`: frozen layers of a Whisper encoder and log-mel, one row per frame, in windows."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile
from checkout import ROOT

torch = pytest.importorskip("torch", reason="torch is not installed: pip install '.[train]'")
transformers = pytest.importorskip("transformers", reason="transformers is not installed: pip install '.[train]'")

from tiny_whisper import DIM, save_encoder, sizes  # noqa: E402

from dtalker_model.errors import AudioError, ModelError  # noqa: E402
from training.corpus.variants import log_mel  # noqa: E402
from training.hearing import whisper  # noqa: E402
from training.hearing.whisper import LAYERS, WhisperHearing, whisper_source  # noqa: E402

ROW = len(LAYERS) * DIM + 128
SHORT_FRAMES, SHORT_CONTEXT = 60, 10
"""Windows of the tests that need several."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_encoder(tmp_path_factory.mktemp("whisper"))


@pytest.fixture(scope="module")
def hears(folder: Path) -> WhisperHearing:
    return WhisperHearing(str(folder), "cpu")


@pytest.fixture
def short_windows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(whisper, "WINDOW_FRAMES", SHORT_FRAMES)
    monkeypatch.setattr(whisper, "CONTEXT_FRAMES", SHORT_CONTEXT)


def noise(samples: int, level: float = 0.05) -> np.ndarray:
    return (level * np.random.default_rng(0).standard_normal(samples)).astype(np.float32)


def moved(hears: WhisperHearing, before: np.ndarray, after: np.ndarray) -> np.ndarray:
    """By how much the layers of each row differ between two clips."""
    a, b = (hears(audio)[:, :-128].astype(np.float32) for audio in (before, after))
    return np.abs(a - b).mean(axis=1)


@pytest.mark.parametrize("samples", [0, 1, 319, 320, 321, 16_000, 16_001])
def test_one_row_per_frame(hears: WhisperHearing, samples: int) -> None:
    rows = hears(noise(samples))
    assert rows.shape == (-(-samples // 320), ROW) and rows.dtype == np.float16
    assert (hears.dim, hears.layer_dims) == (ROW, (DIM, DIM)) and np.isfinite(rows).all()


@torch.no_grad()
def test_row_k_is_centred_on_sample_320_k(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of convolutions that hear before and after alike, and without attention."""
    hears = WhisperHearing(str(folder), "cpu")
    for convolution in (hears._encoder.conv1, hears._encoder.conv2):
        convolution.weight.add_(convolution.weight.flip(-1))
    monkeypatch.setattr(hears, "_layers", lambda x: [x] * len(LAYERS))

    def heard(click: int, row: int = 20) -> np.ndarray:
        audio = np.zeros(12_800, np.float32)
        audio[320 * row + click] = 0.5
        return hears(audio)[row, :-128].astype(np.float32)

    for distance in (40, 70, 150):
        np.testing.assert_allclose(heard(-distance), heard(distance), atol=2e-3)
        assert np.abs(heard(160 - distance) - heard(160 + distance)).max() > 1e-2, "the middle of the frame is not it"


def test_log_mel_stands_beside_the_layers_and_knows_the_level(hears: WhisperHearing) -> None:
    quiet, loud = noise(9600, 0.01), noise(9600, 0.1)
    np.testing.assert_array_equal(hears(loud)[:, -128:], log_mel(loud))
    louder = hears(loud)[:, -128:].astype(np.float32) - hears(quiet)[:, -128:]
    assert np.median(louder) == pytest.approx(2 * np.log(10), abs=0.01)


def test_layers_are_the_models_own_on_thirty_seconds(hears: WhisperHearing, monkeypatch: pytest.MonkeyPatch) -> None:
    """A clip of 29 s and its second of silence are the window that transformers itself insists on."""
    monkeypatch.setattr(whisper, "WINDOW_FRAMES", 1450)
    audio = noise(29 * 16_000)
    extractor = transformers.WhisperFeatureExtractor(80)
    mel = extractor(audio, sampling_rate=16_000, return_tensors="pt").input_features
    with torch.no_grad():
        expected = hears._encoder(mel, output_hidden_states=True).hidden_states
    rows = torch.from_numpy(hears(audio)[:, :-128]).float()
    layers = torch.cat([expected[k][0, :1450] for k in LAYERS], dim=-1)
    torch.testing.assert_close(rows, layers, atol=5e-3, rtol=2e-3)


@pytest.mark.parametrize("frame", [1, 20, 44])
def test_a_burst_moves_the_row_of_its_frame_most(hears: WhisperHearing, frame: int) -> None:
    """A loud end sets the level of both clips alike."""
    audio = noise(50 * 320, 0.003)
    audio[-800:] = 0.9 * np.sin(0.3 * np.arange(800))
    burst = audio.copy()
    burst[frame * 320 - 30 : frame * 320 + 30] += 0.3 * np.sin(0.4 * np.arange(60)).astype(np.float32)
    assert moved(hears, audio, burst)[:46].argmax() == frame


@pytest.mark.usefixtures("short_windows")
@pytest.mark.parametrize("frames", [59, 60, 61, 100, 101, 163])
def test_the_rows_of_windows_are_joined_in_their_order(
    hears: WhisperHearing, frames: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each window is heard as the samples at its frames; these count the frames of the clip."""
    heard: list[int] = []

    def samples_at_frames(audio: np.ndarray) -> np.ndarray:
        heard.append(len(audio) // 320)
        return np.repeat(audio[::320, None], 2 * DIM, axis=1)

    monkeypatch.setattr(hears, "_window", samples_at_frames)
    rows = hears(np.repeat(np.arange(frames, dtype=np.float32) / 512, 320))
    np.testing.assert_array_equal(rows[:, 0], np.arange(frames) / 512)
    assert set(heard) == {min(frames, SHORT_FRAMES) + 50}, "every window, and a second behind it"


@pytest.mark.usefixtures("short_windows")
def test_what_a_window_does_not_hear_does_not_reach_its_rows(hears: WhisperHearing) -> None:
    audio = noise(320 * 150)
    silenced = audio.copy()
    silenced[320 * (SHORT_FRAMES + 50) + 1 :] = 0
    changed = moved(hears, audio, silenced)
    assert not changed[: SHORT_FRAMES - SHORT_CONTEXT].any() and changed[SHORT_FRAMES - SHORT_CONTEXT :].all()


def test_whisper_is_frozen(hears: WhisperHearing) -> None:
    assert not any(p.requires_grad for p in hears._encoder.parameters()) and not hears._encoder.training


@pytest.mark.parametrize(
    "audio",
    [np.zeros((2, 320), np.float32), np.zeros(320, np.int16), np.array([0, np.nan], np.float32)],
    ids=["stereo", "int16", "nan"],
)
def test_audio_that_is_refused(hears: WhisperHearing, audio: np.ndarray) -> None:
    with pytest.raises(AudioError, match="finite float32 at 16 kHz"):
        hears(audio)


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout without a Whisper beside it, and no variable that names one."""
    monkeypatch.delenv("DTALKER_WHISPER", raising=False)
    monkeypatch.setattr(whisper, "__file__", str(tmp_path / "checkout" / "training" / "hearing" / "whisper.py"))
    return tmp_path / "checkout"


def test_where_the_model_is_looked_for(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ModelError, match="no Whisper encoder beside the checkout: give a folder"):
        whisper_source()
    beside = checkout.parent / "shared" / "hearing" / "whisper-base-encoder"
    beside.mkdir(parents=True)
    assert whisper_source() == str(beside)
    monkeypatch.setenv("DTALKER_WHISPER", "openai/whisper-tiny")
    assert whisper_source() == "openai/whisper-tiny" and whisper_source("mine") == "mine"


ADVICE = r"give a folder .* or a hub id such as openai/whisper-base \(--config, teacher\.whisper, or DTALKER_WHISPER\)"


@pytest.mark.usefixtures("checkout")
def test_no_model_at_all_says_how_to_get_one() -> None:
    with pytest.raises(ModelError, match=ADVICE):
        WhisperHearing()


def refused(source: Path | str) -> str:
    """What is said of a model that cannot be loaded."""
    with pytest.raises(ModelError, match=ADVICE) as caught:
        WhisperHearing(str(source), "cpu")
    return str(caught.value)


def test_a_folder_that_is_not_there_says_how_to_get_one(tmp_path: Path) -> None:
    for source in (tmp_path / "nowhere", "./nowhere/whisper"):
        assert refused(source).startswith(f"{source} cannot be loaded as a Whisper encoder")


def test_a_folder_without_a_model(tmp_path: Path) -> None:
    assert str(tmp_path) in refused(tmp_path)


def test_pickled_weights_are_not_read(folder: Path, tmp_path: Path) -> None:
    copied = Path(shutil.copytree(folder, tmp_path / "pickled"))
    (copied / "model.safetensors").rename(copied / "pytorch_model.bin")
    assert "safetensors" in refused(copied)


def test_a_model_of_too_few_layers(tmp_path: Path) -> None:
    assert "3 layers is too small" in refused(save_encoder(tmp_path, layers=3))


def test_without_transformers_it_says_what_to_install(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "transformers.models.whisper.modeling_whisper", None)
    with pytest.raises(ModelError, match="pip install transformers"):
        WhisperHearing(str(folder), "cpu")


def test_a_damaged_file(folder: Path, tmp_path: Path) -> None:
    copied = Path(shutil.copytree(folder, tmp_path / "cut"))
    path = copied / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-1000])
    assert "incomplete" in refused(copied)


def test_missing_weights(folder: Path, tmp_path: Path) -> None:
    from safetensors.torch import load_file, save_file

    copied = Path(shutil.copytree(folder, tmp_path / "missing"))
    weights = load_file(copied / "model.safetensors")
    del weights["layers.1.fc1.weight"]
    save_file(weights, copied / "model.safetensors", {"format": "pt"})
    assert "1 weights are missing" in refused(copied)


@pytest.mark.parametrize("kind", ["WhisperModel", "WhisperForConditionalGeneration"])
def test_of_a_whole_whisper_the_encoder_is_taken(kind: str, tmp_path: Path) -> None:
    """As openai/whisper-base is on the hub."""
    torch.manual_seed(0)
    whole = getattr(transformers, kind)(sizes())
    whole.save_pretrained(tmp_path)
    expected = whole.get_encoder().state_dict()
    torch.testing.assert_close(WhisperHearing(str(tmp_path), "cpu")._encoder.state_dict(), expected)


def test_a_hub_out_of_reach_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    def unreachable(*_: object, **__: object) -> None:
        raise OSError("We couldn't connect to the hub.\nCheck your connection.")

    monkeypatch.setattr(transformers.WhisperConfig, "get_config_dict", unreachable)
    assert "\n" not in refused("openai/whisper-base")


REAL = ROOT.parent / "shared" / "hearing" / "whisper-base-encoder"


@pytest.mark.skipif(not Path(os.environ.get("DTALKER_WHISPER", REAL)).is_dir(), reason=f"no encoder at {REAL}")
def test_windows_as_long_as_the_clip_hear_what_thirty_seconds_hear(
    demo_wav: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The real encoder: cosine .99 at layer 4, by which windows of 30 s are not needed."""
    hears = WhisperHearing(os.environ.get("DTALKER_WHISPER", str(REAL)), "cpu")
    audio = soundfile.read(demo_wav, dtype="float32")[0][:64_000]
    short = hears(audio)[:, :-128].astype(np.float32)
    monkeypatch.setattr(whisper, "WINDOW_FRAMES", 1450)
    whole = hears(np.pad(audio, (0, 29 * 16_000 - len(audio))))[: len(short), :-128].astype(np.float32)
    assert os.environ.get("DTALKER_WHISPER") or hears.model == whisper.BASE, "kept under the name of the ears alone"
    dim = hears.layer_dims[0]
    for layer in (slice(dim), slice(dim, None)):
        a, b = short[:, layer], whole[:, layer]
        cosine = (a * b).sum(axis=1) / np.linalg.norm(a, axis=1) / np.linalg.norm(b, axis=1)
        assert np.median(cosine) > 0.98

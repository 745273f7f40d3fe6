"""The large audio encoder: frozen HuBERT features, one row per frame, from transformers and from torchaudio."""

from __future__ import annotations

import importlib
import json
import shutil
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch is not installed: pip install '.[train]'")
transformers = pytest.importorskip("transformers", reason="transformers is not installed: pip install '.[train]'")

from torch import Tensor, nn  # noqa: E402

from dtalker_model.errors import AudioError, ModelError  # noqa: E402
from dtalker_model.networks.hubert_cnn import CONV_KERNELS, CONV_STRIDES, HubertCnn, HubertCnnConfig  # noqa: E402
from training.hearing.hubert import (  # noqa: E402
    CONTEXT_FRAMES,
    WINDOW_FRAMES,
    HubertEncoder,
    HubertHearing,
    load_feature_extractor,
    normalized,
)
from training.hearing.hubert_loaders import load_hubert  # noqa: E402

DIM, CHANNELS = 32, 16
TINY: dict[str, Any] = {
    "hidden_size": DIM, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 48,
    "conv_dim": (CHANNELS,) * 7, "num_conv_pos_embeddings": 16, "num_conv_pos_embedding_groups": 2,
}  # fmt: skip


def save(folder: Path, do_normalize: bool = True, sampling_rate: int = 16_000, **sizes: Any) -> Path:
    """A tiny HuBERT with random weights, saved as transformers saves it."""
    torch.manual_seed(0)
    model = transformers.HubertModel(transformers.HubertConfig(**{**TINY, **sizes}))
    model.save_pretrained(folder)
    transformers.Wav2Vec2FeatureExtractor(do_normalize=do_normalize, sampling_rate=sampling_rate).save_pretrained(
        folder
    )
    return folder


@pytest.fixture(scope="module")
def raw(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A HuBERT that wants audio as it is."""
    return save(tmp_path_factory.mktemp("raw"), do_normalize=False)


@pytest.fixture(scope="module")
def hearing(tmp_path_factory: pytest.TempPathFactory) -> HubertHearing:
    """A HuBERT that wants normalised audio."""
    return HubertHearing(str(save(tmp_path_factory.mktemp("normalized"))), "cpu")


@pytest.fixture
def copied(raw: Path, tmp_path: Path) -> Path:
    """A folder that a test may damage."""
    return Path(shutil.copytree(raw, tmp_path / "hubert"))


def noise(samples: int, level: float = 0.05) -> np.ndarray:
    return (level * np.random.default_rng(0).standard_normal(samples)).astype(np.float32)


@pytest.mark.parametrize("samples", [0, 1, 319, 320, 321, 16_000, 16_001])
def test_one_row_per_frame(hearing: HubertHearing, samples: int) -> None:
    rows = hearing(noise(samples))
    assert rows.shape == (-(-samples // 320), DIM) and rows.dtype == np.float16
    assert np.isfinite(rows).all()


@pytest.mark.parametrize("normalize", [True, False])
def test_rows_are_the_models_own_on_padded_audio(hearing: HubertHearing, raw: Path, normalize: bool) -> None:
    ours = hearing if normalize else HubertHearing(str(raw), "cpu")
    audio = noise(3 * 320 + 100) + 0.3
    level = (audio - audio.mean()) / audio.std() if normalize else audio
    padded = torch.from_numpy(np.pad(level, (40, 220 + 40)))[None]
    with torch.no_grad():
        expected = ours.network.network(padded).last_hidden_state[0]
    torch.testing.assert_close(torch.from_numpy(ours(audio)).float(), expected, atol=2e-3, rtol=0)


@pytest.mark.parametrize("frame", [0, 13, 49])
def test_a_burst_moves_the_row_of_its_frame_most(hearing: HubertHearing, frame: int) -> None:
    audio = noise(50 * 320)
    burst = audio.copy()
    burst[frame * 320 + 100 : frame * 320 + 220] += 0.5 * np.sin(0.4 * np.arange(120)).astype(np.float32)
    moved = np.abs(hearing(burst).astype(np.float32) - hearing(audio)).mean(axis=1)
    assert moved.argmax() == frame


def test_level_does_not_matter_to_a_model_of_normalised_audio(hearing: HubertHearing) -> None:
    np.testing.assert_allclose(hearing(noise(6400, 0.2)), hearing(noise(6400, 0.01)), atol=5e-3)
    assert (normalized(np.zeros(10, np.float32)) == 0).all()


def test_what_a_window_does_not_hear_does_not_reach_its_rows(raw: Path) -> None:
    hears, audio = HubertHearing(str(raw), "cpu"), noise(320 * 900)
    rows = hears(audio)
    audio[320 * 751 :] = 0
    np.testing.assert_array_equal(
        hears(audio)[: WINDOW_FRAMES - CONTEXT_FRAMES], rows[: WINDOW_FRAMES - CONTEXT_FRAMES]
    )
    assert np.abs(hears(audio)[700:].astype(np.float32) - rows[700:]).max() > 0.1


def test_hubert_is_frozen(hearing: HubertHearing) -> None:
    network = hearing.network.train()
    assert not any(p.requires_grad for p in network.parameters())
    assert not any(m.training for m in network.modules())


def test_the_projection_learns_and_gives_unit_variance() -> None:
    torch.manual_seed(0)
    encoder = HubertEncoder(DIM, 24)
    heard = 3 * torch.randn(2, 7, DIM) + 1
    feature = encoder(heard)
    assert encoder.hearing == "hubert" and feature.shape == (2, 7, 24)
    torch.testing.assert_close(feature.var(-1, correction=0), torch.ones(2, 7), atol=1e-3, rtol=0)
    (feature * torch.randn(24)).sum().backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in encoder.parameters())


@pytest.mark.parametrize(
    "audio",
    [np.zeros((2, 320), np.float32), np.zeros(320, np.int16), np.array([0, np.nan], np.float32)],
    ids=["stereo", "int16", "nan"],
)
def test_audio_that_is_refused(hearing: HubertHearing, audio: np.ndarray) -> None:
    with pytest.raises(AudioError):
        hearing(audio)


def test_a_folder_that_is_not_there() -> None:
    with pytest.raises(ModelError, match="no such folder"):
        load_hubert("./nowhere/hubert")


def test_a_folder_without_a_model(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"no config\.json"):
        load_hubert(str(tmp_path))


def test_another_kind_of_model(copied: Path) -> None:
    config = json.loads((copied / "config.json").read_text())
    (copied / "config.json").write_text(json.dumps({**config, "model_type": "wav2vec2"}))
    with pytest.raises(ModelError, match="type 'wav2vec2', not 'hubert'"):
        load_hubert(str(copied))


def test_pickled_weights_are_refused(copied: Path) -> None:
    (copied / "model.safetensors").rename(copied / "pytorch_model.bin")
    with pytest.raises(ModelError, match="Pickled weights are not read"):
        load_hubert(str(copied))


def test_a_truncated_file(copied: Path) -> None:
    path = copied / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-1000])
    with pytest.raises(ModelError, match="damaged or incomplete"):
        load_hubert(str(copied))


def test_missing_weights(copied: Path) -> None:
    from safetensors.torch import load_file, save_file

    weights = load_file(copied / "model.safetensors")
    del weights["encoder.layers.1.final_layer_norm.weight"]
    save_file(weights, copied / "model.safetensors", {"format": "pt"})
    with pytest.raises(ModelError, match="1 weights are missing"):
        load_hubert(str(copied))


def test_another_sample_rate(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="hears 8000 Hz"):
        load_hubert(str(save(tmp_path, sampling_rate=8000)))


def test_another_frame_rate(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="one feature per 20 ms"):
        load_hubert(str(save(tmp_path, conv_stride=(5, 2, 2, 2, 2, 2, 1))))


def test_normalised_where_nothing_is_said(copied: Path) -> None:
    for path in copied.glob("*processor_config.json"):
        path.unlink()
    assert load_hubert(str(copied)).normalize


def test_a_hub_out_of_reach(monkeypatch: pytest.MonkeyPatch) -> None:
    def unreachable(*_: object, **__: object) -> None:
        raise OSError("We couldn't connect to the hub.\nCheck your connection.")

    monkeypatch.setattr(transformers.HubertConfig, "get_config_dict", unreachable)
    with pytest.raises(ModelError, match=r"couldn't connect.*hf download someone/hubert --local-dir") as caught:
        load_hubert("someone/hubert")
    assert "\n" not in str(caught.value)


def test_the_small_encoder_starts_from_its_convolutions(raw: Path) -> None:
    encoder = HubertCnn(HubertCnnConfig(CHANNELS, 8, audio_dim=4))
    load_feature_extractor(encoder, str(raw))
    theirs, audio = load_hubert(str(raw)).network, torch.from_numpy(noise(4000))[None]
    with torch.no_grad():
        expected = theirs.get_submodule("feature_extractor")(audio).transpose(1, 2)
        torch.testing.assert_close(encoder.feature_extractor(audio), expected)
    norm = theirs.get_submodule("feature_projection.layer_norm")
    torch.testing.assert_close(encoder.norm.state_dict(), norm.state_dict())
    assert all(p.requires_grad for p in encoder.parameters())


def test_convolutions_of_another_size_do_not_fit(raw: Path) -> None:
    with pytest.raises(ModelError, match="conv_dim 512"):
        load_feature_extractor(HubertCnn(HubertCnnConfig(8, 8)), str(raw))


def real_torchaudio() -> ModuleType | str:
    """torchaudio, or why it does not import."""
    try:
        return importlib.import_module("torchaudio")
    except (ImportError, OSError) as error:
        return f"torchaudio does not import: {error}"


class FakeWav2Vec2(nn.Module):
    """What the loader needs of torchaudio's Wav2Vec2Model: its two attributes, and what it returns."""

    def __init__(self) -> None:
        super().__init__()
        ins = (1, *[4] * 6)
        convolutions = (nn.Conv1d(i, 4, k, s) for i, k, s in zip(ins, CONV_KERNELS, CONV_STRIDES))
        self.feature_extractor = nn.Sequential(*convolutions)
        self.aux: nn.Module | None = nn.Linear(4, 29)

    def forward(self, audio: Tensor) -> tuple[Tensor, None]:
        x = self.feature_extractor(audio[:, None]).transpose(1, 2)
        return (x if self.aux is None else self.aux(x)), None


class FakeNormalizing(nn.Module):
    """torchaudio's wrapper of a model that wants normalised audio."""

    def __init__(self) -> None:
        super().__init__()
        self.model = FakeWav2Vec2()


@pytest.fixture
def fake_pipelines(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    if isinstance(real_torchaudio(), ModuleType):
        pytest.skip("torchaudio is installed: its own classes are tested instead of stand-ins")
    pipelines = SimpleNamespace(
        HUBERT_BASE=SimpleNamespace(get_model=FakeWav2Vec2),
        HUBERT_LARGE=SimpleNamespace(get_model=FakeNormalizing),
    )
    monkeypatch.setitem(sys.modules, "torchaudio.pipelines", pipelines)
    return pipelines


@pytest.mark.parametrize(("name", "normalize"), [("HUBERT_BASE", False), ("HUBERT_LARGE", True)])
def test_torchaudio_bundle(fake_pipelines: SimpleNamespace, name: str, normalize: bool) -> None:
    hears = HubertHearing(f"torchaudio:{name}", "cpu")
    assert (hears.network.normalize, hears.dim) == (normalize, 4), "the letters' layer must be off"
    assert hears(noise(16_001)).shape == (51, 4)


def test_torchaudio_errors(fake_pipelines: SimpleNamespace) -> None:
    def no_network() -> None:
        raise OSError("Name or service not known")

    fake_pipelines.HUBERT_BASE.get_model = no_network
    with pytest.raises(ModelError, match="It has: HUBERT_BASE, HUBERT_LARGE"):
        load_hubert("torchaudio:HUBERT_HUGE")
    with pytest.raises(ModelError, match="cannot be fetched"):
        load_hubert("torchaudio:HUBERT_BASE")


def test_torchaudio_absent_says_what_to_install() -> None:
    if isinstance(real_torchaudio(), ModuleType):
        pytest.skip("torchaudio is installed")
    with pytest.raises(ModelError, match="Install the torchaudio of your torch's own version"):
        load_hubert("torchaudio:HUBERT_BASE")


@pytest.mark.parametrize("normalize", [False, True])
def test_real_torchaudio(monkeypatch: pytest.MonkeyPatch, normalize: bool) -> None:
    torchaudio = real_torchaudio()
    if isinstance(torchaudio, str):
        pytest.skip(torchaudio)
    Wav2Vec2Bundle = importlib.import_module("torchaudio.pipelines._wav2vec2.impl").Wav2Vec2Bundle

    sizes = {
        "extractor_mode": "group_norm", "extractor_conv_bias": False, "encoder_embed_dim": DIM,
        "extractor_conv_layer_config": [(CHANNELS, k, s) for k, s in zip(CONV_KERNELS, CONV_STRIDES)],
        "encoder_projection_dropout": 0.1, "encoder_pos_conv_kernel": 16, "encoder_pos_conv_groups": 2,
        "encoder_num_layers": 2, "encoder_num_heads": 2, "encoder_attention_dropout": 0.1,
        "encoder_ff_interm_features": 48, "encoder_ff_interm_dropout": 0.1, "encoder_dropout": 0.1,
        "encoder_layer_norm_first": False, "encoder_layer_drop": 0.1, "aux_num_out": 29,
    }  # fmt: skip
    weights = torchaudio.models.wav2vec2_model(**sizes).state_dict()
    bundle = Wav2Vec2Bundle("", sizes, 16_000, normalize, "Wav2Vec2")
    monkeypatch.setattr(Wav2Vec2Bundle, "_get_state_dict", lambda *_: weights)
    monkeypatch.setattr(torchaudio.pipelines, "HUBERT_BASE", bundle)
    hears = HubertHearing("torchaudio:HUBERT_BASE", "cpu")
    assert (hears.network.normalize, hears.dim) == (normalize, DIM)
    assert hears(noise(16_001)).shape == (51, DIM)
    encoder = HubertCnn(HubertCnnConfig(CHANNELS, 8))
    load_feature_extractor(encoder, "torchaudio:HUBERT_BASE")
    expected = weights["feature_extractor.conv_layers.3.conv.weight"]
    torch.testing.assert_close(encoder.feature_extractor.state_dict()["conv_layers.3.conv.weight"], expected)

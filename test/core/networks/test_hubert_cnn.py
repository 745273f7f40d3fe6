"""The paper's small encoder: rows where they belong, offline, exported with any batch and length."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch is not installed: pip install '.[train]'")

from torch import Tensor, nn  # noqa: E402

from dtalker_model.networks.hubert_cnn import EDGE_SAMPLES, RECEPTIVE_SAMPLES, HubertCnn, HubertCnnConfig  # noqa: E402

TINY = HubertCnnConfig(conv_dim=8, lstm_dim=6, lstm_layers=2, audio_dim=5)


@pytest.fixture
def encoder() -> HubertCnn:
    torch.manual_seed(0)
    return HubertCnn(TINY).eval()


def speech(batch: int, frames: int) -> Tensor:
    torch.manual_seed(1)
    return 0.05 * torch.randn(batch, frames, 320)


class Encode(nn.Module):
    """The encoder as a graph of one input and one output."""

    def __init__(self, encoder: HubertCnn) -> None:
        super().__init__()
        self.encoder = encoder

    def forward(self, waveform: Tensor) -> Tensor:
        return self.encoder.encode(waveform)


@pytest.mark.parametrize(("batch", "frames"), [(1, 1), (2, 2), (3, 51)])
@torch.no_grad()
def test_one_row_per_frame_and_no_state(encoder: HubertCnn, batch: int, frames: int) -> None:
    feature, state = encoder(speech(batch, frames), encoder.initial_state(batch))
    assert (encoder.hearing, state) == ("waveform", {})
    assert feature.shape == (batch, frames, TINY.audio_dim)
    torch.testing.assert_close(feature.mean(-1), torch.zeros(batch, frames), atol=1e-5, rtol=0)


@torch.no_grad()
def test_each_row_of_the_convolutions_is_centred_on_its_frame(encoder: HubertCnn) -> None:
    """Without the norm over time, exactly the samples 320 k - 40 .. 320 k + 360 reach row k."""
    assert (RECEPTIVE_SAMPLES, EDGE_SAMPLES) == (400, 40)
    layers = encoder.feature_extractor
    layers.get_submodule("conv_layers.0").layer_norm = nn.Identity()
    audio = nn.functional.pad(speech(1, 9).flatten(1), (EDGE_SAMPLES, EDGE_SAMPLES))
    before = layers(audio)
    assert before.shape == (1, 9, TINY.conv_dim)
    for sample in (0, 39, 40, 279, 280, 1600, 1640, 1879, 1880, 9 * 320 - 1):
        changed = audio.clone()
        changed[:, EDGE_SAMPLES + sample] += 1
        rows = (layers(changed) - before).abs().sum(-1)[0].nonzero().flatten().tolist()
        assert rows == [k for k in range(9) if 320 * k - 40 <= sample < 320 * k + 360]


@torch.no_grad()
def test_it_hears_the_future(encoder: HubertCnn) -> None:
    """The meaning of offline: this encoder cannot stream, and must not be taken for one that does."""
    x = speech(1, 20)
    later = x.clone()
    later[:, 19] *= 3
    assert (encoder.encode(later) - encoder.encode(x))[:, 0].abs().max() > 1e-5


@torch.no_grad()
def test_clips_of_a_batch_do_not_mix(encoder: HubertCnn) -> None:
    x = speech(3, 12)
    torch.testing.assert_close(encoder.encode(x)[1:2], encoder.encode(x[1:2]), atol=1e-5, rtol=0)


def test_everything_learns(encoder: HubertCnn) -> None:
    (encoder.train().encode(speech(2, 8)) * torch.randn(TINY.audio_dim)).sum().backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in encoder.parameters())


def test_sizes() -> None:
    """The paper's whole student is 45 MB; a small one leaves room for a decoder in 5 MB."""

    def megabytes(config: HubertCnnConfig) -> float:
        return 4e-6 * sum(p.numel() for p in HubertCnn(config).parameters())

    assert 30 < megabytes(HubertCnnConfig()) < 40
    assert megabytes(HubertCnnConfig(conv_dim=128, lstm_dim=128)) < 2.5
    assert HubertCnnConfig(**TINY.to_dict()) == TINY


def test_onnx_computes_the_same_for_any_batch_and_length(encoder: HubertCnn, tmp_path: Path) -> None:
    runtime = pytest.importorskip("onnxruntime", reason="onnxruntime is not installed")
    pytest.importorskip("onnx", reason="onnx is not installed: pip install '.[train]'")
    path, axes = tmp_path / "encoder.onnx", {0: "B", 1: "T"}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the TorchScript exporter is deprecated, but the only one without onnxscript
        torch.onnx.export(
            Encode(encoder).eval(), (speech(1, 5),), str(path), input_names=["waveform"], output_names=["audio"],
            dynamic_axes={"waveform": axes, "audio": axes}, opset_version=17, dynamo=False,
        )  # fmt: skip
    session = runtime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    for batch, frames in ((1, 3), (3, 77)):
        x = speech(batch, frames)
        with torch.no_grad():
            expected = encoder.encode(x).numpy()
        np.testing.assert_allclose(session.run(None, {"waveform": x.numpy()})[0], expected, atol=1e-4)

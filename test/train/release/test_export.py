"""The exported student: one file runs every number of denoising steps, streaming, as torch does."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch is not installed: pip install '.[train]'")

from torch import Tensor, nn  # noqa: E402

from dtalker_model.errors import ModelError  # noqa: E402
from dtalker_model.networks.hubert_cnn import HubertCnnConfig  # noqa: E402
from dtalker_model.networks.network import Student  # noqa: E402
from dtalker_model.networks.noise import LEAST_FRAMES, MOST_FRAMES, TAPS, low_pass  # noqa: E402
from dtalker_model.networks.student_config import StudentConfig  # noqa: E402
from dtalker_model.networks.torch_step import TorchStep  # noqa: E402
from dtalker_model.speaking.runtime import DECODER, OnnxStep, State, Step  # noqa: E402
from training.release import export  # noqa: E402
from training.release.export import ExportError, student_inputs, write_graph  # noqa: E402

T = 200
TOLERANCE = 1e-4
Plan = list[tuple[int, int]]
"""Frames and steps of one call after the other."""
ARTICULATIONS = (0.5, 1.0, 2.0)


@pytest.fixture(scope="module")
def student() -> Student:
    """Random weights, large enough for noise and steps to matter."""
    torch.manual_seed(0)
    student = Student(StudentConfig(encoder_dim=24, encoder_hidden=20, decoder_dim=16, default_steps=2))
    with torch.no_grad():
        for parameter in student.parameters():
            parameter.mul_(2)
    student.colour.taps.copy_(low_pass(torch.linspace(LEAST_FRAMES, MOST_FRAMES, 52)))
    return student.eval()


@pytest.fixture(scope="module")
def onnx(student: Student, tmp_path_factory: pytest.TempPathFactory) -> OnnxStep:
    path = tmp_path_factory.mktemp("export") / "s.onnx"
    write_graph(student, student_inputs(student), ["weights"], path)
    return OnnxStep(path, embedding_dim=64, steps=2)


def run(step: Step, batch: int, plan: Plan, articulation: float = 1.0) -> tuple[np.ndarray, State]:
    """Weights (batch, frames of the plan, 52) and the last state, for the same random input every time."""
    draw = np.random.default_rng(0)
    x = [draw.standard_normal((batch, T, dim), np.float32) for dim in (128, 52, 64, 64)]
    state, parts, begin = step.initial_state(batch), [], 0
    for frames, steps in plan:
        features, noise, identity, emotion = (a[:, begin : begin + frames] for a in x)
        weights, state = step(features, noise, identity, emotion, state, steps, articulation)
        parts.append(weights)
        begin += frames
    return np.concatenate(parts, axis=1), state


@pytest.mark.parametrize("articulation", ARTICULATIONS)
@pytest.mark.parametrize("batch", [1, 16])
@pytest.mark.parametrize("steps", [1, 2, 4])
def test_streaming_onnx_is_offline_torch(
    student: Student, onnx: OnnxStep, steps: int, batch: int, articulation: float
) -> None:
    expected, last = run(TorchStep(student), batch, [(T, steps)], articulation)
    streamed, state = run(onnx, batch, [(1, steps), (2, steps), (60, steps), (137, steps)], articulation)
    np.testing.assert_allclose(streamed, expected, atol=TOLERANCE)
    assert state.keys() == last.keys() and state["noise"].shape == (batch, TAPS - 1, 52)
    np.testing.assert_array_equal(state["noise"], last["noise"])
    assert state[DECODER].shape == (batch, steps, 3, 16)
    np.testing.assert_allclose(state[DECODER], last[DECODER], atol=TOLERANCE)


def test_steps_differ_and_zero_means_the_models_own_number(student: Student, onnx: OnnxStep) -> None:
    one, two, four, own = (run(onnx, 1, [(T, steps)])[0] for steps in (1, 2, 4, 0))
    np.testing.assert_array_equal(own, two)
    np.testing.assert_array_equal(run(TorchStep(student), 1, [(T, 0)])[0], run(TorchStep(student), 1, [(T, 2)])[0])
    assert min(np.abs(one - two).max(), np.abs(two - four).max()) > 0.01


def test_switching_steps_on_the_way_is_the_same_for_any_chunks(student: Student, onnx: OnnxStep) -> None:
    plan = [(50, 2), (50, 4), (50, 1), (50, 4)]
    expected, _ = run(TorchStep(student), 2, plan)
    chunks = [(part, steps) for frames, steps in plan for part in (1, 7, frames - 8)]
    np.testing.assert_allclose(run(onnx, 2, chunks)[0], expected, atol=TOLERANCE)
    np.testing.assert_array_equal(run(onnx, 2, chunks)[0], run(onnx, 2, chunks)[0])


def test_articulation_is_an_input_of_the_graph_and_one_is_as_learned(student: Student, onnx: OnnxStep) -> None:
    half, one, two = (run(onnx, 1, [(T, 2)], articulation)[0] for articulation in ARTICULATIONS)
    assert min(np.abs(half - one).max(), np.abs(two - one).max()) > 0.01
    np.testing.assert_array_equal(run(onnx, 1, [(T, 2)])[0], one)
    np.testing.assert_array_equal(run(TorchStep(student), 1, [(T, 2)])[0], run(TorchStep(student), 1, [(T, 2)], 1.0)[0])


def test_articulation_may_change_while_it_talks(student: Student, onnx: OnnxStep) -> None:
    def led(step: Step) -> np.ndarray:
        draw, state, parts = np.random.default_rng(0), step.initial_state(2), []
        for articulation in (1.0, 2.0, 0.5):
            x = [draw.standard_normal((2, 20, dim), np.float32) for dim in (128, 52, 64, 64)]
            weights, state = step(x[0], x[1], x[2], x[3], state, 2, articulation)
            parts.append(weights)
        return np.concatenate(parts, axis=1)

    np.testing.assert_allclose(led(onnx), led(TorchStep(student)), atol=TOLERANCE)


def test_the_offline_student_is_exported_too(tmp_path: Path) -> None:
    hubert_cnn = HubertCnnConfig(conv_dim=8, lstm_dim=8)
    config = StudentConfig("hubert_cnn", hubert_cnn, feature_dim=320, encoder_dim=24, decoder_dim=16)
    student, path = Student(config), tmp_path / "offline.onnx"
    write_graph(student, student_inputs(student), ["weights"], path)
    assert export.parity(student, path, student_inputs(student), 2, 4) < TOLERANCE
    with pytest.raises(ModelError, match="not a dtalker model of this kind"):
        OnnxStep(path, embedding_dim=64, steps=2)


class Before(nn.Module):
    """The form of the graphs of before articulation was learned."""

    def initial_state(self, batch: int) -> dict[str, Tensor]:
        return {DECODER: torch.zeros(batch, 2, 3, 4)}

    def forward(
        self, features: Tensor, noise: Tensor, identity: Tensor, emotion: Tensor, state: dict[str, Tensor]
    ) -> tuple[Tensor, dict[str, Tensor]]:
        voice = identity.sum(dim=-1, keepdim=True) + emotion.sum(dim=-1, keepdim=True)
        return noise * features.mean(dim=-1, keepdim=True) + voice, {DECODER: state[DECODER] + 1}


def test_a_model_of_before_articulation_goes_on_working(tmp_path: Path) -> None:
    path, inputs = tmp_path / "before.onnx", {"features": 128, "noise": 52, "identity": 64, "emotion": 64}
    export._export(Before().eval(), inputs, ["weights"], path)  # type: ignore[arg-type]
    step = OnnxStep(path, embedding_dim=64, steps=2)
    weights, state = run(step, 2, [(T, 2)])
    np.testing.assert_array_equal(run(step, 2, [(T, 2)], articulation=2.0)[0], weights)
    assert state[DECODER].shape == (2, 2, 3, 4) and (state[DECODER] == 1).all()
    with pytest.raises(ModelError, match="not a dtalker model of this kind"):
        OnnxStep(path, embedding_dim=32, steps=2)


def test_a_wrong_graph_is_not_written(student: Student, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(export, "parity", lambda *_: 0.01)
    with pytest.raises(ExportError, match=r"differs from torch by 0\.01"):
        write_graph(student, student_inputs(student), ["weights"], tmp_path / "s.onnx")
    assert not (tmp_path / "s.onnx").exists()

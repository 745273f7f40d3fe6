"""The student's layers stream exactly: causal, the same for any chunking, fresh after reset."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch", reason="torch is not installed: pip install '.[train]'")

from torch import Tensor  # noqa: E402

from dtalker_model.networks.audio_encoder import AudioEncoder  # noqa: E402
from dtalker_model.networks.network import Student  # noqa: E402
from dtalker_model.networks.noise import LEAST_FRAMES, MOST_FRAMES, TAPS, low_pass  # noqa: E402
from dtalker_model.networks.student_config import StudentConfig  # noqa: E402

T = 130
CUTS = (1, 2, 9, 10, 33, 129)


@pytest.fixture(params=[1, 2, 4], ids=lambda steps: f"{steps} steps")
def student(request: pytest.FixtureRequest) -> Student:
    torch.manual_seed(0)
    sizes = StudentConfig(encoder_dim=24, encoder_hidden=20, decoder_dim=16, default_steps=request.param)
    student = Student(sizes).eval()
    student.colour.taps.copy_(low_pass(torch.linspace(LEAST_FRAMES, MOST_FRAMES, 52)))
    return student


def inputs(batch: int = 2) -> list[Tensor]:
    """Features, noise, identity and emotion of each frame, and articulation, another one for each stream."""
    torch.manual_seed(1)
    articulation = torch.linspace(0.5, 2.0, batch)[:, None, None]
    return [*(torch.randn(batch, T, dim) for dim in (128, 52, 64, 64)), articulation]


@torch.no_grad()
def whole(student: Student, x: list[Tensor]) -> Tensor:
    return student(*x, student.initial_state(len(x[0])))[0]


@torch.no_grad()
def test_any_chunking_gives_the_same_frames(student: Student) -> None:
    x, state, parts = inputs(), student.initial_state(2), []
    for begin, end in zip((0, *CUTS), (*CUTS, T)):
        weights, state = student(*(t[:, begin:end] for t in x[:4]), x[4], state)
        parts.append(weights)
    torch.testing.assert_close(torch.cat(parts, dim=1), whole(student, x), atol=1e-5, rtol=0)


@pytest.mark.parametrize("changed", range(4), ids=["features", "noise", "identity", "emotion"])
def test_later_input_never_changes_earlier_frames(student: Student, changed: int) -> None:
    x = inputs()
    before = whole(student, x)
    x[changed] = torch.cat([x[changed][:, :30], x[changed][:, 30:] + 1], dim=1)
    after = whole(student, x)
    torch.testing.assert_close(before[:, :30], after[:, :30], atol=1e-6, rtol=0)
    assert (before[:, 30:] - after[:, 30:]).abs().max() > 1e-4


def test_streams_of_a_batch_do_not_mix(student: Student) -> None:
    x = inputs(3)
    alone = whole(student, [t[1:2] for t in x])
    torch.testing.assert_close(whole(student, x)[1:2], alone, atol=1e-5, rtol=0)


@torch.no_grad()
def test_state_is_not_written_in_place(student: Student) -> None:
    state = student.initial_state(2)
    student(*inputs(), state)
    assert all((value == 0).all() for value in state.values())


def test_the_noise_of_one_frame_is_seen_until_the_filter_has_forgotten_it(student: Student) -> None:
    """The layers remember for ever, so they are muted: what is left is the noise that passes through the steps."""
    with torch.no_grad():
        for layer in (student.decoder.mlp, student.decoder.direct, student.decoder.style):
            for parameter in layer.parameters():
                parameter.zero_()
    x = inputs(1)
    before = whole(student, x)
    x[1] = x[1].clone()
    x[1][:, 3] += 100.0
    moved = (whole(student, x) - before)[0].abs().amax(dim=1)
    if student.config.default_steps == 1:
        assert moved.max() < 1e-3, "the only step starts from noise alone: alpha is 0"
    else:
        assert not moved[:3].any() and not moved[3 + TAPS :].any() and moved[3 : 3 + TAPS].min() > 0


def test_articulation_is_heard_and_belongs_to_the_stream(student: Student) -> None:
    x = inputs()
    before = whole(student, x)
    x[4] = torch.tensor([0.5, 1.0])[:, None, None]
    after = whole(student, x)
    torch.testing.assert_close(after[0], before[0], atol=1e-6, rtol=0)
    assert (after[1] - before[1]).abs().max() > 1e-4


@pytest.mark.parametrize(("hidden", "layers"), [(20, 1), (12, 2), (24, 3)])
@torch.no_grad()
def test_the_encoder_is_as_wide_and_as_deep_as_it_is_told(hidden: int, layers: int) -> None:
    encoder = AudioEncoder(StudentConfig(encoder_dim=24, encoder_hidden=hidden, encoder_layers=layers)).eval()
    state = encoder.initial_state(2)
    assert state["encoder"].shape == (2, layers, hidden) and state["conv_1"].shape == (2, 2, hidden)
    heard = 3 * torch.randn(2, T, 128) + 1
    feature, after = encoder(heard, state)
    assert feature.shape == (2, T, 24) and {k: v.shape for k, v in after.items()} == {
        k: v.shape for k, v in state.items()
    }
    torch.testing.assert_close(feature.mean(dim=-1), torch.zeros(2, T), atol=1e-5, rtol=0)
    torch.testing.assert_close(feature.var(dim=-1, correction=0), torch.ones(2, T), atol=1e-2, rtol=0)

"""The student's layers stream exactly: causal, the same for any chunking, fresh after reset."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch", reason="torch is not installed: pip install '.[train]'")

from torch import Tensor  # noqa: E402

from dtalker_model.networks.network import Student  # noqa: E402
from dtalker_model.networks.student_config import StudentConfig  # noqa: E402

T = 60
CUTS = (1, 2, 9, 10, 33)


@pytest.fixture(params=[1, 2, 4], ids=lambda steps: f"{steps} steps")
def student(request: pytest.FixtureRequest) -> Student:
    torch.manual_seed(0)
    return Student(StudentConfig(encoder_dim=24, decoder_dim=16, default_steps=request.param)).eval()


def inputs(batch: int = 2) -> list[Tensor]:
    torch.manual_seed(1)
    return [torch.randn(batch, T, dim) for dim in (128, 52, 64, 64)]


@torch.no_grad()
def whole(student: Student, x: list[Tensor]) -> Tensor:
    return student(*x, student.initial_state(len(x[0])))[0]


@torch.no_grad()
def test_any_chunking_gives_the_same_frames(student: Student) -> None:
    x, state, parts = inputs(), student.initial_state(2), []
    for begin, end in zip((0, *CUTS), (*CUTS, T)):
        weights, state = student(*(t[:, begin:end] for t in x), state)
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

"""Each equation of the distillation against a case that can be computed by hand."""

import math

import pytest

torch = pytest.importorskip("torch", reason="torch is not installed: pip install '.[train]'")

from torch import Tensor  # noqa: E402

from dtalker_model.networks.diffusion import alpha_sigma, denoise, diffuse  # noqa: E402
from training.networks.distillation import (  # noqa: E402
    Enhancer,
    alignment,
    different,
    distillation,
    enhancement,
    halved_target,
)

B, T = 3, 2


def _levels(*levels: float) -> Tensor:
    return torch.tensor(levels)


def test_a_teacher_that_always_knows_the_clean_motion_is_its_own_target() -> None:
    clean, noise = torch.randn(B, T, 52), torch.randn(B, T, 52)
    level, steps = _levels(1.0, 0.5, 0.25), _levels(4.0, 2.0, 4.0)
    noisy = diffuse(clean, noise, level[:, None, None])
    target = halved_target(lambda _, __: clean, noisy, level, steps)
    torch.testing.assert_close(target, clean, atol=1e-4, rtol=1e-4)


def test_one_step_with_the_target_goes_where_two_of_the_teacher_go() -> None:
    """Eqs. (8) to (10) for a teacher whose answer depends on what it is asked."""

    def teacher(noisy: Tensor, level: Tensor) -> Tensor:
        return 0.3 * noisy + level[:, None, None]

    noisy, level, steps = torch.randn(B, T, 52), _levels(1.0, 0.75, 0.5), torch.full((B,), 4.0)
    t, t1, t2 = (x[:, None, None] for x in (level, level - 0.125, level - 0.25))
    middle = denoise(noisy, teacher(noisy, level), t, t1)
    end = denoise(middle, teacher(middle, level - 0.125), t1, t2)
    target = halved_target(teacher, noisy, level, steps)
    torch.testing.assert_close(denoise(noisy, target, t, t2), end, atol=1e-5, rtol=1e-4)


def test_the_last_step_of_a_student_has_the_teachers_last_answer_as_its_target() -> None:
    level, steps = _levels(0.5), _levels(2.0)
    asked: list[Tensor] = []

    def teacher(noisy: Tensor, at: Tensor) -> Tensor:
        asked.append(at)
        return torch.full_like(noisy, float(len(asked)))

    target = halved_target(teacher, torch.randn(1, T, 52), level, steps)
    torch.testing.assert_close(target, torch.full((1, T, 52), 2.0))
    assert [x.item() for x in asked] == [0.5, 0.25]


def test_the_distance_is_weighed_by_the_signal_to_noise_ratio_but_at_least_by_one() -> None:
    student, target = torch.ones(2, 1, 1), torch.zeros(2, 1, 1)
    alpha, sigma = alpha_sigma(torch.tensor(0.25))
    expected = ((alpha / sigma).item() ** 2 + 1.0) / 2
    assert distillation(student, target, _levels(0.25, 1.0)).item() == pytest.approx(expected)


def test_alignment_is_one_minus_the_cosine_whatever_the_lengths() -> None:
    large = torch.tensor([[[1.0, 0.0], [0.0, 2.0]]])
    small = torch.tensor([[[5.0, 0.0], [3.0, 0.0]]])
    assert alignment(large, small).item() == pytest.approx(0.5)


def test_the_enhancer_reads_the_frames_that_its_keys_point_to() -> None:
    """With f_k and f_v the identity on one-hot faces, attention falls on the frame that the query asks for (13)."""
    enhancer = Enhancer(2, 2, key_dim=2)
    torch.nn.init.eye_(enhancer.query.weight)
    torch.nn.init.zeros_(enhancer.query.bias)
    enhancer.f_k, enhancer.f_v = torch.nn.Identity(), torch.nn.Identity()
    frames = torch.tensor([[[1.0, 0.0], [0.0, 1.0]]])
    p = torch.tensor([[3.0, 0.0]])
    share = 1 / (1 + math.exp(-3 / math.sqrt(2)))
    torch.testing.assert_close(enhancer(p, frames), torch.tensor([[share, 1 - share]]))


def test_enhancement_rewards_a_student_whose_maps_are_its_teachers() -> None:
    maps = torch.eye(3)
    right = -math.log(math.exp(10) / (math.exp(10) + 2))
    assert enhancement(maps, 7 * maps).item() == pytest.approx(right, abs=1e-6)
    assert enhancement(maps, maps[[1, 2, 0]]).item() == pytest.approx(right + 10, abs=1e-4)


def test_compared_clips_share_neither_identity_nor_emotion() -> None:
    identity, emotion = torch.tensor([0, 0, 1, 2, 3]), torch.tensor([0, 1, 0, 1, 2])
    assert different(identity, emotion, most=8).tolist() == [0, 3, 4]
    assert different(identity, emotion, most=2).tolist() == [0, 3]

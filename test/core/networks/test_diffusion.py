"""The diffusion process against cases that can be computed by hand."""

import math
from itertools import pairwise

import pytest

torch = pytest.importorskip("torch", reason="torch is not installed: pip install '.[train]'")

from dtalker_model.blendshapes import INDEX  # noqa: E402
from dtalker_model.networks.diffusion import (  # noqa: E402
    alpha_sigma,
    ancestral_step,
    denoise,
    diffuse,
    noise_scale,
    sampling_levels,
)

LEVELS = torch.tensor(sampling_levels(16))


def test_the_schedule_preserves_variance_from_data_to_noise() -> None:
    alpha, sigma = alpha_sigma(torch.tensor([0.0, 0.5, 1.0]))
    torch.testing.assert_close(alpha, torch.tensor([1.0, math.sqrt(0.5), 0.0]), atol=1e-6, rtol=0)
    torch.testing.assert_close(alpha**2 + sigma**2, torch.ones(3))


def test_a_chain_of_noisings_is_one_noising() -> None:
    """Eq. (1) step by step has the mean and the variance of eq. (2) in one step."""
    mean, variance, before = 1.0, 0.0, 1.0
    for level in reversed(LEVELS[1:].tolist()):
        alpha = alpha_sigma(torch.tensor(level))[0].item()
        ratio = alpha / before
        mean, variance, before = ratio * mean, ratio**2 * variance + 1 - ratio**2, alpha
    one, noise = torch.ones(1), torch.zeros(1)
    assert diffuse(one, noise, LEVELS[1]).item() == pytest.approx(mean, abs=1e-5)
    assert diffuse(noise, one, LEVELS[1]).item() ** 2 == pytest.approx(variance, abs=1e-5)


def test_a_deterministic_step_with_the_true_clean_motion_stays_on_its_path() -> None:
    clean, noise = torch.tensor([0.3, -2.0]), torch.tensor([1.5, 0.1])
    now, then = LEVELS[3], LEVELS[9]
    torch.testing.assert_close(denoise(diffuse(clean, noise, now), clean, now, then), diffuse(clean, noise, then))


def test_a_random_step_has_the_noise_of_its_level() -> None:
    """With the true clean motion, steps of eq. (3) leave noisy motion as eq. (2) would make it at the level reached."""
    torch.manual_seed(0)
    clean = torch.full((200_000,), 0.7)
    noisy = diffuse(clean, torch.randn_like(clean), LEVELS[0])
    for now, then in pairwise(LEVELS[:9]):
        noisy = ancestral_step(noisy, clean, now, then, torch.randn_like(clean))
    alpha, sigma = alpha_sigma(LEVELS[8])
    assert noisy.mean().item() == pytest.approx(0.7 * alpha.item(), abs=0.01)
    assert noisy.std().item() == pytest.approx(sigma.item(), abs=0.01)


def test_the_last_random_step_gives_the_clean_motion() -> None:
    clean = torch.tensor([0.3, -2.0])
    last = ancestral_step(torch.ones(2), clean, LEVELS[-1], torch.tensor(0.0), torch.ones(2))
    torch.testing.assert_close(last, clean)


def test_each_half_of_the_face_has_its_temperature() -> None:
    scale = noise_scale(upper=0.8, lower=0.2)
    assert scale[INDEX["browInnerUp"]] == pytest.approx(0.8) and scale[INDEX["jawOpen"]] == pytest.approx(0.2)

"""The motion decoder gives -v: what was given passes at little noise, all is predicted at full noise."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch", reason="torch is not installed: pip install '.[train]'")

from torch import Tensor  # noqa: E402

from dtalker_model.networks.diffusion import alpha_sigma, diffuse  # noqa: E402
from dtalker_model.networks.network import MotionDecoder  # noqa: E402
from dtalker_model.networks.student_config import StudentConfig  # noqa: E402

B, T = 3, 7
SIZES = StudentConfig(encoder_dim=16, decoder_dim=16)


@pytest.fixture
def decoder() -> MotionDecoder:
    torch.manual_seed(0)
    return MotionDecoder(SIZES).eval()


@torch.no_grad()
def told(decoder: MotionDecoder, noisy: Tensor, level: Tensor, articulation: float = 1.0, steps: float = 2.0) -> Tensor:
    """The prediction from the same voice and audio every time."""
    torch.manual_seed(1)
    p, audio, hidden = torch.randn(B, 1, 128), torch.randn(B, T, 16), torch.zeros(B, MotionDecoder.LAYERS, 16)
    count, led = torch.full((B,), steps), torch.full((B,), articulation)
    return decoder(p, audio, noisy, level, count, led, hidden)[0]


@torch.no_grad()
def mute(decoder: MotionDecoder) -> MotionDecoder:
    """Let its layers say nothing."""
    for layer in (decoder.mlp, decoder.direct, decoder.style):
        for parameter in layer.parameters():
            parameter.zero_()
    return decoder


def test_without_noise_it_returns_what_it_was_given(decoder: MotionDecoder) -> None:
    noisy = torch.randn(B, T, 52)
    assert torch.equal(told(decoder, noisy, torch.zeros(B)), noisy)


def test_at_full_noise_nothing_of_what_it_was_given_passes(decoder: MotionDecoder) -> None:
    noisy = torch.randn(B, T, 52)
    passed = told(mute(decoder), noisy, torch.ones(B))
    torch.testing.assert_close(passed, torch.zeros(B, T, 52), atol=1e-6, rtol=0)


def test_between_them_alpha_of_it_passes(decoder: MotionDecoder) -> None:
    noisy, level = torch.randn(B, T, 52), torch.tensor([0.25, 0.5, 0.75])
    expected = alpha_sigma(level[:, None, None])[0] * noisy
    torch.testing.assert_close(told(mute(decoder), noisy, level), expected)


@torch.no_grad()
def test_with_the_true_v_it_finds_the_clean_motion_at_every_level(decoder: MotionDecoder) -> None:
    """v = alpha epsilon - sigma x0 (Salimans and Ho), here of constants, so that the resting face can say it."""
    clean, noise = torch.randn(52), torch.randn(52)
    for at in (1.0, 0.75, 0.5, 1 / 16, 0.0):
        level = torch.tensor(at)
        alpha, sigma = alpha_sigma(level)
        mute(decoder).style.bias.copy_(-(alpha * noise - sigma * clean))
        found = told(decoder, diffuse(clean, noise, level).expand(B, T, 52), level.expand(B))
        torch.testing.assert_close(found, clean.expand(B, T, 52), atol=1e-5, rtol=1e-4)


def test_it_is_told_the_level_the_steps_and_the_articulation(decoder: MotionDecoder) -> None:
    half, two, one = (torch.full((B,), x) for x in (0.5, 2.0, 1.0))
    embedding = decoder.noise_embedding(half, two, one)
    assert embedding.shape == (B, SIZES.noise_dim)
    for other in ((one, two, one), (half, one, one), (half, two, two)):
        assert (decoder.noise_embedding(*other) - embedding).abs().max() > 0.1
    noisy = torch.randn(B, T, 52)
    usual = told(decoder, noisy, half)
    assert (told(decoder, noisy, half, articulation=2.0) - usual).abs().max() > 1e-4
    assert (told(decoder, noisy, half, steps=4.0) - usual).abs().max() > 1e-4


@pytest.mark.parametrize("noise_dim", [6, 36, 48])
def test_the_embedding_has_the_length_that_the_sizes_say(noise_dim: int) -> None:
    decoder = MotionDecoder(StudentConfig(encoder_dim=16, decoder_dim=16, noise_dim=noise_dim))
    one = torch.ones(B)
    assert decoder.noise_embedding(one, one, one).shape == (B, noise_dim)
    told(decoder, torch.randn(B, T, 52), one)


@pytest.mark.parametrize("noise_dim", [0, -6, 5, 32, 37])
def test_another_length_is_refused(noise_dim: int) -> None:
    with pytest.raises(ValueError, match=f"noise_dim {noise_dim}: expected a multiple of 6"):
        StudentConfig(noise_dim=noise_dim)

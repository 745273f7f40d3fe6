"""The teacher's audio encoder on frozen features: shapes, what it hears of each, and what is random in training."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch", reason="torch is not installed: pip install '.[train]'")

from torch import Tensor  # noqa: E402

from dtalker_model.errors import ModelError  # noqa: E402
from training.networks.encoders import PretrainedConfig, PretrainedEncoder  # noqa: E402

B, T, DIM = 2, 60, 20
LAYERS = (12, 7)
REACH = 1 + 2 + 4 + 8
"""Frames on either side that the dilated convolutions see."""


def encoder(dropout: float = 0.0, level_deviation: float = 1.0) -> PretrainedEncoder:
    torch.manual_seed(0)
    sizes = PretrainedConfig(LAYERS, dim=16, dropout=dropout, level_deviation=level_deviation)
    return PretrainedEncoder("whisper", sizes, DIM)


def heard() -> Tensor:
    torch.manual_seed(1)
    return torch.randn(B, T, sum(LAYERS) + 128)


@torch.no_grad()
def test_features_have_zero_mean_and_unit_variance_in_each_frame() -> None:
    made = encoder().eval()
    feature = made(heard())
    assert made.hearing == "whisper" and feature.shape == (B, T, DIM)
    torch.testing.assert_close(feature.mean(dim=-1), torch.zeros(B, T), atol=1e-5, rtol=0)
    torch.testing.assert_close(feature.var(dim=-1, correction=0), torch.ones(B, T), atol=1e-3, rtol=0)


@pytest.mark.parametrize("length", [1, 3, 200])
def test_any_length_is_heard(length: int) -> None:
    assert encoder().eval()(torch.randn(1, length, sum(LAYERS) + 128)).shape == (1, length, DIM)


def test_rows_of_ears_of_another_size_are_refused() -> None:
    base = PretrainedEncoder("whisper", PretrainedConfig((512, 512), dim=16), DIM)
    with pytest.raises(
        ModelError, match=r"rows of 1664 values, layers of \[768, 768\] .* takes 1152, .*DTALKER_WHISPER"
    ):
        base(torch.zeros(1, 3, 2 * 768 + 128))


@torch.no_grad()
def test_each_layer_is_normalised_by_itself_and_the_level_of_log_mel_is_kept() -> None:
    made, x = encoder().eval(), heard()
    layers, scaled, louder = x[..., : sum(LAYERS)], x.clone(), x.clone()
    scaled[..., : LAYERS[0]] = 5 * layers[..., : LAYERS[0]] + 3
    torch.testing.assert_close(made(scaled), made(x), atol=1e-3, rtol=1e-3)
    louder[..., sum(LAYERS) :] += 1
    assert (made(louder) - made(x)).abs().max() > 0.05


@torch.no_grad()
def test_log_mel_is_brought_to_zero_and_one() -> None:
    made, x = encoder().eval(), heard()
    plain = made(x)
    made.mean.fill_(4.0)
    made.scale.fill_(0.5)
    x[..., sum(LAYERS) :] = 2 * x[..., sum(LAYERS) :] + 4
    torch.testing.assert_close(made(x), plain, atol=1e-5, rtol=1e-4)


@torch.no_grad()
def test_a_frame_is_heard_as_far_as_the_convolutions_reach_and_alike_on_both_sides() -> None:
    made, x = encoder().eval(), heard()
    before = made(x)
    x[:, 30] += 1
    moved = (made(x) - before).abs().amax(dim=(0, 2))
    assert not moved[: 30 - REACH].any() and not moved[31 + REACH :].any()
    assert moved[30 - REACH] > 0 and moved[30 + REACH] > 0


@torch.no_grad()
def test_in_training_each_crop_comes_at_a_level_of_its_own_and_nothing_else_is_random() -> None:
    made, x = encoder().train(), heard()
    torch.manual_seed(7)
    first = made(x)
    torch.manual_seed(7)
    level = torch.randn(B, 1, 1)
    shifted = x.clone()
    shifted[..., sum(LAYERS) :] += level
    torch.testing.assert_close(first, made.eval()(shifted))
    assert (made.train()(x) - first).abs().max() > 0.01, "drawn anew each time"


@torch.no_grad()
def test_without_a_level_and_dropout_training_hears_as_evaluation_does() -> None:
    made, x = encoder(level_deviation=0.0), heard()
    torch.testing.assert_close(made.train()(x), made.eval()(x))


@torch.no_grad()
def test_dropout_is_off_in_evaluation() -> None:
    made, x = encoder(dropout=0.5, level_deviation=0.0), heard()
    assert (made.train()(x) - made(x)).abs().max() > 0.1
    torch.testing.assert_close(made.eval()(x), made(x))


def test_all_of_it_learns() -> None:
    made = encoder()
    (made(heard()) * torch.randn(DIM)).sum().backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in made.parameters())

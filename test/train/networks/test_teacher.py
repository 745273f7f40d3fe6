"""What the teacher is asked and what its answers cost: noise, levels, deaf crops, lips, guidance by audio."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

torch = pytest.importorskip("torch", reason="torch is not installed: pip install '.[train]'")

from tiny_crops import SIZES, B, T, crops, teacher  # noqa: E402
from torch import Tensor  # noqa: E402

from dtalker_model.blendshapes import INDEX  # noqa: E402
from dtalker_model.networks.diffusion import alpha_sigma, diffuse  # noqa: E402
from dtalker_model.networks.network import MOST_LOG_RANGE, MotionDecoder  # noqa: E402
from training.corpus.batches import Batch, joined  # noqa: E402
from training.corpus.lip_targets import CLOSED, OPEN  # noqa: E402
from training.networks.lips import LIPS  # noqa: E402
from training.networks.teacher import MOST_WEIGHT, Teacher, Weights  # noqa: E402

JAW = INDEX["jawOpen"]
Asked = list[tuple[Tensor, Tensor, Tensor, Tensor]]
"""Audio, noisy motion, level and steps of each prediction that was asked for."""


def answering(network: Teacher, patch: pytest.MonkeyPatch, *answers: Callable[[Tensor], Tensor]) -> tuple[Asked, Batch]:
    """Let `network` answer each question with a function of the noisy motion; the crops of both its batches."""
    asked: Asked = []

    def predict(p: Tensor, audio: Tensor, noisy: Tensor, level: Tensor, steps: Tensor) -> Tensor:
        asked.append((audio, noisy, level, steps))
        return answers[len(asked) - 1](noisy).requires_grad_()

    patch.setattr(network, "predict", predict)
    return asked, joined(crops(), crops())


def constant(value: float) -> Callable[[Tensor], Tensor]:
    return lambda noisy: torch.full_like(noisy, value)


def normalised(network: Teacher, batch: Batch) -> Tensor:
    return (batch.motion - network.motion_mean) * network.motion_scale


def test_the_noise_holds_the_recording_and_where_nobody_recorded_the_first_answer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    network, seen = teacher(), crops()
    asked, batch = answering(network, monkeypatch, constant(0.25), constant(0.5))
    seen.observed[:, :, :26] = 0
    batch.observed[:, :, :26] = 0
    network(seen, seen)
    (_, first, start, _), (_, second, level, steps) = asked
    noise = network.colour(batch.noise, network.colour.initial_state(2 * B))[0]
    torch.testing.assert_close(first, noise)
    assert torch.equal(start, torch.ones(2 * B)) and torch.equal(steps, torch.full((2 * B,), 16.0))
    expected = normalised(network, batch)
    expected[:, :, :26] = 0.25
    torch.testing.assert_close(second, diffuse(expected, noise, level[:, None, None]))


def test_the_other_level_is_one_of_the_samplers_below_the_first(monkeypatch: pytest.MonkeyPatch) -> None:
    network, seen = teacher(), crops()
    seen.dice[:, 0] = torch.tensor([0.0, 0.4999, 0.5, 0.9999])
    asked, _ = answering(network, monkeypatch, constant(0.0), constant(0.0))
    network(seen, seen)
    torch.testing.assert_close(asked[1][2][:B] * 16, torch.tensor([1.0, 8.0, 8.0, 15.0]))


def test_an_error_at_little_noise_weighs_as_much_as_its_error_of_v_but_not_without_limit(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    network, seen = teacher(), crops()
    seen.dice[:, 0] = torch.tensor([0.0, 0.1, 0.5, 0.9999])
    seen.motion.zero_()
    rest = float(-network.motion_mean[0] * network.motion_scale[0])
    asked, _ = answering(network, monkeypatch, constant(rest + 1), constant(rest + 2))
    terms = network(seen, seen)
    sigma = alpha_sigma(asked[1][2][:B])[1]
    weight = (1 / sigma**2).clamp(max=MOST_WEIGHT)
    assert weight[0] == MOST_WEIGHT and weight[3] == pytest.approx(1.0, abs=0.01)
    torch.testing.assert_close(terms["reconstruction"], (1 + (4 * weight).mean()) / 2)


def test_a_share_of_the_crops_is_deaf_and_asked_for_no_lips(monkeypatch: pytest.MonkeyPatch) -> None:
    network, seen = teacher(deaf=0.1), crops()
    seen = replace(seen, observed=torch.zeros_like(seen.observed), lips=torch.full_like(seen.lips, OPEN))
    seen.dice[:, 2] = torch.tensor([0.0, 0.0999, 0.1, 1.0])
    asked, _ = answering(network, monkeypatch, constant(0.0), constant(0.0))
    terms = network(seen, seen)
    told = network.encode(seen)
    for audio, *_ in asked:
        assert not audio[:2].any() and torch.equal(audio[2:B], told[2:])
    network.config = replace(network.config, deaf=0.0)
    asked.clear()
    torch.testing.assert_close(2 * terms["lips_open"], network(seen, seen)["lips_open"])


@pytest.mark.parametrize(("recorded", "cost"), [(0.0, True), (1.0, False)], ids=["only heard", "recorded"])
def test_lips_are_those_of_the_face_not_of_normalised_motion(
    recorded: float, cost: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The gap is 20 mm times the jaw's weight: 3 mm and 1 mm of the 5 that an open vowel asks for, .3 at a bilabial."""
    network, seen = teacher(), crops()
    network.lips_mm[0, JAW] = 20.0
    seen.lips[:, :] = OPEN | CLOSED
    seen = replace(seen, observed=torch.full_like(seen.observed, recorded))
    jaw = [(weight - 0.1) * 2.0 for weight in (0.15, 0.05)]
    answering(network, monkeypatch, *map(constant, jaw))
    terms = network(seen, seen)
    _, scale = LIPS["lips_open"]
    open_mm2 = (2.0**2 + 4.0**2) / 2 if cost else 0.0
    assert terms["lips_open"].item() == pytest.approx(scale * open_mm2, rel=1e-4)
    _, scale = LIPS["lips_closed"]
    assert terms["lips_closed"].item() == pytest.approx(scale * (2.7**2 + 0.7**2) / 2, rel=1e-4)


def test_each_term_of_the_lips_and_of_the_contrasts_has_its_weight() -> None:
    weights = Weights(contrast=3.0, lips=5.0, phone=7.0).of_terms()
    assert {weights[name] for name in LIPS} == {5.0}
    assert (weights["identity_contrast"], weights["emotion_contrast"], weights["phone"]) == (3.0, 3.0, 7.0)
    network, seen = teacher(), crops()
    terms = network(seen, seen)
    assert set(terms) - {"loss"} <= set(network.config.weights.of_terms()), "a term without a weight is lost"


@torch.no_grad()
def test_articulation_leads_away_from_what_is_said_without_audio() -> None:
    network, seen = teacher(), crops()
    p, audio = network.personalized(seen), network.encode(seen)
    noisy, level, steps = torch.randn(B, T, 52), torch.rand(B), torch.full((B,), 16.0)
    clean, deaf = (network.predict(p, x, noisy, level, steps) for x in (audio, torch.zeros_like(audio)))
    articulation = torch.tensor([1.0, 2.0, 0.5, 0.0])
    led = network.guided(p, audio, noisy, level, steps, articulation)
    torch.testing.assert_close(led[0], clean[0])
    torch.testing.assert_close(led[1] - deaf[1], 2 * (clean[1] - deaf[1]))
    torch.testing.assert_close(led[2], (clean[2] + deaf[2]) / 2)
    torch.testing.assert_close(led[3], deaf[3])
    assert (clean - deaf).abs().max() > 0.01, "it hears"


@torch.no_grad()
def test_a_teacher_speaks_with_coloured_noise_at_the_temperature_of_each_half() -> None:
    """With layers that say nothing each step passes on alpha of what it was given: all that is left is the noise."""
    network = teacher()
    for layer in (network.decoder.mlp, network.decoder.direct, network.decoder.style):
        for parameter in layer.parameters():
            parameter.zero_()
    heard, voice, noise = torch.randn(B, T, 128), torch.randn(B, T, 64), torch.randn(B, T, 52)
    said = network.speak(heard, voice, voice, noise, steps=2)
    coloured = network.colour(noise, network.colour.initial_state(B))[0] * network.temperature
    passed = (said - network.motion_mean) * network.motion_scale
    alpha, sigma = alpha_sigma(torch.tensor(0.5))
    torch.testing.assert_close(passed, alpha * sigma * coloured, atol=1e-5, rtol=1e-4)


def test_a_person_sets_the_range_of_each_coefficient_but_not_without_limit() -> None:
    decoder = MotionDecoder(SIZES).eval()
    p, audio, noisy = torch.ones(1, T, 128), torch.randn(1, T, 16), torch.zeros(1, T, 52)
    one, hidden = torch.ones(1), torch.zeros(1, 3, 16)
    with torch.no_grad():
        usual = decoder(p, audio, noisy, one, one, one, hidden)[0] - decoder.style(p)
        decoder.range[:, 7] = 100.0
        wide = decoder(p, audio, noisy, one, one, one, hidden)[0] - decoder.style(p)
    factor = torch.ones(52)
    factor[7] = torch.exp(torch.tensor(MOST_LOG_RANGE))
    torch.testing.assert_close(wide, usual * factor)

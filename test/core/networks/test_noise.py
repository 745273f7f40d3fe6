"""Noise as smooth as motion: unit variance, exact streaming, a spectrum of each coefficient's own time constant."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest

torch = pytest.importorskip("torch", reason="torch is not installed: pip install '.[train]'")

from torch import Tensor  # noqa: E402

from dtalker_model.blendshapes import ARKIT_NAMES, LEFT_OF  # noqa: E402
from dtalker_model.networks.noise import (  # noqa: E402
    LEAST_FRAMES,
    MOST_FRAMES,
    TAPS,
    NoiseColour,
    low_pass,
    time_constants,
)

CONSTANTS = torch.tensor([1.0, 2.0, 3.0, 6.0, 12.0], dtype=torch.float64)
T = 250


def colour(constants: Tensor = CONSTANTS) -> NoiseColour:
    made = NoiseColour(len(constants)).double()
    made.taps = low_pass(constants)
    return made


def white(batch: int = 2, frames: int = T) -> Tensor:
    torch.manual_seed(0)
    return torch.randn(batch, frames, len(CONSTANTS), dtype=torch.float64)


def whole(made: NoiseColour, noise: Tensor) -> Tensor:
    return made(noise, made.initial_state(len(noise)))[0]


def test_one_sample_of_noise_becomes_the_impulse_response_of_a_third_order_low_pass() -> None:
    impulse = torch.zeros(1, T, len(CONSTANTS), dtype=torch.float64)
    impulse[:, 10] = 1
    heard = whole(colour(), impulse)[0]
    assert not heard[:10].any() and not heard[10 + TAPS :].any()
    age = torch.arange(TAPS)[:, None]
    expected = (age + 1) ** 2 * torch.exp(-age / CONSTANTS)
    shape = heard[10 : 10 + TAPS]
    torch.testing.assert_close(shape / shape[0], expected / expected[0])
    assert (shape.argmax(dim=0) + 1).tolist() == [2, 4, 6, 12, 24], "its peak is two time constants ago"
    torch.testing.assert_close((shape**2).sum(dim=0), torch.ones(5, dtype=torch.float64))


def test_the_variance_is_one_once_the_taps_have_passed_and_less_before() -> None:
    noise = whole(colour(), white(4000, TAPS + 5))
    response = low_pass(CONSTANTS).flip(1)  # the newest tap first
    expected = (response**2).cumsum(dim=1).T
    found = noise.var(dim=0)
    error = 4 * math.sqrt(2 / 4000)
    torch.testing.assert_close(found[:TAPS], expected, atol=error, rtol=0)
    torch.testing.assert_close(found[TAPS:], torch.ones(5, 5, dtype=torch.float64), atol=error, rtol=0)


@pytest.mark.parametrize("cuts", [(1, 2, 9, 10, 33), (TAPS - 2, TAPS - 1, TAPS), (TAPS + 40,), tuple(range(1, T))])
def test_any_chunking_gives_the_same_noise(cuts: tuple[int, ...]) -> None:
    made, noise = colour(), white()
    state, parts = made.initial_state(2), []
    for begin, end in pairwise((0, *cuts, T)):
        part, state = made(noise[:, begin:end], state)
        assert state.shape == made.initial_state(2).shape
        parts.append(part)
    torch.testing.assert_close(torch.cat(parts, dim=1), whole(made, noise))
    torch.testing.assert_close(state, noise[:, -(TAPS - 1) :])


def test_later_noise_never_changes_earlier_frames() -> None:
    made, noise = colour(), white()
    before = whole(made, noise)
    noise[:, 100:] += 1
    after = whole(made, noise)
    torch.testing.assert_close(before[:, :100], after[:, :100])
    assert (before[:, 100] - after[:, 100]).abs().min() > 1e-6, "and it changes the frame itself"


def test_a_fresh_state_forgets_and_no_state_is_written_in_place() -> None:
    made, noise = colour(), white()
    fresh = made.initial_state(2)
    first, state = made(noise, fresh)
    kept = state.clone()
    made(noise, state)
    assert torch.equal(state, kept) and not fresh.any()
    torch.testing.assert_close(whole(made, noise), first)
    assert (made(noise, state)[0] - first).abs().max() > 0.1


def test_streams_and_coefficients_do_not_mix() -> None:
    made, noise = colour(), white()
    before = whole(made, noise)
    noise[1, :, 2] = 0
    after = whole(made, noise)
    assert not after[1, :, 2].any()
    after[1, :, 2] = before[1, :, 2]
    torch.testing.assert_close(after, before)


def test_the_longer_the_time_constant_the_slower_the_spectrum() -> None:
    power = torch.fft.rfft(low_pass(CONSTANTS), 4096).abs() ** 2
    hz = torch.linspace(0, 25, power.shape[1], dtype=torch.float64)
    middle = (power * hz).sum(dim=1) / power.sum(dim=1)
    assert all(slower < 0.7 * faster for faster, slower in pairwise(middle.tolist()))
    half = (power / power[:, :1] > 0.5).sum(dim=1)
    for tau, width in zip(CONSTANTS.tolist()[1:], half.tolist()[1:]):
        cutoff_hz = math.sqrt(2 ** (1 / 3) - 1) / (2 * math.pi * tau / 50)  # of three first-order low-passes
        assert width * 25 / (power.shape[1] - 1) == pytest.approx(cutoff_hz, rel=0.25)


def velocity_of(constants: Tensor) -> Tensor:
    """Deviation of the differences of unit noise of these filters, from the filters themselves."""
    return torch.nn.functional.pad(low_pass(constants), (1, 1)).diff(dim=1).norm(dim=1)


def test_the_time_constant_is_found_again_in_the_noise() -> None:
    constants = torch.tensor([2.0, 3.0, 5.0, 8.0], dtype=torch.float64)
    exact = time_constants(torch.ones(4, dtype=torch.float64), velocity_of(constants))
    torch.testing.assert_close(exact, constants, rtol=0.03, atol=0)
    made = colour(constants)
    torch.manual_seed(1)
    noise = 0.3 * whole(made, torch.randn(8, 2000, 4, dtype=torch.float64))[:, TAPS:]
    found = time_constants(noise.flatten(0, 1).std(dim=0), noise.diff(dim=1).flatten(0, 1).std(dim=0))
    torch.testing.assert_close(found, exact, rtol=0.07, atol=0)


def test_time_constants_stay_where_the_filter_holds_them() -> None:
    found = time_constants(torch.tensor([1.0, 1.0, 0.0]), torch.tensor([0.0, 9.0, 0.0]))
    assert found.tolist() == [MOST_FRAMES, LEAST_FRAMES, LEAST_FRAMES]
    left = low_pass(torch.tensor([MOST_FRAMES]))[0]
    assert left[0] / left.max() < 0.05, "little is cut off where the slowest filter ends"


def test_both_halves_of_a_face_get_the_same_noise_and_eyes_look_one_way() -> None:
    made, noise = NoiseColour(len(ARKIT_NAMES)), torch.randn(1, T, len(ARKIT_NAMES))
    x = dict(zip(ARKIT_NAMES, whole(made, noise)[0].T))
    for left, right in (
        ("eyeBlinkLeft", "eyeBlinkRight"),
        ("browDownLeft", "browDownRight"),
        ("eyeLookInLeft", "eyeLookOutRight"),
        ("eyeLookOutLeft", "eyeLookInRight"),
        ("mouthSmileLeft", "mouthSmileRight"),
    ):
        torch.testing.assert_close(x[left], x[right])
    assert (x["jawLeft"] != x["jawRight"]).any() and (x["mouthLeft"] != x["mouthRight"]).any()
    assert len(set(LEFT_OF)) == len(ARKIT_NAMES) - sum(LEFT_OF[i] != i for i in range(len(LEFT_OF)))

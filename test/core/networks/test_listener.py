"""The listener's network: causal, streaming exactly, silent in silence; its memories have known values."""

from __future__ import annotations

import math

import pytest

torch = pytest.importorskip("torch", reason="torch is not installed: pip install '.[train]'")

from torch import Tensor  # noqa: E402

from dtalker_model.networks.listener_network import (  # noqa: E402
    ListenerConfig,
    ListenerNetwork,
    moments,
    remember,
    with_squares,
)

T, CHUNKS = 60, (1, 7, 20, 32)
PARAMETERS = 150_000


@pytest.fixture(scope="module")
def network() -> ListenerNetwork:
    torch.manual_seed(0)
    network = ListenerNetwork(ListenerConfig(identities=3, emotions=8, voices=5, dim=12, voice_dim=8, pitches=6)).eval()
    network.name_of[:] = torch.eye(3)[[0, 1, 2, 0, 0]]
    return network


def voice(batch: int = 2, frames: int = T) -> tuple[Tensor, Tensor]:
    """Features and pace, with a pause in the middle."""
    torch.manual_seed(1)
    pace = torch.full((batch, frames, 1), 0.02)
    pace[:, 20:30] = 0
    return torch.randn(batch, frames, 128), pace


@torch.no_grad()
def test_it_streams_exactly(network: ListenerNetwork) -> None:
    features, pace = voice()
    *whole, end = network(features, pace, network.initial_state(2))
    state, parts = network.initial_state(2), []
    for x, p in zip(features.split(CHUNKS, dim=1), pace.split(CHUNKS, dim=1)):
        *outputs, state = network(x, p, state)
        parts.append(outputs)
    for expected, streamed in zip(whole, zip(*parts)):
        torch.testing.assert_close(torch.cat(streamed, dim=1), expected, atol=1e-4, rtol=0)
    for name in end:
        torch.testing.assert_close(state[name], end[name], atol=1e-5, rtol=0)


@torch.no_grad()
def test_it_is_causal(network: ListenerNetwork) -> None:
    features, pace = voice()
    before = network(features, pace, network.initial_state(2))
    features[:, 40:], pace[:, 40:] = 5.0, 1.0
    after = network(features, pace, network.initial_state(2))
    for a, b in zip(before[:3], after[:3]):
        torch.testing.assert_close(a[:, :40], b[:, :40])
        assert not torch.allclose(a[:, 40:], b[:, 40:])


@torch.no_grad()
def test_silence_changes_nothing_that_it_says(network: ListenerNetwork) -> None:
    features, pace = voice()
    outputs = network(features, pace, network.initial_state(2))[:3]
    for x in outputs:
        torch.testing.assert_close(x[:, 20:30], x[:, 19:20].expand(-1, 10, -1), atol=1e-5, rtol=0)


@torch.no_grad()
def test_a_fresh_state_forgets_and_the_old_one_is_not_written(network: ListenerNetwork) -> None:
    features, pace = voice()
    state = network.initial_state(2)
    first = network(features, pace, state)
    assert all((x == 0).all() for x in state.values())
    other = network(torch.randn_like(features), pace, network.initial_state(2))
    again = network(features, pace, network.initial_state(2))
    torch.testing.assert_close(again[0], first[0])
    assert not torch.allclose(network(features, pace, other[3])[0], first[0])


def test_moments_of_what_was_remembered() -> None:
    x = torch.tensor([[[1.0], [9.0], [3.0]]])
    pace = torch.tensor([[[1e-6], [0.0], [1e-6]]])
    mean, deviation = moments(remember(x, pace, torch.zeros(1, 3)), 1)
    torch.testing.assert_close(mean[0, :, 0], torch.tensor([1.0, 1.0, 2.0]))
    assert deviation[0, -1, 0].item() == pytest.approx(1.0, abs=1e-3)


def test_the_old_weighs_less_by_the_time_constant() -> None:
    x, pace = torch.zeros(1, 101, 1), torch.full((1, 101, 1), 0.01)
    x[0, 0] = 1
    sums = remember(x, pace, torch.zeros(1, 3))
    assert sums[0, -1, 0].item() == pytest.approx(0.01 * math.exp(-1), rel=1e-4)
    assert sums[0, -1, 2].item() == pytest.approx(1 - math.exp(-1), rel=0.02)


@torch.no_grad()
def test_names_share_the_probability_of_their_voices(network: ListenerNetwork) -> None:
    logits = torch.tensor([1.0, 2.0, 3.0, 0.5, -1.0])
    voices = torch.softmax(logits, dim=0)
    expected = torch.stack([voices[0] + voices[3] + voices[4], voices[1], voices[2]])
    torch.testing.assert_close(torch.softmax(network.identity_logits(logits), dim=0), expected)


@torch.no_grad()
def test_a_mood_is_what_differs_from_the_usual(network: ListenerNetwork) -> None:
    """Much speech of one kind makes it usual: only what the prior weighs is left of it."""
    D = network.mood.dim
    sums = with_squares(torch.full((1, 1, D), 2.0))
    heard = moments(sums, D)
    usual = moments(network.usual.expand(1, 1, -1), D)
    nothing = network.emotion_logits(usual, torch.zeros(1, 1, 2 * D + 1))
    torch.testing.assert_close(network.emotion_logits(heard, 1e6 * sums), nothing, atol=1e-2, rtol=0)
    assert not torch.allclose(network.emotion_logits(heard, torch.zeros(1, 1, 2 * D + 1)), nothing, atol=0.1)


def test_it_is_light() -> None:
    shipped = ListenerNetwork(ListenerConfig(identities=12, emotions=8, voices=120))
    assert sum(p.numel() for p in shipped.parameters()) < PARAMETERS

"""The gate opens for voices, closes in silence and noise, and does not care how its input is cut."""

import numpy as np
import numpy.typing as npt
import pytest

from dtalker_model.hearing.voice_activity import RELEASE_FRAMES, SILENCE_DB, VoiceActivity
from dtalker_model.rates import FRAME_MS, FRAME_SAMPLES

Levels = npt.NDArray[np.float32]


def _gate(*parts: Levels) -> npt.NDArray[np.float32]:
    return VoiceActivity().apply(np.concatenate(parts))


def _silence(seconds: float) -> Levels:
    return np.full(round(seconds * 50), SILENCE_DB, np.float32)


def _noise(level_db: float, seconds: float = 5.0, seed: int = 0) -> Levels:
    """Levels of white noise."""
    samples = np.random.default_rng(seed).standard_normal((round(seconds * 50), FRAME_SAMPLES))
    return (level_db + 10 * np.log10(np.square(samples).mean(1))).astype(np.float32)


def _speech(level_db: float, seconds: float, seed: int = 0) -> Levels:
    """Levels with syllables at 4 Hz, 25 dB deep, as speech has them."""
    frames = np.arange(round(seconds * 50))
    syllables = 25 * np.square(np.sin(np.pi * 4 * frames / 50 + 0.8)) - 25
    return (level_db + syllables + np.random.default_rng(seed).normal(0, 2, len(frames))).astype(np.float32)


def test_digital_silence_keeps_the_gate_shut() -> None:
    assert not _gate(_silence(10)).any()
    assert not _gate(np.full(500, -np.inf, np.float32)).any()


@pytest.mark.parametrize("level_db", [-80, -60, -45, -30, -20, -10])
def test_steady_noise_shuts_the_gate_within_a_second(level_db: float) -> None:
    assert not _gate(_noise(level_db))[40:].any()


@pytest.mark.parametrize("level_db", [-80, -60, -45, -30, -20, -10])
def test_noise_that_sets_in_later_shuts_the_gate_within_two_seconds(level_db: float) -> None:
    assert not _gate(_silence(2), _noise(level_db))[200:].any()


@pytest.mark.parametrize("level_db", [-55, -40, -25, -10])
@pytest.mark.parametrize("floor_db", [-120, -90, -70])
def test_a_voice_opens_the_gate_within_40_ms(level_db: float, floor_db: float) -> None:
    floor = np.full(100, floor_db, np.float32)
    gate = _gate(floor, np.full(20, level_db, np.float32))
    assert not gate[:100].any()
    assert gate[100 + 40 // FRAME_MS - 1] > 0
    assert gate[100 + 80 // FRAME_MS - 1] == 1


def test_a_voice_in_noise_opens_the_gate() -> None:
    gate = _gate(_noise(-40, 3), _speech(-15, 1))
    assert not gate[50:150].any()
    assert gate[155:].min() > 0.9


def test_a_stream_that_begins_with_speech_opens_at_once() -> None:
    assert _gate(_speech(-15, 2))[5:].min() == 1


@pytest.mark.parametrize("level_db", [-45, -25, -10])
def test_the_gate_stays_open_through_a_minute_of_speech(level_db: float) -> None:
    assert _gate(_silence(1), _speech(level_db, 60))[60:].min() > 0.9


def test_a_pause_of_100_ms_is_survived_and_one_of_a_second_is_not() -> None:
    gate = _gate(_silence(1), _speech(-20, 1), _silence(0.1), _speech(-20, 1), _silence(1))
    assert gate[60:155].min() == 1
    assert gate[-20:].max() == 0


def test_a_click_is_not_a_voice() -> None:
    level = _silence(2)
    level[50] = -5
    assert not _gate(level).any()


def test_the_gate_moves_without_jumps() -> None:
    gate = _gate(_silence(1), _speech(-20, 1), _silence(1))
    assert np.abs(np.diff(gate)).max() < 0.5


def test_chunks_make_no_difference() -> None:
    rng = np.random.default_rng(1)
    level = np.concatenate([_noise(-50, 3), _speech(-20, 5), _silence(1), _noise(-30, 3), _speech(-10, 5)])
    whole = VoiceActivity().apply(level)
    for _ in range(5):
        activity = VoiceActivity()
        cuts = np.sort(rng.integers(0, len(level), 60))
        parts = [activity.apply(part) for part in np.split(level, cuts)]
        np.testing.assert_array_equal(np.concatenate(parts), whole)


def test_reset_forgets_everything() -> None:
    activity = VoiceActivity()
    level = np.concatenate([_speech(-20, 2), _noise(-30, 2)])
    first = activity.apply(level)
    activity.reset()
    np.testing.assert_array_equal(activity.apply(level), first)


def test_an_ended_hangover_closes_the_gate_at_once_unless_a_voice_goes_on() -> None:
    before, silence = np.concatenate([_silence(2), _speech(-20, 1)]), _silence(1)
    for after, expected in ((silence, 0), (_speech(-20, 1), 1)):
        activity = VoiceActivity()
        activity.apply(before)
        activity.end_hangover()
        assert activity.apply(after)[RELEASE_FRAMES] == expected

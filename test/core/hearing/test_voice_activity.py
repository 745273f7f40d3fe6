"""The gate opens for voices, closes in silence and noise, and does not care how its input is cut."""

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import soundfile

from dtalker_model.hearing.features import LogMel
from dtalker_model.hearing.voice_activity import HANGOVER_FRAMES, RELEASE_FRAMES, SILENCE_DB, VoiceActivity
from dtalker_model.rates import FRAME_MS, FRAME_SAMPLES, SAMPLE_RATE_HZ

Levels = npt.NDArray[np.float32]


Gate = npt.NDArray[np.float32]


def _gate(*parts: Levels) -> Gate:
    """The gate for sounds with the colour of a voice: those that are the hardest to refuse."""
    return _apply(VoiceActivity(), np.concatenate(parts))


def _apply(activity: VoiceActivity, level_db: Levels, voiced: bool = True) -> Gate:
    return activity.apply(level_db, np.full(len(level_db), voiced))


def _heard(samples: npt.NDArray[np.floating]) -> Gate:
    """The gate for audio at 16 kHz."""
    heard = LogMel().push(samples.astype(np.float32))
    return VoiceActivity().apply(heard.level_db, heard.voiced)


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


@pytest.mark.parametrize("at", range(0, 240, 40))
def test_a_loud_click_within_a_frame_is_not_a_voice(at: int) -> None:
    audio = _floor(3)
    audio[SAMPLE_RATE_HZ + at : SAMPLE_RATE_HZ + at + 16] = 0.9
    assert not _heard(audio).any()


def test_a_quiet_consonant_that_begins_suddenly_opens_the_gate() -> None:
    burst = 10 ** (-55 / 20) * np.random.default_rng(1).standard_normal(SAMPLE_RATE_HZ // 10)
    gate = _heard(np.concatenate([_floor(1), burst, _floor(1)]))
    assert gate[56:60].max() == 1
    assert not gate[50 + 5 + HANGOVER_FRAMES + RELEASE_FRAMES :].any()


def test_the_gate_moves_without_jumps() -> None:
    gate = _gate(_silence(1), _speech(-20, 1), _silence(1))
    assert np.abs(np.diff(gate)).max() < 0.5


def test_chunks_make_no_difference() -> None:
    rng = np.random.default_rng(1)
    level = np.concatenate([_noise(-50, 3), _speech(-20, 5), _silence(1), _noise(-30, 3), _speech(-10, 5)])
    voiced = rng.random(len(level)) < 0.8
    whole = VoiceActivity().apply(level, voiced)
    for _ in range(5):
        activity = VoiceActivity()
        cuts = np.sort(rng.integers(0, len(level), 60))
        parts = [activity.apply(*part) for part in zip(np.split(level, cuts), np.split(voiced, cuts))]
        np.testing.assert_array_equal(np.concatenate(parts), whole)


def test_reset_forgets_everything() -> None:
    activity = VoiceActivity()
    level = np.concatenate([_speech(-20, 2), _noise(-30, 2)])
    first = _apply(activity, level)
    activity.reset()
    np.testing.assert_array_equal(_apply(activity, level), first)


def test_an_ended_hangover_closes_the_gate_at_once_unless_a_voice_goes_on() -> None:
    before, silence = np.concatenate([_silence(2), _speech(-20, 1)]), _silence(1)
    for after, expected in ((silence, 0), (_speech(-20, 1), 1)):
        activity = VoiceActivity()
        _apply(activity, before)
        activity.end_hangover()
        assert _apply(activity, after)[RELEASE_FRAMES] == expected


@pytest.mark.parametrize("level_db", [-70, -60, -50])
def test_breath_does_not_open_the_gate(level_db: float) -> None:
    breath = 10 ** (level_db / 20) * _breathing(10)
    assert not _heard(np.concatenate([_floor(1), breath])).any()
    assert not _heard(breath).any(), "a stream that begins with it"


def test_breath_after_a_voice_does_not_hold_the_gate_open(demo: npt.NDArray[np.float32]) -> None:
    breath = 10 ** (-50 / 20) * _breathing(4)
    gate = _heard(np.concatenate([demo[: 3 * SAMPLE_RATE_HZ] + _floor(3), breath]))
    assert gate[:150].max() == 1
    assert not gate[150 + HANGOVER_FRAMES + RELEASE_FRAMES + 1 :].any()


def test_a_whisper_that_is_louder_than_breath_opens_the_gate() -> None:
    whisper = 10 ** (-35 / 20) * np.random.default_rng(1).standard_normal(SAMPLE_RATE_HZ // 2)
    gate = _heard(np.concatenate([_floor(1), whisper]))
    assert gate[54:].min() > 0.9


@pytest.mark.parametrize("fault", ["dc", "hum 50 Hz", "hum 60 Hz", "rumble"])
def test_what_lies_below_a_voice_does_not_move_the_gate(demo: npt.NDArray[np.float32], fault: str) -> None:
    clean = 10 ** (-30 / 20) * demo / np.std(demo) + _floor(len(demo) / SAMPLE_RATE_HZ)
    below = _below_a_voice(fault, len(demo))
    assert not _heard(below).any()
    assert np.mean((_heard(clean + below) > 0.5) != (_heard(clean) > 0.5)) < 0.04


@pytest.mark.parametrize("level_db", [-30, -40, -45])
def test_a_stream_that_begins_with_quiet_speech_opens_with_it(demo: npt.NDArray[np.float32], level_db: float) -> None:
    heard = LogMel().push(demo)
    onset = int(np.flatnonzero(heard.voiced & (heard.level_db > heard.level_db.max() - 12))[0])
    speech = 10 ** (level_db / 20) * (demo / np.std(demo))[onset * FRAME_SAMPLES :]
    assert _heard(speech)[4:20].min() == 1


@pytest.mark.parametrize("level_db", [-60, -50, -46])
def test_a_stream_that_begins_with_noise_stays_shut(level_db: float) -> None:
    assert not _heard(10 ** (level_db / 20) * np.random.default_rng(2).standard_normal(5 * SAMPLE_RATE_HZ)).any()


@pytest.fixture(scope="module")
def demo(demo_wav: Path) -> npt.NDArray[np.float32]:
    return soundfile.read(demo_wav, dtype="float32")[0]


def _floor(seconds: float) -> npt.NDArray[np.float64]:
    """The noise of a quiet recording, -90 dBFS."""
    return 10 ** (-90 / 20) * np.random.default_rng(3).standard_normal(round(seconds * SAMPLE_RATE_HZ))


def _breathing(seconds: float) -> npt.NDArray[np.float64]:
    """Breath of unit RMS at its loudest, 0.3 Hz, with the spectrum of RAVDESS's: flat from 0.3 to 5.5 kHz."""
    samples = round(seconds * SAMPLE_RATE_HZ)
    spectrum = np.fft.rfft(np.random.default_rng(4).standard_normal(samples))
    hz = np.fft.rfftfreq(samples, 1 / SAMPLE_RATE_HZ)
    points = {100: -8, 300: 4, 700: -2, 1200: 4, 2500: -2, 4500: -3, 6500: -9, 8000: -20}
    noise = np.fft.irfft(spectrum * 10 ** (np.interp(hz, list(points), list(points.values())) / 20), samples)
    return noise / noise.std() * np.abs(np.sin(2 * np.pi * 0.3 * np.arange(samples) / SAMPLE_RATE_HZ))


def _below_a_voice(fault: str, samples: int) -> npt.NDArray[np.float64]:
    """DC of 5%, or hum or rumble at -25 dBFS."""
    time_s, level = np.arange(samples) / SAMPLE_RATE_HZ, 10 ** (-25 / 20)
    if fault.startswith("hum"):
        return level * np.sqrt(2) * np.sin(2 * np.pi * int(fault.split()[1]) * time_s)
    if fault == "dc":
        return np.full(samples, 0.05)
    spectrum = np.fft.rfft(np.random.default_rng(5).standard_normal(samples))
    hz = np.fft.rfftfreq(samples, 1 / SAMPLE_RATE_HZ)
    noise = np.fft.irfft(spectrum * (hz > 8) / (1 + (hz / 20) ** 4), samples)
    return level * noise / noise.std()

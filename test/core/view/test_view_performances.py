"""The pace of what the face does, by a clock that the test sets: no machine is too busy for it."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import dtalker_model
from dtalker_model.rates import FRAME_SAMPLES, SAMPLE_RATE_HZ
from dtalker_model.talker import Talker
from dtalker_model.view import performances
from dtalker_model.view.performances import AHEAD_S, LATEST_S, Clip, Live, Performance, Rest
from dtalker_model.view.sound import read_sound

TICK_S = 0.02
Clock = Callable[[float], None]


@pytest.fixture
def sleep(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Lets the performances' time pass."""
    now = [1000.0]
    monkeypatch.setattr(performances.time, "monotonic", lambda: now[0])

    def pass_(seconds: float) -> None:
        now[0] += seconds

    return pass_


@pytest.fixture(scope="module")
def loaded() -> Talker:
    return dtalker_model.load(idle=False, blink=False)


@pytest.fixture
def talker(loaded: Talker) -> Talker:
    loaded.reset()
    return loaded


def frames_of(performance: Performance, ticks: int, sleep: Clock) -> list[int]:
    """How many frames come at each of `ticks`, 20 ms apart."""
    counts = []
    for _ in range(ticks):
        sleep(TICK_S)
        counts.append(len(performance.due()))
    return counts


def test_rest_is_one_frame_every_20_ms(talker: Talker, sleep: Clock) -> None:
    counts = frames_of(Rest(talker, 1), 200, sleep)
    assert set(counts[10:]) <= {0, 1, 2} and sum(counts[50:]) == pytest.approx(150, abs=1)


@pytest.mark.parametrize(("held_s", "frames"), [(0.4, 20), (LATEST_S + 1.0, 1)])
def test_rest_that_was_held_up_makes_up_for_a_short_while_alone(
    talker: Talker, sleep: Clock, held_s: float, frames: int
) -> None:
    rest = Rest(talker, 1)
    frames_of(rest, 50, sleep)
    sleep(held_s)
    assert len(rest.due()) == pytest.approx(frames, abs=1)
    assert sum(frames_of(rest, 100, sleep)) == pytest.approx(100, abs=1)


def test_frames_of_a_clip_are_there_just_before_they_are_shown(talker: Talker, sleep: Clock, demo_wav: Path) -> None:
    clip = Clip(talker, 1, read_sound(demo_wav, "demo"), 2.0)
    ahead_s, newest_s = [], 2.0
    while clip.position_s < 6.0:
        frames = clip.due()
        newest_s = frames[-1].time_s + clip.from_s if frames else newest_s
        ahead_s.append(newest_s - clip.position_s)
        sleep(TICK_S)
    assert AHEAD_S - 2 * TICK_S <= min(ahead_s[30:]) <= max(ahead_s[30:]) <= AHEAD_S + 2 * TICK_S


def test_a_clip_that_was_held_up_is_in_step_at_once(talker: Talker, sleep: Clock, demo_wav: Path) -> None:
    sound = read_sound(demo_wav, "demo")
    clip = Clip(talker, 1, sound, 0.0)
    faces = []
    for _ in range(3):
        sleep(1.7)
        faces += [frame.weights for frame in clip.due()]
    assert len(faces) / 50 - clip.position_s == pytest.approx(AHEAD_S, abs=2 * TICK_S)
    talker.reset()
    expected = [frame.weights for frame in talker.push(sound.pcm, sound.sample_rate_hz)]
    np.testing.assert_allclose(faces, expected[: len(faces)], atol=2e-4)


def test_a_microphone_that_falls_silent_is_silence_at_its_pace(talker: Talker, sleep: Clock) -> None:
    live = Live(talker, 1)
    for _ in range(50):
        sleep(TICK_S)
        live.hear(np.zeros(FRAME_SAMPLES, np.int16), SAMPLE_RATE_HZ)
        assert live.due() == []
    counts = frames_of(live, 100, sleep)
    silent = round(performances.SILENT_S / TICK_S)
    assert sum(counts[: silent - 1]) == 0 and sum(counts) == pytest.approx(100 - silent, abs=2)

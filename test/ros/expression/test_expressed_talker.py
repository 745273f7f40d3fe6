"""An expression fades in, is held, and is given back; the settings stay what they are."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import soundfile

import dtalker_model
from dtalker_model.errors import SettingError
from dtalker_model.settings import Settings
from dtalker_model.talker import Talker
from dtalker_ros.expression.expressed_talker import ExpressedTalker, ExpressionConfig
from dtalker_ros.expression.mood import LISTENING, mood_of
from dtalker_ros.expression.wish import Wish

FRAME = 320
HAPPY, ANGRY, LIVE = Wish("happy", {"happy": 1.0}), Wish("angry", {"angry": 1.5}), Wish("live", {"live": 1.0})
CONFIG = ExpressionConfig(timeout_s=2.0, fade_s=0.3, return_s=1.0)


class Noted:
    """A talker that notes its settings with each frame."""

    def __init__(self, **said: Any) -> None:
        self.settings = Settings(**said)
        self.samples = 0
        self.moods: list[dict[str, float]] = []
        self.pushes: list[int] = []

    def set(self, **changes: Any) -> None:
        self.settings = self.settings.replace(**changes)

    def push(self, pcm: np.ndarray, sample_rate_hz: int) -> list[Settings]:
        if np.isnan(pcm).any():
            raise ValueError("NaN")
        before, self.samples = self.samples, self.samples + len(pcm) * 16_000 // sample_rate_hz
        self.pushes.append(len(pcm))
        count = self.samples // FRAME - before // FRAME
        self.moods += [dict(mood_of(self.settings))] * count
        return [self.settings] * count


def expressed(**said: Any) -> tuple[ExpressedTalker, Noted]:
    noted = Noted(**said)
    talker = ExpressedTalker(noted)
    talker.config = CONFIG
    return talker, noted


def push(talker: ExpressedTalker, seconds: float, rate_hz: int = 16_000) -> None:
    for _ in range(round(seconds * 50)):
        talker.push(np.zeros((rate_hz // 50, 1), np.int16), rate_hz)


def strengths(noted: Noted, name: str) -> np.ndarray:
    return np.array([mood.get(name, 0.0) for mood in noted.moods])


def test_it_fades_in_is_held_and_returns() -> None:
    talker, noted = expressed(emotion="sad", intensity=0.5)
    push(talker, 0.1)
    before = noted.settings
    talker.express(HAPPY)
    push(talker, 4.0)
    happy, sad = strengths(noted, "happy")[5:], strengths(noted, "sad")[5:]
    np.testing.assert_allclose(happy[:15], np.arange(1, 16) / 15, atol=1e-9)
    np.testing.assert_allclose(sad[:15], 0.5 - np.arange(1, 16) / 30, atol=1e-9)
    assert np.all(happy[15:100] == pytest.approx(1.0)) and np.all(sad[15:100] == pytest.approx(0.0))
    np.testing.assert_allclose(happy[100:150], 1 - np.arange(1, 51) / 50, atol=1e-9)
    assert np.all(happy[150:] == 0) and np.all(sad[150:] == 0.5)
    assert noted.settings == before == talker.settings


@pytest.mark.parametrize("said", [{}, {"emotion": "live"}, {"emotion": "fearful", "live_share": 0.4, "intensity": 2.0}])
def test_every_part_of_the_mood_changes_one_way(said: dict[str, Any]) -> None:
    talker, noted = expressed(**said)
    push(talker, 0.1)
    talker.express(ANGRY)
    push(talker, CONFIG.timeout_s)
    turn = len(noted.moods)
    push(talker, 2.0)
    for name in {name for mood in noted.moods for name in mood}:
        for part in (strengths(noted, name)[:turn], strengths(noted, name)[turn:]):
            steps = np.diff(part)
            assert np.all(steps >= -1e-9) or np.all(steps <= 1e-9), name


def test_a_newer_one_takes_over_from_what_is_shown() -> None:
    talker, noted = expressed()
    talker.express(HAPPY)
    push(talker, 0.16)
    talker.express(ANGRY)
    push(talker, 1.0)
    assert np.all(np.abs(np.diff(strengths(noted, "happy"))) < 0.07)
    assert noted.moods[-1] == pytest.approx({"angry": 1.5})


def test_the_newest_wish_before_a_frame_counts() -> None:
    talker, noted = expressed()
    talker.express(HAPPY)
    talker.express(ANGRY)
    push(talker, 1.0)
    assert np.all(strengths(noted, "happy") == 0)


def test_each_message_holds_it_anew() -> None:
    talker, noted = expressed()
    for _ in range(3):
        talker.express(HAPPY)
        push(talker, 1.5)
    assert np.all(strengths(noted, "happy")[15:] == pytest.approx(1.0))


def test_without_a_timeout_it_stays_until_it_is_given_back() -> None:
    talker, noted = expressed(emotion="sad")
    talker.config = replace(CONFIG, timeout_s=0.0)
    talker.express(HAPPY)
    push(talker, 20.0)
    assert noted.moods[-1] == pytest.approx({"happy": 1.0})
    assert talker.expressing == "happy"
    talker.express(None)
    push(talker, 1.1)
    assert (noted.settings, talker.expressing) == (talker.settings, "")


def test_nothing_to_give_back_changes_nothing() -> None:
    talker, noted = expressed(emotion="sad")
    talker.express(None)
    push(talker, 0.5)
    assert noted.settings == Settings(emotion="sad")


def test_settings_beneath_it_count_afterwards() -> None:
    talker, noted = expressed()
    talker.express(HAPPY)
    push(talker, 1.0)
    talker.set(emotion="angry", gain_upper=2.0)
    assert talker.settings == Settings(emotion="angry", gain_upper=2.0)
    push(talker, 0.1)
    assert noted.moods[-1] == pytest.approx({"happy": 1.0})
    assert noted.settings.gain_upper == 2.0
    push(talker, 2.0)
    assert noted.settings == talker.settings


def test_a_refused_setting_changes_nothing() -> None:
    talker, noted = expressed()
    talker.express(HAPPY)
    push(talker, 1.0)
    with pytest.raises(SettingError):
        talker.set(intensity=3.0)
    push(talker, 0.1)
    assert talker.settings == Settings()
    assert noted.moods[-1] == pytest.approx({"happy": 1.0})


def test_a_share_leaves_the_rest_to_the_settings() -> None:
    talker, noted = expressed(emotion="live")
    talker.express(replace(HAPPY, share=0.25))
    push(talker, 1.0)
    assert noted.moods[-1] == pytest.approx({"happy": 0.25, "live": 0.75})


def test_who_follows_the_voice_goes_on_listening() -> None:
    talker, noted = expressed(emotion="live")
    talker.express(HAPPY)
    push(talker, 1.0)
    assert noted.settings.listens and noted.settings.live_share == LISTENING


def test_the_voice_may_be_asked_for() -> None:
    talker, noted = expressed(emotion="sad")
    talker.express(LIVE)
    push(talker, 1.0)
    assert noted.moods[-1] == pytest.approx({"live": 1.0})


def test_large_chunks_fade_frame_by_frame_and_are_whole_otherwise() -> None:
    talker, noted = expressed()
    talker.push(np.zeros((16_000, 1), np.int16), 16_000)
    talker.express(HAPPY)
    frames = talker.push(np.zeros((48_000, 1), np.int16), 16_000)
    assert len(frames) == 150
    assert noted.pushes[0] == 16_000
    happy = strengths(noted, "happy")[50:]
    np.testing.assert_allclose(happy[:15], np.arange(1, 16) / 15, atol=1e-9)
    assert max(noted.pushes[1:]) >= 25_000
    np.testing.assert_allclose(happy[100:], 1 - np.arange(1, 51) / 50, atol=1e-9)


@pytest.mark.parametrize("rate_hz", [8_000, 44_100, 48_000])
def test_time_is_that_of_the_stream_at_any_rate(rate_hz: int) -> None:
    talker, noted = expressed()
    talker.express(HAPPY)
    push(talker, 3.5, rate_hz)
    assert strengths(noted, "happy")[20:99].min() == pytest.approx(1.0)
    assert noted.settings == Settings()


def test_after_a_refused_piece_the_stream_has_its_length() -> None:
    talker, noted = expressed()
    talker.express(HAPPY)
    pcm = np.zeros((FRAME * 10, 1), np.float32)
    pcm[FRAME * 5] = np.nan
    with pytest.raises(ValueError, match="NaN"):
        talker.push(pcm, 16_000)
    assert noted.samples == FRAME * 10
    with pytest.raises(ValueError, match="NaN"):  # as the talker's: nothing was accepted
        talker.push(pcm[FRAME * 5 :], 16_000)
    assert noted.samples == FRAME * 10


def test_release_forgets_it_at_once() -> None:
    talker, noted = expressed(emotion="sad")
    talker.express(HAPPY)
    push(talker, 1.0)
    talker.express(ANGRY)
    talker.release()
    assert (noted.settings, talker.expressing) == (Settings(emotion="sad"), "")
    push(talker, 0.1)
    assert noted.moods[-1] == {"sad": 1.0}


@pytest.fixture(scope="module")
def speech(demo_wav: Any) -> np.ndarray:
    return np.asarray(soundfile.read(demo_wav, dtype="int16")[0][: 3 * 16_000, None])


@pytest.fixture
def real() -> Talker:
    return dtalker_model.load(blink=False, idle=False)


def faces(talker: Any, speech: np.ndarray, asked: Wish | None = None) -> np.ndarray:
    frames = talker.push(speech[: FRAME * 50], 16_000)
    if asked is not None:
        talker.express(asked)
    for start in range(FRAME * 50, len(speech), FRAME):
        frames += talker.push(speech[start : start + FRAME], 16_000)
    return np.array([frame.weights for frame in frames])


def test_the_face_of_the_model_goes_from_one_mood_to_the_other(real: Talker, speech: np.ndarray) -> None:
    """Between the faces that it has with the one and the other, one way, but for 2% of the network's memory."""
    asked = ExpressedTalker(real)
    asked.config = ExpressionConfig(timeout_s=0.0, fade_s=0.5)
    shown = faces(asked, speech, HAPPY)
    neutral = faces(dtalker_model.load(blink=False, idle=False), speech)
    happy = faces(dtalker_model.load(blink=False, idle=False, emotion="happy"), speech)
    asked_at = 50 - 3
    np.testing.assert_array_equal(shown[:asked_at], neutral[:asked_at])
    assert np.abs(shown[asked_at + 2] - neutral[asked_at + 2]).max() > 1e-3
    way = np.sum((shown - neutral) * (happy - neutral), axis=1) / np.sum((happy - neutral) ** 2, axis=1)
    fade = way[asked_at : asked_at + 25]
    assert np.all(np.diff(fade) > -0.02) and fade[-1] > 0.9
    np.testing.assert_allclose(way[asked_at + 50 :], 1.0, atol=0.1)


def test_without_an_expression_nothing_is_different(real: Talker, speech: np.ndarray) -> None:
    plain = dtalker_model.load(blink=False, idle=False)
    np.testing.assert_array_equal(faces(ExpressedTalker(real), speech), faces(plain, speech))

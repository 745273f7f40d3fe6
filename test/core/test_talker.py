"""The public object: exact streaming, its contract on frames, steering, bad input. With the shipped model."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile

import dtalker_model
from dtalker_model import ARKIT_NAMES, AudioError, Frame, SettingError, Settings, Talker
from dtalker_model.card import model_path, read_card
from dtalker_model.hearing.sound_check import CANCELLED, OFF_CENTRE
from dtalker_model.output.finite import HELD
from dtalker_model.rates import FRAME_SAMPLES, LOOKAHEAD_SAMPLES, SAMPLE_RATE_HZ
from dtalker_model.speaking.engine import Engine
from dtalker_model.speaking.personalizer import Personalizer
from dtalker_model.speaking.runtime import Graph, OnnxStep, State, Step

TOLERANCE = 1e-4
JAW_OPEN = ARKIT_NAMES.index("jawOpen")


@pytest.fixture
def talker() -> Talker:
    return dtalker_model.load()


@pytest.fixture(scope="module")
def speech(demo_wav: Path) -> np.ndarray:
    return soundfile.read(demo_wav, dtype="float32")[0]


def weights(frames: list[Frame]) -> np.ndarray:
    return np.stack([frame.weights for frame in frames])


def in_chunks(talker: Talker, pcm: np.ndarray, seed: int, longest: int, rate_hz: int = SAMPLE_RATE_HZ) -> list[Frame]:
    draw, frames, begin = np.random.default_rng(seed), [], 0
    while begin < len(pcm):
        end = begin + int(draw.integers(1, longest))
        frames += talker.push(pcm[begin:end], rate_hz)
        begin = end
    return frames + talker.flush()


def test_frames_are_named_timed_and_in_range(talker: Talker, speech: np.ndarray) -> None:
    frames = talker.push(speech, SAMPLE_RATE_HZ) + talker.flush()
    assert len(frames) == -(-len(speech) // FRAME_SAMPLES)
    assert [f.start_sample for f in frames] == [FRAME_SAMPLES * i for i in range(len(frames))]
    assert frames[7].time_s == pytest.approx(0.14)
    faces = weights(frames)
    assert faces.shape == (len(frames), len(ARKIT_NAMES)) and faces.dtype == np.float32
    assert 0 <= faces.min() and faces.max() <= 1
    assert faces[:, JAW_OPEN].std() > 0.03, "the jaw must move with speech"


@pytest.mark.parametrize("longest", [2, 400, 5000, 60000], ids=lambda n: f"up to {n} samples")
def test_any_chunking_gives_the_same_frames(talker: Talker, speech: np.ndarray, longest: int) -> None:
    pcm = speech[: 2 * SAMPLE_RATE_HZ] if longest == 2 else speech
    expected = weights(talker.push(pcm, SAMPLE_RATE_HZ) + talker.flush())
    streamed = weights(in_chunks(talker, pcm, seed=longest, longest=longest))
    np.testing.assert_allclose(streamed, expected, atol=TOLERANCE)


def test_ten_minutes_in_any_chunks_give_the_same_frames(talker: Talker, speech: np.ndarray) -> None:
    pcm = np.resize(speech, 600 * SAMPLE_RATE_HZ)
    expected = weights(talker.push(pcm, SAMPLE_RATE_HZ) + talker.flush())
    assert len(expected) == 30_000
    np.testing.assert_allclose(weights(in_chunks(talker, pcm, 1, 200_000)), expected, atol=TOLERANCE)


def test_live_identity_and_emotion_stream_exactly_too(speech: np.ndarray) -> None:
    talker = dtalker_model.load(identity="live", emotion="live")
    expected = weights(talker.push(speech, SAMPLE_RATE_HZ) + talker.flush())
    np.testing.assert_allclose(weights(in_chunks(talker, speech, 5, 3000)), expected, atol=TOLERANCE)


def test_a_frame_needs_no_audio_later_than_the_look_ahead(talker: Talker, speech: np.ndarray) -> None:
    cut = 320 * 200
    before = weights(talker.push(speech, SAMPLE_RATE_HZ) + talker.flush())
    changed = speech.copy()
    changed[cut:] = 0.1 * np.random.default_rng(0).standard_normal(len(speech) - cut)
    after = weights(talker.push(changed, SAMPLE_RATE_HZ) + talker.flush())
    unaffected = (cut - LOOKAHEAD_SAMPLES) // FRAME_SAMPLES + 1
    np.testing.assert_array_equal(before[:unaffected], after[:unaffected])
    assert np.abs(before[unaffected:] - after[unaffected:]).max() > 1e-3


@pytest.mark.parametrize("samples", [1, 319, 320, 321, 1279, 1280, 1600])
def test_a_frame_comes_out_as_soon_as_its_look_ahead_is_in(talker: Talker, samples: int) -> None:
    frames = talker.push(np.zeros(samples, np.float32), SAMPLE_RATE_HZ)
    assert len(frames) == max((samples - LOOKAHEAD_SAMPLES) // FRAME_SAMPLES + 1, 0)
    assert len(frames + talker.flush()) == -(-samples // FRAME_SAMPLES)


@pytest.mark.parametrize("rate_hz", [8000, 22050, 44100, 48000, 192000])
def test_every_rate_gives_fifty_frames_a_second(talker: Talker, rate_hz: int) -> None:
    pcm = (1000 * np.random.default_rng(0).standard_normal((rate_hz, 2))).astype(np.int16)
    frames = [f for piece in np.array_split(pcm, 7) for f in talker.push(piece, rate_hz)] + talker.flush()
    assert len(frames) in (50, 51)


def test_reset_and_flush_begin_a_fresh_stream(talker: Talker, speech: np.ndarray) -> None:
    first = weights(talker.push(speech, SAMPLE_RATE_HZ) + talker.flush())
    talker.push(speech[:12345], SAMPLE_RATE_HZ)
    talker.reset()
    assert talker.samples == 0
    np.testing.assert_array_equal(weights(talker.push(speech, SAMPLE_RATE_HZ) + talker.flush()), first)


def test_flush_of_nothing_is_nothing(talker: Talker) -> None:
    assert talker.flush() == []


def test_the_seed_decides_everything_random(speech: np.ndarray) -> None:
    a, b, c = (dtalker_model.load(seed=seed) for seed in (1, 1, 2))
    faces = [weights(t.push(speech, SAMPLE_RATE_HZ)) for t in (a, b, c)]
    np.testing.assert_array_equal(faces[0], faces[1])
    assert np.abs(faces[0] - faces[2]).max() > 1e-3


def test_a_refused_chunk_leaves_the_stream_as_it_was(talker: Talker, speech: np.ndarray) -> None:
    expected = weights(talker.push(speech, SAMPLE_RATE_HZ) + talker.flush())
    frames = talker.push(speech[:5000], SAMPLE_RATE_HZ)
    for bad, rate in ((np.full(100, np.nan), 16000), (np.zeros(0, np.int16), 16000), (np.zeros(9, np.int16), 5)):
        with pytest.raises(AudioError):
            talker.push(bad, rate)
    frames += talker.push(speech[5000:], SAMPLE_RATE_HZ) + talker.flush()
    np.testing.assert_allclose(weights(frames), expected, atol=TOLERANCE)


def test_settings_change_from_the_next_frame_and_are_refused_whole(talker: Talker, speech: np.ndarray) -> None:
    calm = weights(talker.push(speech, SAMPLE_RATE_HZ) + talker.flush())
    frames = talker.push(speech[:80000], SAMPLE_RATE_HZ)
    talker.set(emotion="happy", intensity=1.5)
    steered = weights(frames + talker.push(speech[80000:], SAMPLE_RATE_HZ) + talker.flush())
    np.testing.assert_allclose(steered[: len(frames)], calm[: len(frames)], atol=TOLERANCE)
    smile = ARKIT_NAMES.index("mouthSmileLeft")
    assert steered[len(frames) + 50 :, smile].mean() > calm[len(frames) + 50 :, smile].mean() + 0.1
    with pytest.raises(SettingError, match="happy"):
        talker.set(intensity=0.5, emotion="hapy")
    assert talker.settings.intensity == 1.5


def test_unknown_names_are_refused_on_load() -> None:
    with pytest.raises(SettingError, match="nobody"):
        dtalker_model.load(identity="nobody")
    with pytest.raises(SettingError, match="volume"):
        dtalker_model.load(volume=11)


def test_a_mouth_at_rest_stays_shut_in_silence_and_in_room_noise(talker: Talker) -> None:
    noise = 10 ** (-55 / 20) * np.random.default_rng(0).standard_normal(10 * SAMPLE_RATE_HZ)
    for audio in (np.zeros(10 * SAMPLE_RATE_HZ, np.float32), noise.astype(np.float32)):
        faces = weights(talker.push(audio, SAMPLE_RATE_HZ) + talker.flush())
        assert faces[100:, JAW_OPEN].max() < 0.02


def test_hush_brings_the_mouth_to_rest_within_100_ms(talker: Talker, speech: np.ndarray) -> None:
    talker.push(speech[:64000], SAMPLE_RATE_HZ)
    talker.hush(ease_ms=100)
    frames = talker.push(np.zeros(32000, np.float32), SAMPLE_RATE_HZ)
    assert weights(frames)[5:, JAW_OPEN].max() < 0.02


def test_belief_follows_the_voice_and_silence_changes_nothing(speech: np.ndarray) -> None:
    talker = dtalker_model.load(identity="live", emotion="live")
    if not talker.belief.emotions:
        pytest.skip("this model has no listener")
    talker.push(speech, SAMPLE_RATE_HZ)
    heard = talker.belief
    assert heard.speech_s > 4
    assert sum(heard.emotions.values()) == pytest.approx(1, abs=1e-5)
    talker.push(np.zeros(SAMPLE_RATE_HZ, np.float32), SAMPLE_RATE_HZ)
    settled = talker.belief
    talker.push(np.zeros(5 * SAMPLE_RATE_HZ, np.float32), SAMPLE_RATE_HZ)
    assert talker.belief == settled
    assert not settled.speaking


class FailingStep(Step):
    """The student, which returns NaN for some of its calls, and a memory that is no better."""

    def __init__(self, step: OnnxStep, fails: Callable[[int], bool]) -> None:
        self._step, self._fails, self.steps, self.calls = step, fails, step.steps, 0

    def initial_state(self, batch: int = 1) -> State:
        return self._step.initial_state(batch)

    def _run(self, inputs: dict[str, np.ndarray], state: State, steps: int) -> tuple[np.ndarray, State]:
        weights, state = self._step._run(inputs, state, steps)
        self.calls += 1
        if not self._fails(self.calls):
            return weights, state
        return np.full_like(weights, np.nan), {name: np.full_like(x, np.nan) for name, x in state.items()}


def talker_that_fails(fails: Callable[[int], bool]) -> Talker:
    card = read_card(model_path("dtalker"))
    personalizer = Personalizer(card)
    step = OnnxStep(model_path("dtalker"), personalizer.embedding_dim, card.steps)
    settings = Settings(blink=False, idle=False, stillness=1.0)
    return Talker(card, Engine(FailingStep(step, fails), None, personalizer), settings)


def test_a_model_that_returns_nan_for_a_while_holds_the_face_and_goes_on(speech: np.ndarray) -> None:
    talker = talker_that_fails(lambda call: 60 <= call < 70)
    pieces = np.split(speech[: 5 * SAMPLE_RATE_HZ], 250)
    frames, faults = [], []
    for piece in pieces:
        frames += talker.push(piece, SAMPLE_RATE_HZ)
        faults.append(talker.faults)
    faces = weights(frames)
    assert np.isfinite(faces).all()
    assert np.ptp(faces[60 - 4 : 70 - 4, JAW_OPEN]) == 0, "the first frame comes with the fourth call"
    assert faces[80:, JAW_OPEN].std() > 0.03, "the network goes on"
    assert faults[:59] == [()] * 59 and faults[59:69] == [(HELD,)] * 10
    assert faults[69 + 3 * 50 :] == [()] * (250 - 69 - 150)


def test_a_model_that_always_returns_nan_makes_a_face_at_rest(speech: np.ndarray) -> None:
    talker = talker_that_fails(lambda call: True)
    frames = talker.push(speech, SAMPLE_RATE_HZ) + talker.flush()
    assert not weights(frames).any()
    assert talker.faults == (HELD,)


def test_a_listener_that_returns_nan_is_not_believed(speech: np.ndarray, monkeypatch: pytest.MonkeyPatch) -> None:
    talker = dtalker_model.load(identity="live", emotion="live")
    if not talker.belief.emotions:
        pytest.skip("this model has no listener")
    talker.push(speech[:SAMPLE_RATE_HZ], SAMPLE_RATE_HZ)
    before, run = talker.belief, Graph.run

    def broken(self: Graph, inputs: dict[str, np.ndarray], state: State) -> tuple[list[np.ndarray], State]:
        outputs, state = run(self, inputs, state)
        if "pace" not in inputs:
            return outputs, state
        return [x * np.nan for x in outputs], {name: x * np.nan for name, x in state.items()}

    monkeypatch.setattr(Graph, "run", broken)
    faces = talker.push(speech[SAMPLE_RATE_HZ : 2 * SAMPLE_RATE_HZ], SAMPLE_RATE_HZ)
    assert talker.belief.identities == before.identities and talker.faults == ()
    monkeypatch.setattr(Graph, "run", run)
    faces += talker.push(speech[2 * SAMPLE_RATE_HZ :], SAMPLE_RATE_HZ)
    assert np.isfinite(weights(faces)).all()
    assert talker.belief.identities != before.identities, "it hears again"


def test_what_is_wrong_with_the_sound_is_told_until_it_is_over(talker: Talker, speech: np.ndarray) -> None:
    second = speech[:SAMPLE_RATE_HZ] * 0.5
    told = []
    for offset in (0, 0.05, 0, 0, 0, 0):
        talker.push(second + np.float32(offset), SAMPLE_RATE_HZ)
        told.append(talker.faults)
    assert told == [(), *4 * [(OFF_CENTRE,)], ()]
    talker.push(np.stack([second, -second], axis=1)[:8000], SAMPLE_RATE_HZ)
    talker.flush()
    assert talker.faults == (CANCELLED,), "the end of a stream is heard too"
    talker.reset()
    assert not talker.faults

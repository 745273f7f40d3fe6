"""What the listener learns from: the pitch of known tones, other voices and rooms, groups that are pure functions."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch", reason="torch is not installed: pip install '.[train]'")
pytest.importorskip("scipy", reason="scipy is not installed: pip install '.[train]'")

from dtalker_model.hearing.features import POWER_FLOOR, LogMel
from dtalker_model.rates import SAMPLE_RATE_HZ
from training.corpus.clips import Clip
from training.listening.voice_change import Changed, VoiceChange, at_frequency, change, draw_change, read_at
from training.listening.voice_crops import HeardClip, VoiceSampler, VoiceSampling, voice_name, voices_of
from training.listening.voice_pitch import NO_PITCH, UNKNOWN, Pitch, best_path, pitch_classes, track_pitch

SECOND = np.arange(SAMPLE_RATE_HZ) / SAMPLE_RATE_HZ


def buzz(f0_hz: float) -> np.ndarray:
    """A voice-like tone: harmonics that fall off."""
    return 0.1 * np.sum([np.sin(2 * np.pi * k * f0_hz * SECOND) / k for k in range(1, 12)], axis=0)


@pytest.mark.parametrize("f0_hz", [80.0, 130.0, 220.0, 450.0])
def test_the_pitch_of_a_tone(f0_hz: float) -> None:
    pitch = track_pitch(buzz(f0_hz))
    assert len(pitch.octaves) == 50
    np.testing.assert_allclose(2 ** pitch.octaves[2:-2], f0_hz, rtol=0.03)
    assert pitch.strength[2:-2].min() > 0.9


def test_noise_has_no_pitch() -> None:
    noise = np.random.default_rng(0).standard_normal(SAMPLE_RATE_HZ)
    assert np.median(track_pitch(noise).strength) < 0.45


def test_the_best_path_prefers_what_goes_on() -> None:
    octaves = np.tile([7.0, 8.0], (5, 1))
    strengths = np.array([[0.9, 0.1], [0.9, 0.1], [0.5, 0.8], [0.9, 0.1], [0.9, 0.1]])
    np.testing.assert_array_equal(best_path(strengths, octaves), 0)


def test_classes_of_pitch() -> None:
    octaves = np.log2([65.0, 620.0, 200.0, 200.0])
    strength = np.array([0.9, 0.9, 0.1, 0.5])
    np.testing.assert_array_equal(pitch_classes(octaves, strength, 40), [0, 39, NO_PITCH, UNKNOWN])


def test_positions_between_rows() -> None:
    np.testing.assert_allclose(read_at(np.array([0.0, 10.0, 30.0]), np.array([-1, 0.5, 1.5, 9]), 0), [0, 5, 20, 30])


def test_other_frequencies_are_where_a_faster_voice_has_them() -> None:
    def bands(f_hz: float) -> np.ndarray:
        tone = np.sin(2 * np.pi * f_hz * SECOND).astype(np.float32)
        return LogMel().push(tone).log_mel[5:6].reshape(1, 2, 64)

    moved = at_frequency(bands(1000.0), 1.26)
    assert abs(int(moved[0, 0].argmax()) - int(bands(1260.0)[0, 0].argmax())) <= 1
    assert at_frequency(moved, 1.0) is moved


def test_a_gain_is_added_to_the_logarithm_above_the_floor() -> None:
    loud = np.zeros((4, 128), np.float32)
    to = Changed(1.0, np.full(64, 20.0), np.full(64, -400.0))
    np.testing.assert_allclose(change(loud, to, np.random.default_rng(0)), np.log(100), atol=1e-4)
    silent = np.full((4, 128), np.log(POWER_FLOOR), np.float32)
    np.testing.assert_allclose(change(silent, to, np.random.default_rng(0)), np.log(POWER_FLOOR), atol=1e-3)


def test_noise_is_as_loud_as_asked() -> None:
    to = draw_change(np.random.default_rng(0), VoiceChange(noise_snr_db=(20, 20)))
    assert np.mean(10 ** (to.noise_db / 10)) == pytest.approx(0.01)


def heard(source: str, speaker: str, emotion: str, level: float) -> HeardClip:
    clip = Clip(Path(), f"{speaker}_{emotion}", source, "train", speaker, emotion, "", 3.0, "")
    features = np.full((150, 128), level, np.float16)
    speaking = np.zeros(150, np.float32)
    speaking[30:120] = 1
    return HeardClip(clip, features, speaking, Pitch(np.full(150, 7.0, np.float32), np.ones(150, np.float32)))


@pytest.fixture(scope="module")
def sampler() -> VoiceSampler:
    clips = [heard("ravdess", s, e, -3.0) for s in ("a", "b") for e in ("happy", "sad")]
    clips.append(heard("flite", "robot", "neutral", -3.0))
    sampling = VoiceSampling(crop_frames=40, group=3)
    return VoiceSampler(clips, voices_of([c.clip for c in clips]), sampling, pitches=40, seed=0)


def test_a_group_is_a_function_of_seed_step_and_number(sampler: VoiceSampler) -> None:
    whole, part, later = sampler.acted(3, range(4)), sampler.acted(3, range(2, 4)), sampler.acted(4, range(4))
    for name in vars(whole):
        np.testing.assert_array_equal(getattr(whole, name)[2:], getattr(part, name))
    assert not np.array_equal(whole.features, later.features)


def test_a_group_is_one_voice(sampler: VoiceSampler) -> None:
    acted, others = sampler.acted(1, range(40)), sampler.others(1, range(40))
    assert acted.features.shape == (40, 3, 40, 128) and acted.features.isfinite().all()
    for batch, speakers in ((acted, {"a", "b"}), (others, {"robot"})):
        assert (batch.voice == batch.voice[:, :1]).all()
        names = {list(sampler.entry)[v] for v in batch.voice[:, 0]}
        assert {name.split(" x")[0] for name in names} == speakers and len(names) > 2
        assert (batch.speaking.sum(-1) > 0).all()


def test_histories_hold_oneself_once(sampler: VoiceSampler) -> None:
    history = sampler.acted(2, range(60)).history
    np.testing.assert_array_equal(history.diagonal(dim1=1, dim2=2), 1)
    others = history.sum(-1) - 1
    assert 0.2 < (others == 0).float().mean() < 0.9
    assert history.min() == 0 and history.max() <= sampler.sampling.longest_history


def test_a_voice_at_another_speed_is_another_voice() -> None:
    assert voice_name("ann", 1.0) == "ann" and voice_name("ann", 0.8) == "ann x0.8"
    clip = heard("ravdess", "ann", "sad", 0.0).clip
    assert len(voices_of([clip, clip])) == 5

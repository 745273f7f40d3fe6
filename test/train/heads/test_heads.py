"""Recorded heads: axes, figures and looks on known movement, and the fit on heads that were made."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from dtalker_model.gesture.head_model import by_hand
from dtalker_model.gesture.sway import Sway
from dtalker_model.rates import FRAME_RATE_HZ
from training.corpus.clips import Clip
from training.heads.figures import BANDS_HZ, Heads, band_levels_db, figures, spectral_densities
from training.heads.fit import GRID, answered, causal_filter, circle_spectrum, fit_response
from training.heads.looks import measure_looks
from training.heads.motion import HeadTrack, angles, directions, rotations
from training.stages.run_head import HeadTraining, fit

TO_HEAD = np.array([[0.0, 0.0, -1.0], [1.0, 0.0, 0.0], [0.0, -1.0, 0.0]])


@pytest.mark.parametrize(
    ("pose", "turn"), [((0.2, 0, 0), (0, 0.2, 0)), ((0, 0.2, 0), (-0.2, 0, 0)), ((0, 0, 0.2), (0, 0, -0.2))]
)
def test_openface_turns_in_the_camera_and_we_in_the_head(pose: tuple[float, ...], turn: tuple[float, ...]) -> None:
    """Its x points to the right of the picture, the character's left: about y the face turns to the own right."""
    turned = TO_HEAD @ rotations(np.array([pose])) @ TO_HEAD.T
    np.testing.assert_allclose(angles(turned), [turn], atol=1e-12)


def test_angles_are_those_of_rotations_one_after_the_other() -> None:
    transform = pytest.importorskip("scipy.spatial.transform")
    turns = np.random.default_rng(0).uniform(-0.5, 0.5, (20, 3))
    np.testing.assert_allclose(angles(transform.Rotation.from_euler("ZYX", turns).as_matrix()), turns, atol=1e-12)


def test_directions_are_to_the_left_and_down() -> None:
    np.testing.assert_allclose(directions(np.array([[1.0, 0.1, -0.2]])), [[np.arctan(0.1), 0.1965]], atol=1e-3)


def noises(seconds: float, count: int) -> list[np.ndarray]:
    swayed = swaying(1)
    frames = round(seconds * FRAME_RATE_HZ)
    return [swayed(np.full(frames, -60.0), np.ones(frames)) for _ in range(count)]


def swaying(seed: int) -> Callable[[np.ndarray, np.ndarray], np.ndarray]:
    """Turns (n, 3) that the model by hand makes of levels and gate (n,), one stream of all calls."""
    sway, random = Sway(by_hand()), np.random.default_rng(seed)

    def draw(count: int) -> np.ndarray:
        return random.standard_normal((count, 3), np.float32)

    def swayed(level_db: np.ndarray, speaking: np.ndarray) -> np.ndarray:
        return np.array([sway.step(draw, *now, True) for now in zip(level_db.tolist(), speaking.tolist())])

    return swayed


def test_band_levels_are_the_same_at_every_frame_rate() -> None:
    clips = noises(4.0, 40)
    slower = [clip[::2] for clip in clips]
    assert np.abs(band_levels_db(clips, 50.0) - band_levels_db(slower, 25.0)).max() < 0.3


def test_white_noise_has_its_density_in_every_band() -> None:
    random = np.random.default_rng(0)
    clips = [0.1 * random.standard_normal((200, 2)) for _ in range(200)]
    np.testing.assert_allclose(band_levels_db(clips, 50.0)[5:], 10 * np.log10(2 * 0.01 / 50), atol=0.6)


def test_the_filter_has_the_spectrum_that_it_was_made_for() -> None:
    hz = np.arange(0.1, 12, 0.1)
    power = 0.01 / (1 + (hz / 0.8) ** 4)
    density = np.zeros((len(hz), 3, 3), complex)
    density[:, range(3), range(3)] = power[:, None] * [1, 2, 0.5]
    density[:, 0, 2] = density[:, 2, 0] = 0.4 * power
    spectrum = circle_spectrum(density, hz)
    taps = np.swapaxes(causal_filter(spectrum, 400), 1, 2)
    response = np.fft.fft(taps, GRID, axis=0)
    made = response @ np.conj(np.swapaxes(response, 1, 2))
    np.testing.assert_allclose(made[5:80], spectrum[5:80], atol=0.02 * np.abs(spectrum).max())
    assert np.abs(taps[200:]).max() < 1e-3 * np.abs(taps).max()


def track(turns: np.ndarray, level_db: np.ndarray, speaking: np.ndarray) -> HeadTrack:
    clip = Clip(Path(), "a", "ravdess", "train", "ravdess_01", "happy", "a.flac", len(turns) / 50, "CC0", fps=50.0)
    times_s = np.arange(len(turns)) / FRAME_RATE_HZ
    seen = np.ones(len(turns), bool)
    still = np.zeros((len(turns), 2))
    eyes = -0.5 * turns[:, :2]
    return HeadTrack(clip, turns, eyes, still, seen, times_s, level_db, speaking)


def made_tracks(count: int) -> list[HeadTrack]:
    """Heads that the model by hand makes of random syllables."""
    swayed, random = swaying(2), np.random.default_rng(2)
    tracks = []
    for _ in range(count):
        frames = 250
        speaking = np.ones(frames, np.float32)
        speaking[:60] = 0
        level_db = np.repeat(random.uniform(-55, -20, frames // 10), 10).astype(np.float32)
        tracks.append(track(swayed(level_db, speaking), level_db, speaking))
    return tracks


def test_a_fit_to_made_heads_finds_what_made_them() -> None:
    tracks = made_tracks(150)
    model = fit(HeadTraining(rounds=2), tracks)
    deviation = np.sqrt(np.square(model.noise).sum(axis=(0, 1)))
    np.testing.assert_allclose(deviation, [0.04, 0.05, 0.03], rtol=0.25)
    wanted, found = (np.concatenate([answered(t, m.response)[:, 1] for t in tracks]) for m in (by_hand(), model))
    assert np.corrcoef(wanted, found)[0, 1] > 0.9 and found.std() == pytest.approx(wanted.std(), rel=0.25)
    assert model.calm == pytest.approx(0.5, abs=0.15)
    assert model.steady == (0.5, 0.5)


def test_the_same_fit_twice_is_the_same() -> None:
    tracks = made_tracks(5)
    first, again = (fit(HeadTraining(rounds=1), tracks) for _ in range(2))
    np.testing.assert_array_equal(first.noise, again.noise)
    np.testing.assert_array_equal(first.response, fit_response(tracks, 10.0).astype(np.float32))


def test_looks_are_counted_with_their_lengths() -> None:
    aim = np.zeros((300, 2))
    for begin in (100, 200):
        aim[begin : begin + 20] = [0.2, 0.0]
    aim += np.random.default_rng(0).normal(0, 0.005, aim.shape)
    looks = measure_looks([aim], [np.ones(300, bool)], 50.0)
    assert looks.averted_s == pytest.approx(0.4, abs=0.05) and looks.aversion == pytest.approx(2 / 5)
    assert looks.contact_s == pytest.approx(260 / 50 / 2, abs=0.1)
    assert looks.far_rad[0] == pytest.approx(0.2, abs=0.01) and looks.near_rad[0] < 0.01
    assert looks.saccades_hz == pytest.approx(4 / 6, abs=0.05)


def test_figures_of_a_head_that_nods_with_the_voice() -> None:
    time_s = np.arange(200) / 50
    loud = 0.5 + 0.5 * np.sin(2 * np.pi * time_s)
    turns = np.stack([np.zeros(200), -0.1 * loud, 0.02 * np.sin(time_s)], axis=1)
    found = figures(Heads([turns], [loud], [np.full(200, np.nan)], 50.0))
    correlation = found["correlation"]
    assert isinstance(correlation, dict) and correlation["loudness"][1] == pytest.approx(-1, abs=1e-3)
    levels = np.array(list(found["spectrum_db"].values()))[:, 1]  # type: ignore[attr-defined]
    assert BANDS_HZ[int(levels.argmax())] == 1.0


def test_densities_of_two_turns_that_move_together_are_coherent() -> None:
    wave = np.random.default_rng(0).standard_normal(400)
    density = spectral_densities([np.stack([wave, 2 * wave], axis=1)], 50.0, np.array([2.0]))[0]
    np.testing.assert_allclose(density[0, 1], 2 * density[0, 0].real, rtol=1e-9)

"""Sound in step with the face through a card whose clock is off: no drift, no click, underruns made good."""

import numpy as np
import pytest
from card_rig import Card, dial, off_s, tone

from dtalker_ros.playback.player import Player

STEP_MS = 20.0
"""The issue's bound on the distance of sound and face."""
CLEAN_DB = -80.0
"""Nothing beside a played sine is louder than this, below it."""


def worst_db(sound: np.ndarray, rate_hz: float, hz: float) -> float:
    """The loudest component (n,) more than 20 Hz away from the sine at `hz`, below the sine, dB."""
    spectrum = np.abs(np.fft.rfft(sound * np.kaiser(len(sound), 20)))
    frequencies = np.fft.rfftfreq(len(sound), 1 / rate_hz)
    beside = spectrum[np.abs(frequencies - hz) > 20]
    return float(20 * np.log10(beside.max() / spectrum.max()))


@pytest.mark.parametrize("ppm", [-200, 200])
def test_ten_minutes_in_step_with_a_clock_that_is_off(ppm: float) -> None:
    card = Card(Player(8_000, 2), dial, 8_000, ppm, frames=320).run(600)
    off_ms = 1e3 * np.abs(off_s(*card.heard(0.5)))
    print(f"\n{ppm:+} ppm: worst {off_ms.max():.2f} ms, in the last minute {off_ms[-480_000:].max():.2f} ms")
    assert off_ms.max() < 3.0 < STEP_MS
    assert off_ms[-480_000:].max() < 1.0
    assert card.player.underruns == 0
    assert card.player.clock.drift_ppm == pytest.approx(ppm, abs=20)


@pytest.mark.parametrize("ppm", [-200, 200])
@pytest.mark.parametrize("source_hz", [16_000, 44_100, 48_000])
def test_a_sine_stays_clean(ppm: float, source_hz: int) -> None:
    card = Card(Player(48_000, 1), tone(1000.0), source_hz, ppm).run(14)
    sound, _ = card.heard(3.0)
    level_db = worst_db(sound[:, 0].astype(np.float64), card.rate_hz, 1000.0)
    print(f"\n{source_hz} Hz, {ppm:+} ppm: {level_db:.1f} dB")
    assert level_db < CLEAN_DB
    assert np.abs(sound).max() == pytest.approx(0.5, abs=0.01)


def test_a_click_would_be_seen() -> None:
    t = np.arange(11 * 48_000) / 48_000
    sine = tone(1000.0)(t)[:, 0]
    assert worst_db(sine, 48_000, 1000.0) < CLEAN_DB
    assert worst_db(np.delete(sine, 5 * 48_000), 48_000, 1000.0) > CLEAN_DB  # one sample dropped


def test_it_plays_whatever_the_latency_and_the_size_of_the_buffers() -> None:
    for frames in (64, 441, 2048):
        card = Card(Player(48_000, 2), dial, 16_000, 100, frames=frames).run(3)
        assert 1e3 * np.abs(off_s(*card.heard(0.5))).max() < 3.0


def stalls(begin_s: float, end_s: float) -> object:
    return lambda now_s: begin_s if begin_s <= now_s < end_s else now_s


def test_an_underrun_is_counted_once_and_made_good_without_a_click() -> None:
    card = Card(Player(48_000, 2), dial, 48_000, 100, fed_until_s=stalls(4.0, 4.7)).run(8)  # type: ignore[arg-type]
    assert card.player.underruns == 1
    sound, times = card.heard(0.5)
    silent = (np.abs(sound).max(axis=1) < 1e-4) & (times > 4) & (times < 5)
    assert 0.4 < silent.mean() * len(times) / 48_000 < 0.7
    assert 1e3 * np.abs(off_s(sound[times > 4.8], times[times > 4.8])).max() < 3.0
    assert np.abs(np.diff(sound, axis=0)).max() < 0.01  # the fade of 5 ms; a click would be 0.5


def test_where_the_clock_is_set_the_sound_goes_along() -> None:
    card = Card(Player(48_000, 2), dial, 48_000, 100).run(4)
    player = card.player
    t = np.arange(48_000) / 48_000
    set_ns = 1_600_000_000_000_000_000
    player.put(dial(t), 48_000, set_ns + 50_000_000, broken=True)
    out = np.concatenate([player.render(480, set_ns + k * 10_000_000) for k in range(60)])
    times = np.arange(len(out)) / 48_000
    late = off_s(out[times > 0.1], times[times > 0.1] - 0.05)
    assert 1e3 * np.abs(late).max() < 3.0


def test_what_does_not_belong_together_is_joined() -> None:
    """Blocks of a sine that begin anew in the midst of a period, as after a piece was dropped."""
    card = Card(Player(48_000, 1), lambda t: tone(997.0)(t + (t >= 2.0) * 0.0007), 48_000, 0, breaks=frozenset({100}))
    sound, times = card.run(4).heard(1.0)
    near = (times > 1.95) & (times < 2.1)
    steepest = 2 * np.pi * 997 * 0.5 / 48_000
    assert np.abs(np.diff(sound[near], axis=0)).max() < 1.2 * steepest


@pytest.mark.parametrize("dtype", [np.int16, np.int32, np.float32, np.float64])
def test_every_type_and_number_of_channels_is_played(dtype: type) -> None:
    player = Player(16_000, 2)
    full = 1.0 if np.dtype(dtype).kind == "f" else float(np.iinfo(dtype).max)
    pcm: np.ndarray = np.stack(
        [np.full(16_000, 0.5 * full), np.zeros(16_000), np.full(16_000, 0.25 * full)], axis=1
    ).astype(dtype)
    player.put(pcm, 16_000, 0)
    out = np.concatenate([player.render(160, k * 10_000_000) for k in range(50)])
    np.testing.assert_allclose(out[4000:], 0.25, atol=1e-3)

"""The loop of loudspeaker, jaw and microphone, simulated with known delays: found to a millisecond."""

import numpy as np
import pytest

from dtalker_model.errors import DtalkerError
from dtalker_ros.playback.player import Player
from dtalker_ros.playback.snaps import (
    Recording,
    Schedule,
    agreed_ms,
    click_delays_ms,
    seen_delays_ms,
    snap_delays_ms,
)
from dtalker_ros.timing.pace import MS

BEGIN_NS = 1_700_000_002_000_000_000
RATE_HZ = 48_000
COUNT = 6


def recorded(
    sound_ms: float, jaw_ms: float, noise: float = 0.003, echo: float = 0.3, card_ppm: float = 150.0
) -> tuple[Recording, Schedule]:
    """What a microphone hears whose first sample is 2 s before the first click, of sound played by a `Player`."""
    rng, schedule = np.random.default_rng(3), Schedule(BEGIN_NS, COUNT)
    player, card_hz, begin_ns = Player(RATE_HZ, 1), RATE_HZ * (1 + card_ppm * 1e-6), BEGIN_NS - 2_000 * MS
    player.put(schedule.sound(RATE_HZ), RATE_HZ, BEGIN_NS)
    length_s = (schedule.end_ns - begin_ns) / 1e9
    played = np.concatenate(
        [
            player.render(480, begin_ns + round((k * 480 / card_hz + rng.uniform(-1, 1) * 1e-3) * 1e9))
            for k in range(round(length_s * card_hz / 480) - 1)
        ]
    )[:, 0]
    t, at = np.arange(round(length_s * RATE_HZ)) / RATE_HZ, np.arange(len(played)) / card_hz
    pcm = rng.normal(size=len(t)) * noise
    for late_ms, gain in ((sound_ms, 0.5), (sound_ms + 4.3, 0.5 * echo)):
        pcm += gain * np.interp(t, at + late_ms / 1e3, played, 0.0, 0.0)
    for time_ns in schedule.snaps_ns:
        since = t - (time_ns - begin_ns) / 1e9 - jaw_ms / 1e3
        pcm += np.where(
            (since >= 0) & (since < 0.05), 0.3 * rng.normal(size=len(t)) * np.exp(-np.clip(since, 0, 1) / 0.01), 0.0
        )
    return Recording(pcm.astype(np.float32), begin_ns, 1e9 / RATE_HZ), schedule


@pytest.mark.parametrize(("sound_ms", "jaw_ms"), [(37.4, 85.3), (212.0, 60.0), (5.0, 5.0), (12.6, 480.0)])
def test_known_delays_are_found(sound_ms: float, jaw_ms: float) -> None:
    recording, schedule = recorded(sound_ms, jaw_ms)
    sound = agreed_ms(click_delays_ms(recording, schedule.clicks_ns), COUNT, "clicks")
    jaw = agreed_ms(snap_delays_ms(recording, schedule.snaps_ns), COUNT, "snaps")
    print(
        f"\nsound {sound - sound_ms:+.2f} ms, jaw {jaw - jaw_ms:+.2f} ms, offset {jaw - sound - jaw_ms + sound_ms:+.2f}"
    )
    assert sound == pytest.approx(sound_ms, abs=1.0)
    assert jaw == pytest.approx(jaw_ms, abs=1.0)
    assert jaw - sound == pytest.approx(jaw_ms - sound_ms, abs=1.0)


def test_a_camera_takes_the_place_of_the_snaps() -> None:
    schedule = Schedule(BEGIN_NS, COUNT)
    seen = [time_ns + 93.2 * MS + k * 1e5 for k, time_ns in enumerate(schedule.snaps_ns)]
    assert agreed_ms(seen_delays_ms([0.0, *seen, 2e18], schedule.snaps_ns), COUNT, "snaps") == pytest.approx(
        93.4, abs=1
    )


def test_what_was_not_heard_is_not_made_up() -> None:
    recording, schedule = recorded(30.0, 60.0, noise=0.3)
    with pytest.raises(DtalkerError, match="of 6 snaps were noticed: a louder one, or less noise around"):
        agreed_ms(snap_delays_ms(recording, schedule.snaps_ns), COUNT, "snaps")
    with pytest.raises(DtalkerError, match=r"differ by 50\.0 ms"):
        agreed_ms([0.0, 50.0, 100.0], 3, "snaps")


def test_the_jaw_opens_and_snaps_on_the_grid_of_the_frames() -> None:
    schedule = Schedule(BEGIN_NS, 2)
    for time_ns in schedule.snaps_ns:
        assert (time_ns - BEGIN_NS) % (20 * MS) == 0
        assert schedule.jaw(time_ns - 20 * MS) == 1.0 and schedule.jaw(time_ns) == 0.0
    assert schedule.jaw(BEGIN_NS - 1) == schedule.jaw(BEGIN_NS) == schedule.jaw(schedule.end_ns + 1) == 0.0

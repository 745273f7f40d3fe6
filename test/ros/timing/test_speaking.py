"""When the face begins and ceases to speak: with the frames that are shown, not with the audio that comes."""

import pytest
from timeline_rig import FRAME_NS, Rig

from dtalker_ros.timing.pace import MS
from dtalker_ros.timing.speaking import REST, SpeakingTimes
from dtalker_ros.timing.timeline_config import TimelineConfig


def test_a_change_is_in_effect_when_its_frame_is_shown() -> None:
    times = SpeakingTimes()
    for k, share in enumerate([0, 0.5, 1, 0.5, REST / 2, 0]):
        times.note(k * FRAME_NS, share)
    assert times.next_ns() == FRAME_NS
    assert [times.at(k * FRAME_NS - 1) for k in range(1, 6)] == [False, True, True, True, False]
    assert times.next_ns() is None


def test_what_is_known_holds_at_once_where_times_do_not() -> None:
    times = SpeakingTimes()
    times.note(10**18, 1.0)
    assert not times.at(0)
    times.hurry()
    assert times.at(0)


def changes(rig: Rig, duration_ms: int) -> list[tuple[int, bool]]:
    """What changes in this time, and when, looking each millisecond."""
    found, before = [], rig.engine.speaking(rig.now_ns)
    for _ in range(duration_ms):
        rig.run_ms(1)
        speaks = rig.engine.speaking(rig.now_ns)
        if speaks != before:
            found.append((rig.now_ns, speaks))
        before = speaks
    return found


def test_the_face_speaks_from_its_first_frame_to_rest() -> None:
    rig = Rig(TimelineConfig(playout_delay_ms=200))
    rig.run_ms(300)
    arrival_ns = rig.now_ns
    rig.hear(1.0, 16_000)
    (begin_ns, began), (end_ns, ended) = changes(rig, 1500)
    assert (began, ended) == (True, False)
    assert 0 <= begin_ns - (arrival_ns + 200 * MS) < FRAME_NS + MS
    assert 0 <= end_ns - (arrival_ns + 1200 * MS) < FRAME_NS + MS


def test_after_the_clock_was_set_it_is_told_all_the_same() -> None:
    rig = Rig(TimelineConfig(playout_delay_ms=2000))
    rig.hear(1.0, 16_000)
    assert not rig.engine.speaking(rig.now_ns)
    rig.run_ms(1999)
    rig.now_ns -= 10_000 * MS
    rig.engine.clock_set(-10_000 * MS)
    assert [speaks for _, speaks in changes(rig, 1500)] == [True, False]


@pytest.mark.parametrize("asap", [False, True])
def test_a_reset_ends_it(asap: bool) -> None:
    rig = Rig(TimelineConfig(asap=asap))
    rig.hear(1.0, 16_000)
    rig.run_ms(200)
    assert rig.engine.speaking(rig.now_ns)
    rig.engine.reset(rig.now_ns)
    assert not rig.engine.speaking(rig.now_ns)

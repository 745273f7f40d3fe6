"""A microphone that is always open, and what can happen on the way: two seconds later the face is with the sound again,
and the log has said so once.
"""

import numpy as np
import pytest
from live_rig import (
    BEGIN_NS,
    WAY_NS,
    Fate,
    Live,
    double,
    hiccups,
    jitter,
    lose,
    lose_from,
    microphone,
    restamp,
    stall,
)

from dtalker_ros.timing.pace import MS
from dtalker_ros.timing.timeline_config import TimelineConfig

IN_STEP_MS = 40.0
"""How far the face may be from the sound two seconds after the fault."""
CLOSE_MS = 20.0
"""How far while chunks are lost, or a clock is off, all the time."""
SETTLED_S, SURGED_S = 2.0, 1.5
"""So long after a fault; after a stall of seconds, which ends at once, sooner: a busy machine needs the rest."""
TOTAL_S = 8.0
EVEN_MS = 45.0
"""Frames at 50 Hz are never further apart, the wait for a chunk included."""
LATE = "late: dropped"
MISSING = "audio is missing"
FAST = "the audio's clock is fast"
JUMPED = "the stamps of the audio jumped"

both = pytest.mark.parametrize("stamped", [False, True], ids=["unstamped", "stamped"])


def heard(stamped: bool, seconds: float, *fates: Fate, clock: float = 1.0, delay_ms: float = 80.0) -> Live:
    live = Live(TimelineConfig(playout_delay_ms=delay_ms))
    live.clock, live.way_ns = clock, 0 if stamped else WAY_NS
    live.play(microphone(seconds * clock, stamped=stamped, clock=clock), *fates)
    return live


@both
def test_nothing_happens_to_a_steady_microphone(stamped: bool) -> None:
    live = heard(stamped, 4.0)
    assert live.worst_ms(0.0, 4.0) <= 0.1
    assert live.lines == []
    np.testing.assert_allclose(live.pauses_ms(0.6, 4.0), 20.0, atol=1e-6)


@both
@pytest.mark.parametrize("kept", [None, 10], ids=["whole", "newest ten"])
@pytest.mark.parametrize("stall_s", [0.4, 3.0, 8.0])
def test_a_stall_of_the_network(stamped: bool, stall_s: float, kept: int | None) -> None:
    live = heard(stamped, stall_s + 7.0, stall(3.0, stall_s, kept))
    assert live.worst_ms(0.5, 3.0) <= 0.1
    assert live.worst_ms(3.0 + stall_s + (SURGED_S if stall_s >= 1 else SETTLED_S), stall_s + 7.0) <= IN_STEP_MS
    assert len(live.lines) == 1 and live.lines[0].startswith(LATE)
    assert live.pauses_ms(0.5, stall_s + 7.0).max() <= EVEN_MS


@both
@pytest.mark.parametrize("held_s", [0.15, 0.2])
@pytest.mark.parametrize("stall_s", [0.4, 3.0])
def test_a_stall_where_the_audio_never_comes_regularly(stamped: bool, stall_s: float, held_s: float) -> None:
    """The stall is made up for; what remains is the jitter, for which nothing is left out again and again."""
    live = heard(stamped, stall_s + 10.0, stall(3.0, stall_s), hiccups(0.7, held_s))
    assert live.worst_ms(3.0 + stall_s + SETTLED_S, stall_s + 10.0) <= 1000 * held_s + CLOSE_MS
    assert len(live.lines) == 1 and live.lines[0].startswith(LATE)


@pytest.mark.parametrize(
    "fate",
    [restamp(3.0, 4.0, 1), restamp(3.0, -4.0, 1), restamp(3.0, 2.0), restamp(3.0, -2.0)],
    ids=["one +4 s", "one -4 s", "all +2 s", "all -2 s"],
)
def test_stamps_that_jump_without_the_audio(fate: Fate) -> None:
    live = heard(True, TOTAL_S, fate)
    assert live.worst_ms(0.5, TOTAL_S) <= 0.1  # not for a moment out of step
    assert len(live.lines) == 1 and live.lines[0].startswith(JUMPED)
    assert live.pauses_ms(0.5, TOTAL_S).max() <= EVEN_MS


def test_stamps_that_step_again_and_again_and_come_back() -> None:
    live = heard(True, 12.0, restamp(2.0, 2.0), restamp(5.0, 2.0), restamp(8.0, -4.0))
    assert live.worst_ms(0.5, 12.0) <= 0.1


@both
@pytest.mark.parametrize("delay_ms", [80.0, 200.0])
def test_four_percent_lost(stamped: bool, delay_ms: float) -> None:
    live = heard(stamped, TOTAL_S, lose(0.04), delay_ms=delay_ms)
    assert live.worst_ms(SETTLED_S, TOTAL_S) <= CLOSE_MS
    assert len(live.lines) == 1 and live.lines[0].startswith(MISSING)
    assert live.pauses_ms(0.5, TOTAL_S).max() <= EVEN_MS


@both
@pytest.mark.parametrize("delay_ms", [80.0, 200.0])
def test_four_percent_lost_and_jitter(stamped: bool, delay_ms: float) -> None:
    live = heard(stamped, TOTAL_S, jitter(8.0), lose(0.04), delay_ms=delay_ms)
    assert live.worst_ms(SETTLED_S, TOTAL_S) <= CLOSE_MS


@both
def test_one_hole_of_60_ms(stamped: bool) -> None:
    live = heard(stamped, TOTAL_S, lose_from(3.0, 0.06))
    assert live.worst_ms(0.5, TOTAL_S) <= CLOSE_MS
    assert live.pauses_ms(0.5, TOTAL_S).max() <= EVEN_MS


@both
def test_every_fifth_chunk_comes_twice(stamped: bool) -> None:
    live = heard(stamped, TOTAL_S, double(0.2))
    assert live.worst_ms(0.0, TOTAL_S) <= 0.1
    assert len(live.lines) == 1 and live.lines[0].startswith("the audio came twice")


@both
@pytest.mark.parametrize("clock", [0.95, 1.05], ids=["slow", "fast"])
def test_a_clock_that_is_five_percent_off(stamped: bool, clock: float) -> None:
    live = heard(stamped, 10.0, clock=clock)
    assert live.worst_ms(SETTLED_S, 10.0) <= CLOSE_MS
    assert len(live.rows(SETTLED_S, 10.0)) == pytest.approx(50 * (10.0 - SETTLED_S), abs=2)
    assert live.pauses_ms(SETTLED_S, 10.0).max() <= EVEN_MS
    assert any(line.startswith(MISSING if clock < 1 else FAST) for line in live.lines)


@both
def test_jitter_is_no_fault(stamped: bool) -> None:
    live = heard(stamped, TOTAL_S, jitter(30.0))
    assert live.worst_ms(SETTLED_S, TOTAL_S) <= IN_STEP_MS
    assert live.lines == []


@pytest.mark.parametrize("stamped", [False, True], ids=["unstamped", "stamped"])
@pytest.mark.parametrize("handed_over_first", [True, False], ids=["messages first", "clock first"])
def test_a_stopped_process(stamped: bool, handed_over_first: bool) -> None:
    """SIGSTOP for 3 s: then all messages are there at once, before the timeline looks at the clock or after."""
    live = Live()
    live.way_ns = 0 if stamped else WAY_NS
    sent = microphone(11.0, stamped=stamped)
    stop_ns, goes_on_ns = BEGIN_NS + 3_000 * MS, BEGIN_NS + 6_000 * MS
    live.play([c for c in sent if c.arrival_ns < stop_ns], tail_ms=0)
    live.rig.now_ns = goes_on_ns
    if not handed_over_first:
        live.step()
        live.rig.now_ns += 5 * MS
    for chunk in (c for c in sent if stop_ns <= c.arrival_ns < goes_on_ns):
        live.take(chunk)
    live.step()
    live.play([c for c in sent if c.arrival_ns >= goes_on_ns])
    assert live.worst_ms(6.0 + SETTLED_S, 11.0) <= IN_STEP_MS
    assert len(live.lines) == 1 and live.lines[0].startswith(LATE)


@both
def test_a_process_held_up_for_less_than_the_bound_loses_nothing(stamped: bool) -> None:
    live = Live()
    live.way_ns = 0 if stamped else WAY_NS
    sent = microphone(6.0, stamped=stamped)
    stop_ns, goes_on_ns = BEGIN_NS + 3_000 * MS, BEGIN_NS + 3_300 * MS
    live.play([c for c in sent if c.arrival_ns < stop_ns], tail_ms=0)
    live.rig.now_ns = goes_on_ns
    live.step()
    live.rig.now_ns += 5 * MS
    for chunk in (c for c in sent if stop_ns <= c.arrival_ns < goes_on_ns):
        live.take(chunk)
    live.play([c for c in sent if c.arrival_ns >= goes_on_ns])
    assert live.worst_ms(0.5, 6.0) <= 0.1
    assert live.lines == []
    live.rig.assert_grid()


def test_a_way_that_becomes_longer_is_followed() -> None:
    """The stamps stay right, the network takes 300 ms more from now on: late, but with every word."""
    sent = microphone(TOTAL_S, stamped=True)
    live = Live()
    late = [
        c if c.first < 48_000 else c.__class__(c.first, c.samples, c.arrival_ns + 300 * MS, c.stamp_ns) for c in sent
    ]
    live.way_ns = 0
    live.play(late)
    shown = live.off(3.0 + SETTLED_S, TOTAL_S)
    assert len(shown) > 0.9 * 50 * (TOTAL_S - 3.0 - SETTLED_S)
    assert live.rig.engine.timeline.delay_ms == pytest.approx(80 + 305, abs=1)
    assert max(abs(o.ms) for o in shown) <= IN_STEP_MS


def test_stamps_of_another_clock_tell_what_is_missing() -> None:
    sent = [
        c.__class__(c.first, c.samples, c.arrival_ns, (c.stamp_ns or 0) - BEGIN_NS + MS)
        for c in microphone(6.0, stamped=True)
    ]
    live = Live()
    live.play(sent, lose(0.04))
    assert live.worst_ms(SETTLED_S, 6.0) <= CLOSE_MS


ROWS = {
    "stall": [stall(2.0, 3.0)],
    "stall and hiccups": [stall(2.0, 0.4), hiccups(0.7, 0.2)],
    "a stamp": [restamp(2.0, 4.0, 1)],
    "stamps": [restamp(2.0, 2.0), restamp(3.0, 2.0)],
    "losses": [lose(0.04)],
    "doubled": [double(0.2)],
}


@both
@pytest.mark.parametrize("row", ROWS)
def test_the_mouth_gets_silence_when_it_is_over(stamped: bool, row: str) -> None:
    """However late or early the face was: half a second after the last sound nothing is spoken any more."""
    live = Live()
    live.play(microphone(7.5, stamped=stamped), *ROWS[row], tail_ms=1_000)
    assert {float(frame.weights[0]) for _, frame in live.rig.rows[-20:]} == {0.0}
    assert live.rig.engine.timeline.queued_s == 0

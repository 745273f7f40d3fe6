"""The clock is set while a microphone is open: the face goes on, in step, and it is said once."""

import pytest
from live_rig import BEGIN_NS, WAY_NS, Live, Sent, microphone

from dtalker_ros.timing.pace import MS

AT_S, TOTAL_S = 3.0, 8.0
STEPS_S = [-3_600.0, -0.8, -0.3, 0.8, 3_600.0]


def stepped(sent: list[Sent], step_s: float, stamps_too: bool) -> list[Sent]:
    """The same chunks by the clock that is set at `AT_S`."""
    step_ns, at_ns = round(step_s * 1e9), BEGIN_NS + round(AT_S * 1e9)
    return [
        Sent(
            chunk.first,
            chunk.samples,
            chunk.arrival_ns + step_ns,
            chunk.stamp_ns and chunk.stamp_ns + step_ns * stamps_too,
        )
        for chunk in sent
        if chunk.arrival_ns >= at_ns
    ]


@pytest.mark.parametrize("stamps", ["none", "of the same clock", "of another machine"])
@pytest.mark.parametrize("measured", [True, False], ids=["measured", "seen"])
@pytest.mark.parametrize("step_s", STEPS_S)
def test_the_clock_is_set(step_s: float, measured: bool, stamps: str) -> None:
    """`measured`: the worker compares with the monotonic clock; otherwise the timeline sees that time went back."""
    live = Live()
    sent = microphone(TOTAL_S, stamped=stamps != "none")
    live.play([c for c in sent if c.arrival_ns < BEGIN_NS + round(AT_S * 1e9)], tail_ms=0)
    live.run_to(BEGIN_NS + round(AT_S * 1e9))
    before = len(live.rig.rows)
    live.rig.now_ns += round(step_s * 1e9)
    if measured:
        live.rig.engine.clock_set(round(step_s * 1e9))
    live.step()
    for chunk in stepped(sent, step_s, stamps == "of the same clock"):
        live.run_to(chunk.arrival_ns)
        live.hear(chunk)
    of_arrival = stamps != "of another machine" or measured or step_s < 0  # else its stamps stay, and the way is longer
    live.way_ns = round(step_s * 1e9) * of_arrival + (WAY_NS if stamps == "none" else 0)
    end_s = TOTAL_S + step_s
    assert live.worst_ms(AT_S + step_s + 2.0, end_s) <= 40.0
    after = len(live.rig.rows) - before
    if measured or step_s < 0:
        assert after == pytest.approx(50 * (TOTAL_S - AT_S), abs=3)
        assert [row.sequence for _, row in live.rig.rows] == list(range(len(live.rig.rows)))
        assert live.lines[0].startswith("the clock was set by")
    assert len(live.lines) <= 2
    assert live.rig.rows[-1][1].stamp_ns == pytest.approx(live.rig.now_ns, abs=80 * MS)


@pytest.mark.parametrize("step_ms", [-90, -40, 40])
def test_a_small_step_is_made_up_for(step_ms: int) -> None:
    live = Live()
    sent = microphone(TOTAL_S)
    live.play([c for c in sent if c.arrival_ns < BEGIN_NS + round(AT_S * 1e9)], tail_ms=0)
    live.rig.now_ns += step_ms * MS
    for chunk in stepped(sent, step_ms / 1000, False):
        live.run_to(chunk.arrival_ns)
        live.hear(chunk)
    live.way_ns = WAY_NS + step_ms * MS
    assert live.worst_ms(AT_S + 2.0, TOTAL_S) <= 20.0

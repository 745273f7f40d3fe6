"""How long a fault lasts, and that it is said once."""

from dtalker_model.faults import HOLD_SAMPLES, Faults, SaidOnce


def test_a_fault_is_over_three_seconds_after_it_was_met_last() -> None:
    faults = Faults()
    for sample in (1000, 5000):
        faults.push(sample - 320)
        faults.meet(["loud"], sample)
    assert faults.now(5000 + HOLD_SAMPLES) == ("loud",)
    faults.push(5000 + HOLD_SAMPLES)
    assert faults.now(5000 + HOLD_SAMPLES + 320) == ()


def test_what_a_long_push_met_is_told_after_it() -> None:
    faults = Faults()
    faults.push(0)
    faults.meet(["loud"], 16_000)
    assert faults.now(10 * HOLD_SAMPLES) == ("loud",)
    faults.push(10 * HOLD_SAMPLES)
    assert faults.now(10 * HOLD_SAMPLES + 320) == ()


def test_the_end_of_a_stream_keeps_what_is_wrong_and_clear_forgets_it() -> None:
    faults = Faults()
    faults.push(10**9)
    faults.meet(["loud", "broken"], 10**9 + 1)
    faults.restart()
    assert faults.now(0) == ("loud", "broken")
    faults.push(320)
    faults.meet(["broken"], 640)
    faults.push(HOLD_SAMPLES)
    assert faults.now(HOLD_SAMPLES + 320) == ("broken",)
    faults.clear()
    assert faults.now(0) == ()


def test_each_is_said_once() -> None:
    said: list[str] = []
    say = SaidOnce(said.append)
    for faults in ((), ("a", "b"), ("b",), (), ("b", "c", "a")):
        say(faults)
    assert said == ["a; b", "c"]

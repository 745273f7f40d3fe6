"""The card's time against ours, where Python's lock or another thread comes between."""

from dtalker_ros.playback.sound_card import AT_ONCE_S, both_clocks


class Stream:
    """Its clock is that of the test."""

    def __init__(self) -> None:
        self.time = 5.0


def test_clocks_that_were_not_read_at_once_are_read_again() -> None:
    stream, held_up = Stream(), [0.02, 0.01]

    def now_ns() -> int:
        stream.time += held_up.pop() if held_up else AT_ONCE_S / 10
        return round(stream.time * 1e9)

    stream_s, ns = both_clocks(stream, now_ns)
    assert held_up == []
    assert abs(ns / 1e9 - stream_s) < AT_ONCE_S


def test_it_does_not_try_for_ever() -> None:
    stream = Stream()

    def now_ns() -> int:
        stream.time += 0.02
        return 7

    assert both_clocks(stream, now_ns)[1] == 7

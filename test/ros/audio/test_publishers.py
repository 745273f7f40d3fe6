"""Messages of one publisher are heard, told by their numbers."""

from dtalker_ros.audio.publishers import QUIET_S, Publishers


def heard(publishers: Publishers, messages: list[tuple[str, int]], begin_s: float = 0.0) -> list[str]:
    """Which of the messages, 10 ms apart, are heard: their names."""
    return [name for i, (name, number) in enumerate(messages) if publishers.wanted(number, begin_s + i * 0.01)]


def test_the_first_goes_on_and_the_second_is_not_heard() -> None:
    publishers = Publishers()
    publishers.names = ["mic"]
    assert heard(publishers, [("mic", i) for i in range(100, 150)]) == ["mic"] * 50
    publishers.names = ["mic", "player"]
    mixed = [pair for i in range(50) for pair in (("player", 1 + i), ("mic", 150 + i))]
    assert heard(publishers, mixed, 0.5) == ["mic"] * 50
    assert (publishers.heard, publishers.others, publishers.lost) == ("mic", 50, 0)


def test_one_that_has_been_there_for_long_does_not_take_over() -> None:
    publishers = Publishers()
    publishers.names = ["new"]
    heard(publishers, [("new", 1 + i) for i in range(10)])
    publishers.names = ["new", "old"]
    mixed = [pair for i in range(50) for pair in (("old", 90_000 + i), ("new", 11 + i))]
    assert set(heard(publishers, mixed, 0.1)) == {"new"}


def test_one_of_two_that_begin_together_is_heard() -> None:
    for first in (0, 1):
        publishers = Publishers()
        publishers.names = ["a", "b"]
        mixed = [pair for i in range(60) for pair in (("a", 1 + i), ("b", 1 + i + first))]
        names = heard(publishers, mixed)
        assert len(set(names[2:])) == 1
        assert 59 <= len(names) <= 61
        assert publishers.heard == ""


def test_another_is_heard_when_the_first_is_quiet() -> None:
    publishers = Publishers()
    publishers.names = ["a", "b"]
    heard(publishers, [("a", 1 + i) for i in range(10)])
    assert not publishers.wanted(1, 0.1)
    publishers.names = ["b"]
    assert publishers.wanted(2, 0.1 + QUIET_S)
    assert publishers.heard == "b"


def test_a_publisher_that_returns_is_heard_at_once() -> None:
    publishers = Publishers()
    publishers.names = ["a"]
    heard(publishers, [("a", 1 + i) for i in range(10)])
    assert publishers.wanted(1, 0.11)
    assert publishers.lost == 0


def test_lost_messages_are_counted() -> None:
    publishers = Publishers()
    publishers.names = ["tts"]
    assert len(heard(publishers, [("tts", i) for i in (2_000, 2_001, 2_005, 4_000)])) == 4
    assert publishers.lost == 3 + 1_994


def test_without_numbers_all_are_heard() -> None:
    publishers = Publishers()
    publishers.names = ["a", "b"]
    assert publishers.wanted(None, 0.0) and publishers.wanted(None, 0.01)
    assert not publishers.numbered

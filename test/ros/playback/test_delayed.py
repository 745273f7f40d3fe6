"""Audio once more, later: each message is held for the delay, and stamps move with it."""

from types import SimpleNamespace
from typing import Any

import pytest

from dtalker_model.errors import DtalkerError
from dtalker_ros.playback.delayed import DelayedAudio, own_topic, restamped
from dtalker_ros.timing.pace import MS


def stamped(sec: int, nanosec: int, name: str = "header") -> Any:
    stamp = SimpleNamespace(sec=sec, nanosec=nanosec)
    return (
        SimpleNamespace(header=SimpleNamespace(stamp=stamp)) if name == "header" else SimpleNamespace(timestamp=stamp)
    )


def test_messages_leave_in_order_after_the_delay_that_held_when_they_came() -> None:
    left: list[Any] = []
    delayed = DelayedAudio(left.append)
    delayed.delay_ms = 100.0
    for k in range(5):
        delayed.hear(stamped(k + 1, 0), k * 20 * MS)
    delayed.delay_ms = 200.0
    delayed.hear(stamped(6, 0), 100 * MS)
    delayed.publish_due(99 * MS)
    assert left == []
    delayed.publish_due(140 * MS)
    assert [(m.header.stamp.sec, m.header.stamp.nanosec) for m in left] == [(k + 1, 100 * MS) for k in range(3)]
    delayed.publish_due(300 * MS)
    assert len(left) == 6 and left[-1].header.stamp.nanosec == 200 * MS


@pytest.mark.parametrize("name", ["header", "timestamp"])
def test_stamps_carry_over_and_the_message_itself_stays(name: str) -> None:
    message = stamped(5, 950_000_000, name)
    moved = restamped(message, 80 * MS)
    stamp, before = (m.header.stamp if name == "header" else m.timestamp for m in (moved, message))
    assert (stamp.sec, stamp.nanosec) == (6, 30_000_000) and (before.sec, before.nanosec) == (5, 950_000_000)


def test_what_is_not_stamped_stays_unstamped() -> None:
    assert restamped(stamped(0, 0), 80 * MS).header.stamp == SimpleNamespace(sec=0, nanosec=0)
    assert restamped(SimpleNamespace(data=[1]), 80 * MS) == SimpleNamespace(data=[1])


def test_a_topic_is_not_fed_into_itself() -> None:
    own_topic("/audio", "/audio_delayed")
    with pytest.raises(DtalkerError, match="are both /audio"):
        own_topic("/audio", "/audio")

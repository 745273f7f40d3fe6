"""The page hears what the talker hears: at the rate that it has, and as late as the face is shown."""

from array import array
from typing import Any

import pytest
from microphone_rig import microphone
from ros_rig import QOS, Listener, listener
from std_msgs.msg import Int16MultiArray

from dtalker_ros.parameters.parameters import NODE_PARAMETERS
from dtalker_ros.topics.topic_audio import TopicAudio

__all__ = ["listener"]

VALUES = {spec.name: spec.default for spec in NODE_PARAMETERS}


class Hearing:
    """What a `TopicAudio` gives: when it is heard, samples, rate."""

    def __init__(self, listener: Listener) -> None:
        self.audio = TopicAudio(listener.node, VALUES, "audio")
        self.pieces: list[tuple[int, Any, int]] = []
        listener.node.create_timer(0.02, lambda: self.pieces.extend(self.audio.due()))


def test_a_rate_that_nobody_declared_is_followed_and_kept(listener: Listener) -> None:
    hearing = Hearing(listener)
    with microphone(listener, 48_000):
        listener.until(lambda: hearing.pieces and hearing.pieces[-1][2] == 48_000, "sound at its own rate")
        hearing.audio.follow(dict(VALUES))  # as after every slider that moves
        count = len(hearing.pieces)
        listener.until(lambda: len(hearing.pieces) > count + 30, "more of it")
    assert {rate_hz for _, _, rate_hz in hearing.pieces[count:]} == {48_000}


@pytest.mark.parametrize("delay_ms", [0.0, 145.0])
def test_the_delay_in_force_is_that_of_the_sound(listener: Listener, delay_ms: float) -> None:
    hearing = Hearing(listener)
    hearing.audio.delay(delay_ms)
    publisher = listener.node.create_publisher(Int16MultiArray, "audio", QOS)
    listener.until(publisher.get_subscription_count, "the subscription")
    now_ns = listener.node.get_clock().now
    sent_ns = now_ns().nanoseconds
    publisher.publish(Int16MultiArray(data=array("h", [8000, -8000] * 800)))
    listener.until(lambda: hearing.pieces, "the sound")
    arrived_ns = hearing.pieces[0][0] - round(max(delay_ms, VALUES["playout_delay_ms"]) * 1e6)
    assert sent_ns <= arrived_ns <= now_ns().nanoseconds

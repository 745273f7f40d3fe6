"""A sentence of thousands of messages at once arrives whole; where messages are lost, that is counted and said."""

import signal
import time
from array import array
from functools import partial

import numpy as np
import pytest
from rclpy.qos import QoSProfile
from real_time_rig import in_real_time
from ros_rig import QOS, Listener, listener, talker
from std_msgs.msg import Int16MultiArray

__all__ = ["listener"]

MESSAGES = 3_000
"""A minute of speech in chunks of 20 ms."""
PCM = np.random.default_rng(0).integers(-3_000, 3_000, 320).astype(np.int16)


def chunk(number: int) -> Int16MultiArray:
    return Int16MultiArray(data=array("h", np.roll(PCM, number).tobytes()))


@in_real_time
def test_a_minute_in_3000_messages_arrives_whole(listener: Listener) -> None:
    with talker(listener, max_lateness_ms=60_000.0):  # a node without a core drops nothing for its time
        publisher = listener.node.create_publisher(Int16MultiArray, "audio", QOS)
        listener.until(publisher.get_subscription_count, "the subscription")
        begun_s = time.monotonic()
        for i in range(MESSAGES):
            publisher.publish(chunk(i))
        arrived = 0
        while arrived < MESSAGES:  # a machine that tests much takes its time, but it goes on
            arrived = listener.until(partial(_arrived, listener, arrived), f"more than {arrived} messages")
        figures, spoken_s = listener.diagnostics[-1], time.monotonic() - begun_s
    assert float(figures["queued_s"]) > MESSAGES * 0.02 - spoken_s - 1.0
    assert float(figures["dropped_audio_s"]) == 0


def _arrived(listener: Listener, before: int) -> int:
    """How many messages have arrived, where it is more than `before`; raises where one is lost."""
    figures = listener.fresh_diagnostics()
    if figures["messages_lost"] != "0":
        pytest.fail(f"{figures['messages_lost']} messages were lost")
    received = int(figures["messages_received"])
    return received if received > before else 0


def test_what_a_small_depth_loses_is_counted_and_said(listener: Listener) -> None:
    """The node is stopped meanwhile, so that the publisher's history of ten messages overflows."""
    with talker(listener) as process:
        publisher = listener.node.create_publisher(Int16MultiArray, "audio", QoSProfile(depth=10))
        listener.until(publisher.get_subscription_count, "the subscription")
        publisher.publish(chunk(0))
        listener.until(lambda: listener.fresh_diagnostics()["messages_received"] == "1", "the first message")
        process.send_signal(signal.SIGSTOP)
        for i in range(MESSAGES):
            publisher.publish(chunk(i))
        process.send_signal(signal.SIGCONT)
        listener.until(lambda: int(listener.fresh_diagnostics()["messages_lost"]), "the count")
        listener.logged("messages of the audio are lost on the way")
        listener.fresh_diagnostics()
    assert sum("lost on the way" in line for line in listener.logs) == 1

"""A sentence of thousands of messages at once arrives whole; where messages are lost, that is counted and said."""

import signal
import time
from array import array

import numpy as np
from rclpy.qos import QoSProfile
from ros_rig import QOS, Listener, listener, talker
from std_msgs.msg import Int16MultiArray

__all__ = ["listener"]

MESSAGES = 3_000
"""A minute of speech in chunks of 20 ms."""
PATIENCE_S = 120.0


PCM = np.random.default_rng(0).integers(-3_000, 3_000, 320).astype(np.int16)


def chunk(number: int) -> Int16MultiArray:
    return Int16MultiArray(data=array("h", np.roll(PCM, number).tobytes()))


def test_a_minute_in_3000_messages_arrives_whole(listener: Listener) -> None:
    with talker(listener, max_lateness_ms=60_000.0):  # a node without a core drops nothing for its time
        publisher = listener.node.create_publisher(Int16MultiArray, "audio", QOS)
        listener.until(publisher.get_subscription_count, "the subscription")
        begun_s = time.monotonic()
        for i in range(MESSAGES):
            publisher.publish(chunk(i))
        listener.until(lambda: _arrived(listener), "all messages", PATIENCE_S)
        figures, spoken_s = listener.diagnostics[-1], time.monotonic() - begun_s
    assert figures["messages_lost"] == "0"
    assert float(figures["queued_s"]) > MESSAGES * 0.02 - spoken_s - 1.0
    assert float(figures["dropped_audio_s"]) == 0


def _arrived(listener: Listener) -> bool:
    """Whether all messages have arrived, or one is lost; a machine that tests much takes its time."""
    figures = listener.fresh_diagnostics()
    return figures["messages_received"] == str(MESSAGES) or figures["messages_lost"] != "0"


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

"""A sentence of thousands of messages at once arrives whole; where messages are lost, that is counted and said."""

import signal
from array import array

import numpy as np
from rclpy.qos import QoSProfile
from ros_rig import QOS, Listener, listener, talker
from std_msgs.msg import Int16MultiArray

__all__ = ["listener"]

MESSAGES = 3_000
"""A minute of speech in chunks of 20 ms."""
PATIENCE_S = 60.0


PCM = np.random.default_rng(0).integers(-3_000, 3_000, 320).astype(np.int16)


def chunk(number: int) -> Int16MultiArray:
    return Int16MultiArray(data=array("h", np.roll(PCM, number).tobytes()))


def test_a_minute_in_3000_messages_arrives_whole(listener: Listener) -> None:
    with talker(listener):
        publisher = listener.node.create_publisher(Int16MultiArray, "audio", QOS)
        listener.until(publisher.get_subscription_count, "the subscription")
        for i in range(MESSAGES):
            publisher.publish(chunk(i))
        listener.until(
            lambda: listener.fresh_diagnostics()["messages_received"] == str(MESSAGES), "all messages", PATIENCE_S
        )
        figures = listener.diagnostics[-1]
    assert figures["messages_lost"] == "0"
    assert float(figures["queued_s"]) > 30
    assert float(figures["dropped_audio_s"]) == 0


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

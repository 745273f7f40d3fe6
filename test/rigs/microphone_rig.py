"""A microphone on real rclpy that does not say its sample rate."""

import threading
import time
from array import array
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
from ros_rig import QOS, Listener
from std_msgs.msg import Int16MultiArray


@contextmanager
def microphone(listener: Listener, rate_hz: int) -> Iterator[None]:
    """Chunks of 20 ms of noise at `rate_hz` on `audio`, from a thread, as soon as somebody hears them."""
    publisher = listener.node.create_publisher(Int16MultiArray, "audio", QOS)
    listener.until(publisher.get_subscription_count, "the subscription")
    pcm, stop = np.random.default_rng(0).integers(-3_000, 3_000, rate_hz // 50).astype(np.int16), threading.Event()

    def run() -> None:
        begun_s, number = time.monotonic(), 0
        while not stop.wait(max(0.0, begun_s + number * 0.02 - time.monotonic())):
            number += 1
            publisher.publish(Int16MultiArray(data=array("h", np.roll(pcm, number).tobytes())))

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()

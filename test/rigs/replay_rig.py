"""Plays a recording as `ros2 bag play --clock` does, stamped audio beside /clock; run as a script, with the recording
(an .npz with `stamps_ns` and `pcm`, one row a chunk of 16 kHz) as its argument.
"""

import sys
import time
from array import array
from pathlib import Path

import numpy as np
import rclpy
from audio_common_msgs.msg import AudioDataStamped
from rclpy.duration import Duration
from rclpy.qos import QoSProfile
from rosgraph_msgs.msg import Clock  # type: ignore[import-untyped, unused-ignore]

TICK_NS = 10_000_000
LEAD_NS = 300_000_000
TAIL_NS = 900_000_000
"""The clock begins so long before the first chunk and goes on so long after the last."""
ACKNOWLEDGE_S = 10.0
WAY_NS = 25_000_000
"""From the stamp of a chunk to when it was recorded."""


def play(path: Path) -> None:
    """Play it once, in real time, as soon as somebody hears it."""
    recording = np.load(path)
    rclpy.init()
    node = rclpy.create_node("recording")
    clock = node.create_publisher(Clock, "/clock", 10)
    audio = node.create_publisher(AudioDataStamped, "audio", QoSProfile(depth=1000))
    while not (audio.get_subscription_count() and clock.get_subscription_count()):
        rclpy.spin_once(node, timeout_sec=0.02)
    waiting = list(zip(recording["stamps_ns"].tolist(), recording["pcm"]))
    begin_ns, end_ns = waiting[0][0] - LEAD_NS, waiting[-1][0] + TAIL_NS
    begun_s = time.monotonic()
    for now_ns in range(begin_ns, end_ns, TICK_NS):
        time.sleep(max(0.0, begun_s + (now_ns - begin_ns) / 1e9 - time.monotonic()))
        clock.publish(Clock(clock=_stamp(Clock().clock, now_ns)))
        while waiting and waiting[0][0] + WAY_NS <= now_ns:
            stamp_ns, pcm = waiting.pop(0)
            message = AudioDataStamped()
            _stamp(message.header.stamp, stamp_ns)
            message.audio.data = array("B", pcm.astype("<i2").tobytes())
            audio.publish(message)
    audio.wait_for_all_acked(Duration(seconds=ACKNOWLEDGE_S))  # the talker may be stopped
    node.destroy_node()
    rclpy.shutdown()


def _stamp(stamp: object, time_ns: int) -> object:
    stamp.sec, stamp.nanosec = divmod(time_ns, 1_000_000_000)  # type: ignore[attr-defined]
    return stamp


if __name__ == "__main__":
    play(Path(sys.argv[1]))

"""Messages of packages that may or may not be sourced: both flavours of audio_common_msgs, and foxglove_msgs."""

import os
import subprocess
import sys
from array import array
from pathlib import Path

import pytest
from message_packages import environment
from ros_rig import Listener, check_kinds, listener, short_wav, talker
from std_msgs.msg import Int16MultiArray

__all__ = ["listener", "short_wav"]

KINDS = {"ros_drivers": ["audio_data", "audio_data_stamped", "raw_audio"], "mgonzs13": ["audio_stamped"]}

CAPTURE = """
import rclpy
from array import array
from rclpy.qos import DurabilityPolicy, QoSProfile
from audio_common_msgs.msg import AudioData, AudioInfo

rclpy.init()
node = rclpy.create_node("capture")
info = node.create_publisher(AudioInfo, "audio_info", QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL))
info.publish(AudioInfo(channels=2, sample_rate=32000, sample_format="F32LE", coding_format="wave"))
audio = node.create_publisher(AudioData, "audio", 10)
message = AudioData(data=array("B", bytes(4 * 2 * 3200)))
node.create_timer(0.1, lambda: audio.publish(message))
rclpy.spin(node)
"""
"""A stand-in for ros-drivers' audio_capture: two channels of floats at 32 kHz, 0.1 s in each message."""


@pytest.mark.parametrize("flavour", KINDS)
def test_every_kind_gives_the_frames_of_the_core(listener: Listener, short_wav: Path, flavour: str) -> None:
    check_kinds(listener, short_wav, KINDS[flavour], environment(flavour))


def test_audio_info_declares_the_format(listener: Listener) -> None:
    env = environment("ros_drivers")
    with talker(listener, env):
        capture = subprocess.Popen([sys.executable, "-c", CAPTURE], env={**os.environ, **env})
        try:
            listener.logged("audio_info: AudioFormat(sample_rate_hz=32000, channels=2")
            queued = [_queued_after(listener, 10), _queued_after(listener, 20)]
            assert queued[1] - queued[0] < 0.5  # read as 16 kHz mono it would pile up
        finally:
            capture.kill()
            capture.wait()


def test_audio_info_ends_with_its_publisher(listener: Listener) -> None:
    """Killed outright, and followed by another type of another node that announces nothing."""
    env = environment("ros_drivers")
    with talker(listener, env, pacing="asap", gap_ms=5000.0):
        capture = subprocess.Popen([sys.executable, "-c", CAPTURE], env={**os.environ, **env})
        try:
            listener.logged("audio_info: AudioFormat(sample_rate_hz=32000, channels=2")
            _queued_after(listener, 5)
        finally:
            capture.kill()
            capture.wait()
        publisher = listener.node.create_publisher(Int16MultiArray, "audio", 10)
        listener.until(publisher.get_subscription_count, "the subscription")
        message = Int16MultiArray(data=array("h", bytes(2 * 1600)))  # five frames at 16 kHz mono, one as announced
        listener.node.create_timer(0.1, lambda: publisher.publish(message))
        listener.logged("hearing /audio (std_msgs/msg/Int16MultiArray, reliable)")
        before = int(listener.fresh_diagnostics()["messages_received"]), len(listener.frames)
        _queued_after(listener, 20)
        messages = int(listener.diagnostics[-1]["messages_received"]) - before[0]
        assert len(listener.frames) - before[1] > 4 * messages


def _queued_after(listener: Listener, messages: int) -> float:
    """Seconds of audio that wait after so many more messages."""
    before = int(listener.fresh_diagnostics()["messages_received"])
    listener.until(lambda: int(listener.fresh_diagnostics()["messages_received"]) >= before + messages, "audio")
    return float(listener.diagnostics[-1]["queued_s"])

"""What the talker node hears: types and QoS found at run time, publishers that go and return, bytes that are no PCM."""

import io
import os
import signal
import subprocess
import sys
import time
from array import array
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from rclpy.node import Node
from rclpy.qos import QoSProfile, ReliabilityPolicy
from ros_rig import (
    QOS,
    SHORT_S,
    WAIT_S,
    Listener,
    check_kinds,
    clip,
    finish,
    listener,
    play,
    rclpy,
    short_wav,
    start,
    talker,
)
from sensor_msgs.msg import Image
from std_msgs.msg import Float32MultiArray, Float64, Int16MultiArray, String, UInt8MultiArray

__all__ = ["listener", "short_wav"]


def test_every_kind_gives_the_frames_of_the_core(listener: Listener, short_wav: Path) -> None:
    check_kinds(listener, short_wav, ["int16", "float32", "uint8", "wav"])


def test_stereo_48000_declares_itself(listener: Listener, short_wav: Path, tmp_path: Path) -> None:
    pcm, _ = clip(short_wav, SHORT_S)
    path = tmp_path / "stereo.wav"
    soundfile.write(path, np.repeat(np.repeat(pcm, 3, axis=0), 2, axis=1), 48_000)
    with talker(listener, pacing="asap", gap_ms=400.0):
        play(listener, file=str(path), kind="wav", chunk_ms=0.0)
        listener.until(lambda: len(listener.frames) >= 50 * SHORT_S, "the frames")
        listener.assert_grid()


@pytest.mark.parametrize(
    ("reliability", "declared"),
    [("reliable", ""), ("best_effort", ""), ("best_effort", "std_msgs/msg/Int16MultiArray")],
)
def test_either_reliability_is_matched(listener: Listener, short_wav: Path, reliability: str, declared: str) -> None:
    with talker(listener, pacing="asap", gap_ms=400.0, audio_type=declared):
        play(listener, file=str(short_wav), reliability=reliability, speed=2.0)
        listener.until(lambda: len(listener.frames) >= 50 * SHORT_S * 0.9, "the frames")
        assert listener.logged(f"Int16MultiArray, {reliability.replace('_', ' ')})")


def test_a_publisher_may_return_with_another_type_and_qos(listener: Listener) -> None:
    with talker(listener, pacing="asap"):
        for kind, reliability in [
            (Float32MultiArray, ReliabilityPolicy.RELIABLE),
            (Float32MultiArray, ReliabilityPolicy.BEST_EFFORT),
            (UInt8MultiArray, ReliabilityPolicy.RELIABLE),
        ]:
            listener.frames.clear()
            publisher = listener.node.create_publisher(kind, "audio", QoSProfile(depth=10, reliability=reliability))
            listener.until(publisher.get_subscription_count, f"a subscription to {kind.__name__}")
            data = array("f", [0.1] * 1600) if kind is Float32MultiArray else array("B", bytes(3200))
            # Again and again: a best-effort message may be lost.
            timer = listener.node.create_timer(0.05, partial(publisher.publish, kind(data=data)))
            listener.until(lambda: listener.frames, f"frames from {kind.__name__}")
            listener.node.destroy_timer(timer)
            listener.node.destroy_publisher(publisher)
            listener.until(lambda: not listener.node.get_publishers_info_by_topic("audio"), "the publisher to go")


ALONE = """
import sys, rclpy
from array import array
from std_msgs.msg import Float32MultiArray
rclpy.init()
node = rclpy.create_node("alone")
publisher = node.create_publisher(Float32MultiArray, "audio", 10)
node.create_timer(0.05, lambda: publisher.publish(Float32MultiArray(data=array("f", [0.1] * 800))))
rclpy.spin(node)
"""


def test_a_killed_publisher_followed_by_another_type(listener: Listener) -> None:
    """The graph shows the dead one for many seconds: the living one is heard meanwhile."""
    with talker(listener, pacing="asap"):
        alone = subprocess.Popen([sys.executable, "-c", ALONE])
        try:
            listener.until(lambda: len(listener.frames) > 10 or alone.poll() is not None, "frames")
        finally:
            alone.kill()
            alone.wait()
        publisher = listener.node.create_publisher(UInt8MultiArray, "audio", QOS)
        listener.until(publisher.get_subscription_count, "a subscription to the other type")
        # Most middlewares list the dead one for 20 s; one that forgets it at once has to be heard all the same.
        listener.node.create_timer(0.05, partial(publisher.publish, UInt8MultiArray(data=array("B", bytes(1600)))))
        listener.logged("hearing /audio (std_msgs/msg/UInt8MultiArray, reliable)")
        count = len(listener.frames)
        listener.until(lambda: len(listener.frames) > count + 20, "frames of the other type")


@contextmanager
def stranger(kind: Any) -> Iterator[Any]:
    """A publisher of `kind` in a process of its own, as the middleware sees it: one type for each topic in each."""
    context = rclpy.Context()
    context.init()
    node = Node("stranger", context=context)
    try:
        yield node.create_publisher(kind, "audio", QOS)
    finally:
        node.destroy_node()
        context.try_shutdown()


def test_a_foreign_type_on_the_topic_hides_no_audio(listener: Listener) -> None:
    with stranger(String), stranger(Float64), stranger(Image), talker(listener, pacing="asap"):
        for name in ("std_msgs/msg/String", "std_msgs/msg/Float64", "sensor_msgs/msg/Image"):
            listener.logged(f"/audio also carries {name}, which is no audio")
        publisher = listener.node.create_publisher(UInt8MultiArray, "audio", QOS)
        listener.until(publisher.get_subscription_count, "the subscription")
        publisher.publish(UInt8MultiArray(data=array("B", bytes(6400))))
        listener.until(lambda: len(listener.frames) >= 10, "frames of good audio")


def test_of_two_types_at_once_one_is_heard(listener: Listener) -> None:
    with stranger(Float32MultiArray) as floats, talker(listener, pacing="asap"):
        listener.until(floats.get_subscription_count, "the subscription")
        listener.node.create_timer(0.05, partial(floats.publish, Float32MultiArray(data=array("f", [0.1] * 800))))
        listener.until(lambda: len(listener.frames) > 10, "frames")
        listener.node.create_publisher(UInt8MultiArray, "audio", QOS)
        listener.logged("/audio also carries std_msgs/msg/UInt8MultiArray, which is not heard beside")
        count = len(listener.frames)
        listener.until(lambda: len(listener.frames) > count + 100, "more frames")
    assert not any("hearing /audio (std_msgs/msg/UInt8" in line for line in listener.logs)


def test_silence_about_a_wrong_topic_ends_with_what_there_is(listener: Listener) -> None:
    listener.node.create_publisher(Float32MultiArray, "/robot/mic", QOS)
    listener.node.create_publisher(String, "/robot/text", QOS)
    with talker(listener):
        line = listener.logged("nobody publishes on /audio")
        assert "topics that may carry audio: /robot/mic (std_msgs/msg/Float32MultiArray). Choose one: audio:=" in line
        assert "/robot/text" not in line
        publisher = listener.node.create_publisher(UInt8MultiArray, "audio", QOS)
        listener.until(publisher.get_subscription_count, "the subscription")
        assert "hearing /audio (std_msgs/msg/UInt8MultiArray, reliable)" in listener.logged("hearing /audio")


def test_mp3_is_refused_in_the_log_and_the_node_goes_on(listener: Listener) -> None:
    frame = bytes([0xFF, 0xFB, 0x90, 0x64]) + bytes(413)
    with talker(listener, pacing="asap"):
        publisher = listener.node.create_publisher(UInt8MultiArray, "audio", QOS)
        listener.until(publisher.get_subscription_count, "the subscription")
        for _ in range(5):
            publisher.publish(UInt8MultiArray(data=array("B", frame)))
        line = listener.logged("received mp3 bytes, raw PCM is needed")
        assert "format:=wave" in line
        publisher.publish(UInt8MultiArray(data=array("B")))
        listener.logged("received an audio message without samples")
        publisher.publish(UInt8MultiArray(data=array("B", bytes(6400))))
        listener.until(lambda: len(listener.frames) >= 10, "frames of good audio")
        listener.until(lambda: listener.fresh_diagnostics()["messages_refused"] == "6", "the count in the diagnostics")
    assert sum("mp3" in line for line in listener.logs) == 1


def test_diagnostics_warn_of_a_bad_sound_until_it_is_over_and_the_log_says_it_once(listener: Listener) -> None:
    with talker(listener, pacing="asap", audio_sample_rate_hz=16_000):
        publisher = listener.node.create_publisher(Int16MultiArray, "audio", QOS)
        listener.until(publisher.get_subscription_count, "the subscription")
        off_centre, clean = (Int16MultiArray(data=array("h", 16_000 * [offset])) for offset in (1640, 0))
        for message in (off_centre, off_centre):
            publisher.publish(message)
        line = listener.logged("the audio is off centre")
        level, text = listener.until(lambda: next((s for s in listener.statuses if s[0]), None), "a warning")
        assert (level, text) == (1, f"hearing; {line}")
        for message in (off_centre, clean, clean, clean, clean):
            publisher.publish(message)
        listener.until(lambda: listener.statuses[-1] == (0, "hearing"), "the end of the warning")
    assert listener.logs.count(line) == 1


def test_a_header_in_the_first_message_holds_for_those_after_it(listener: Listener, short_wav: Path) -> None:
    """16 kHz declared, 48 kHz in the header, and messages that end in the midst of a sample."""
    pcm, _ = clip(short_wav, SHORT_S)
    file = io.BytesIO()
    soundfile.write(file, np.repeat(pcm, 3, axis=0), 48_000, format="WAV")
    data = bytearray(file.getvalue())
    data[4:8] = data[40:44] = b"\xff" * 4
    with talker(listener, pacing="asap", gap_ms=400.0):
        publisher = listener.node.create_publisher(UInt8MultiArray, "audio", QOS)
        listener.until(publisher.get_subscription_count, "the subscription")
        for begin in range(0, len(data), 1921):
            publisher.publish(UInt8MultiArray(data=array("B", bytes(data[begin : begin + 1921]))))
        listener.until(lambda: len(listener.frames) >= 50 * SHORT_S - 8, "the frames")
        listener.until(lambda: listener.fresh_diagnostics()["messages_refused"] == "0", "the count in the diagnostics")
        assert len(listener.frames) < 50 * SHORT_S + 30  # read as 16 kHz it would be three times as long


def test_a_player_that_waits_for_a_pipe_ends_with_ctrl_c(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    process = start("audio_file_node", file=str(pipe), min_subscribers=0)
    end_s = time.monotonic() + WAIT_S
    writer = None
    while writer is None:
        assert time.monotonic() < end_s and process.poll() is None
        with suppress(OSError):  # nobody reads yet
            writer = os.open(pipe, os.O_WRONLY | os.O_NONBLOCK)
    code, output = finish(process, signal.SIGINT)
    os.close(writer)
    assert (code, "Traceback" in output) == (0, False), output


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        ({"kind": "raw_audio"}, "source the workspace that has foxglove_msgs"),
        ({"kind": "opus"}, "kind: received 'opus', expected one of int16"),
        ({"file": "nowhere.wav"}, "no sound file at nowhere.wav"),
        ({"file": __file__}, "not a sound file that can be read (WAV, FLAC"),
        ({"file": str(Path(__file__).parent)}, "is a folder, not a sound file"),
        ({"file": "x" * 100_000}, "no sound file at xxx"),
        ({"file": os.fsdecode(b"caf\xe9.wav")}, "bytes that are no UTF-8, which ROS cannot take: link the file"),
        ({"reliability": "maybe"}, "reliability: received 'maybe', expected 'reliable' or 'best_effort'"),
    ],
)
def test_the_player_says_what_is_wrong(demo_wav: Path, parameters: dict[str, Any], expected: str) -> None:
    code, output = finish(start("audio_file_node", **{"file": str(demo_wav), **parameters}))
    assert code == 1
    assert expected in output
    assert "Traceback" not in output
    assert len(output) < 6000

"""The sink node on real rclpy: a talker's frames arrive in its files, whole, also after Ctrl-C and a failed sink."""

import contextlib
import csv
import json
import signal
import socket
import struct
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from dtalker.msg import Blendshapes, FaceInfo, Head
from film_rig import needs_ffmpeg, probed
from rclpy.serialization import deserialize_message
from ros_rig import QOS, Listener, finish, listener, play, short_wav, start, talker

from dtalker_model.blendshapes import ARKIT_NAMES
from dtalker_ros.nodes.process import ECHO_S

__all__ = ["listener", "short_wav"]


def rows_of(path: Path) -> np.ndarray:
    """Times and weights (T, 53) of a CSV."""
    with path.open(newline="") as file:
        header, *rows = csv.reader(file)
    assert header[:53] == ["time_s", *ARKIT_NAMES] and len(header) == 58
    return np.array(rows, np.float64).reshape(-1, 58)[:, :53]


def lines(path: Path) -> int:
    """Lines so far of a file that is being written."""
    part = path.with_name(f"{path.name}.part")
    return part.read_text().count("\n") if part.exists() else 0


@contextmanager
def sink_node(**parameters: Any) -> Iterator["subprocess.Popen[str]"]:
    """A sink node, killed where the test did not end it."""
    process = start("sink_node", **parameters)
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
            print(process.communicate())


def publish(listener: Listener, sequences: range, gone: int = 0, ahead_s: int = 0) -> None:
    """Publish frames 20 ms apart whose jawOpen counts up, once somebody listens; leave out number `gone`. Their stamps
    are `ahead_s` ahead.
    """
    publisher = listener.node.create_publisher(Blendshapes, "blendshapes", QOS)
    listener.until(lambda: publisher.get_subscription_count() > 1, "the sink node")
    for sequence in sequences:
        message = Blendshapes(sequence=sequence)
        message.header.frame_id = "face"
        message.header.stamp.sec, message.header.stamp.nanosec = divmod(
            10**17 + ahead_s * 10**9 + sequence * 20_000_000, 10**9
        )
        message.weights[Blendshapes.JAW_OPEN] = (sequence % 50) / 100
        if not gone or sequence != gone:
            publisher.publish(message)


def test_a_talkers_face_is_written(listener: Listener, short_wav: Path, tmp_path: Path) -> None:
    path, udp = tmp_path / "face.csv", socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    udp.bind(("127.0.0.1", 0))
    udp.settimeout(10)
    specs = [str(path), f"jsonl:{tmp_path}/face.jsonl", f"livelink:127.0.0.1:{udp.getsockname()[1]}"]
    with udp, talker(listener, pacing="asap", gap_ms=400.0), sink_node(sinks=specs) as node:
        listener.until(lambda: listener.node.count_subscribers("blendshapes") > 1, "the sink node")
        play(listener, file=str(short_wav), kind="int16", speed=4.0)
        listener.until(lambda: len(listener.frames) >= 100 and lines(path) >= 101, "the frames")
        packet = udp.recv(2048)
        code, output = finish(node, signal.SIGINT)
    assert code == 0, output
    assert "Traceback" not in output
    assert "0 lost on the way" in output
    rows = rows_of(path)
    assert len(rows) >= 100
    np.testing.assert_allclose(np.diff(rows[:, 0]), 0.02, atol=1e-6)
    heard = np.array([message.weights for _, message in listener.frames])
    places = [i for i in range(len(heard) - 99) if np.allclose(heard[i : i + 100], rows[:100, 1:], atol=1e-5)]
    assert places, "the file has other frames than the topic"
    objects = (tmp_path / "face.jsonl").read_text().splitlines()
    assert len(objects) == len(rows)
    assert tuple(json.loads(objects[0])["weights"]) == ARKIT_NAMES
    assert len(packet) == 4 + 37 + 4 + 7 + 8 + 8 + 1 + 61 * 4


def test_without_info_it_writes_after_a_while_and_counts_what_was_lost(listener: Listener, tmp_path: Path) -> None:
    path = tmp_path / "face.csv"
    with sink_node(sinks=[str(path)], info_wait_ms=200.0) as node:
        publish(listener, range(100), gone=50)
        listener.until(lambda: len(listener.frames) >= 99, "the frames")
        listener.logged("writing to")
        listener.until(lambda: lines(path) >= 100, "the rows")
        code, output = finish(node, signal.SIGTERM)
    assert code == 0, output
    assert "1 lost on the way" in output
    assert len(rows_of(path)) == 99


@pytest.mark.parametrize("jump_s", [-300, 3_600, 1_800_000_000])
def test_a_clock_that_is_set_does_not_break_a_recording(listener: Listener, tmp_path: Path, jump_s: int) -> None:
    path = tmp_path / "face.csv"
    with sink_node(sinks=[str(path)], info_wait_ms=0.0) as node:
        publish(listener, range(200))
        publish(listener, range(200, 500), ahead_s=jump_s)
        listener.until(lambda: lines(path) >= 501, "the rows")
        code, output = finish(node, signal.SIGINT)
    assert code == 0, output
    assert output.count("the clock of the frames jumped") == 1
    np.testing.assert_allclose(np.diff(rows_of(path)[:, 0]), 0.02, atol=1e-6)


def test_a_recording_holds_the_very_messages(listener: Listener, tmp_path: Path) -> None:
    """The bytes in the MCAP file are what rclpy itself reads as our messages."""
    reader = pytest.importorskip("mcap.reader")
    path, seen = tmp_path / "take.mcap", tmp_path / "seen.csv"
    with sink_node(sinks=[str(path), str(seen)], info_wait_ms=0.0) as node:
        publish(listener, range(100))
        listener.until(lambda: len(listener.frames) >= 100, "the frames")
        listener.until(lambda: lines(seen) >= 101, "the rows")
        code, output = finish(node, signal.SIGINT)
    assert code == 0, output
    with path.open("rb") as file:
        records = [(channel.topic, message.data) for _, channel, message in reader.make_reader(file).iter_messages()]
    topics = {"/dtalker/info": FaceInfo, "/blendshapes": Blendshapes, "/head": Head}
    messages = [deserialize_message(data, topics[topic]) for topic, data in records]
    assert messages[0].names == list(ARKIT_NAMES)
    assert len(messages) == 201
    for (_, sent), head, recorded in zip(listener.frames, messages[1::2], messages[2::2]):
        assert recorded == sent
        assert (head.header, head.sequence, head.yaw) == (sent.header, sent.sequence, 0.0)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
def test_a_failed_sink_is_told_and_the_others_go_on(listener: Listener, tmp_path: Path) -> None:
    path = tmp_path / "face.csv"
    with sink_node(sinks=["csv:/dev/full", str(path)], info_wait_ms=0.0) as node:
        publish(listener, range(50))
        listener.logged("No space left on device; the rest goes on")
        listener.until(lambda: lines(path) >= 51, "the rows")
        code, output = finish(node, signal.SIGINT)
    assert code == 1, output
    assert len(rows_of(path)) == 50


def test_only_what_is_open_is_written_to(listener: Listener, tmp_path: Path) -> None:
    path = tmp_path / "face.csv"
    with sink_node(sinks=[f"{tmp_path}/gone/face.csv", str(path)], info_wait_ms=0.0) as node:
        publish(listener, range(10))
        line = listener.logged("writing to")
        listener.until(lambda: lines(path) >= 11, "the rows")
        code, _ = finish(node, signal.SIGINT)
    assert code == 1
    assert str(path) in line and "gone" not in line
    assert any("gone" in said and "the rest goes on" in said for said in listener.logs)


@needs_ffmpeg
def test_a_film_that_takes_too_long_to_end_is_cut_and_whole(listener: Listener, tmp_path: Path) -> None:
    """As `ros2 launch` ends a node: SIGINT, then SIGTERM when it loses patience. Big pictures are slow to draw."""
    path, rows = tmp_path / "take.mp4", tmp_path / "face.csv"
    with sink_node(sinks=[f"{path}?size=1024", str(rows)], info_wait_ms=0.0) as node:
        publish(listener, range(450))
        listener.until(lambda: lines(rows) >= 451, "all frames")
        node.send_signal(signal.SIGINT)
        listener.logged("closing 2 sinks")
        end_s = time.monotonic() + 1.5 * ECHO_S
        listener.until(lambda: time.monotonic() > end_s, "the time in which a signal is an echo of the first")
        code, output = finish(node, signal.SIGTERM)
    assert code == 0, output
    assert "interrupted while closing: a film ends where it was" in output and "Traceback" not in output
    left = [entry.name for entry in tmp_path.iterdir() if entry != rows]
    assert left in ([], ["take.mp4"])  # a machine that tests much may not come to the first picture
    assert not left or 0 < int(probed(path)["video"]["nb_read_frames"]) < 270


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({}, "sinks: names no sink"),
        ({"sinks": ["face.txt"]}, "sink face.txt: unknown kind; known: csv:FILE"),
    ],
)
def test_bad_parameters_end_it_at_once(parameters: dict[str, Any], message: str) -> None:
    code, output = finish(start("sink_node", **parameters))
    assert code == 1
    assert message in output
    assert "Traceback" not in output


def test_a_signal_in_mid_vowel_leaves_an_engine_with_a_face_at_rest(listener: Listener) -> None:
    """Live Link shows what came last until something else comes."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as engine:
        engine.bind(("127.0.0.1", 0))
        engine.settimeout(10)
        target = f"livelink:127.0.0.1:{engine.getsockname()[1]}"
        with sink_node(sinks=[target], info_wait_ms=0.0) as node:
            publish(listener, range(95))  # jawOpen counts up to 0.44

            def jaw() -> float:
                return float(struct.unpack("!61f", engine.recv(2048)[-244:])[17])

            while jaw() < 0.4:
                pass
            code, output = finish(node, signal.SIGINT)
        assert code == 0, output
        engine.settimeout(0.5)
        shown = []
        with contextlib.suppress(TimeoutError):
            while True:
                shown.append(jaw())
    assert max(shown) > 0.4 and shown[-1] == 0

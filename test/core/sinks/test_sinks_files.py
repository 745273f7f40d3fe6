"""Sinks that write text files or recordings, read back by readers that are not ours: csv, json, rosbags, mcap."""

import csv
import errno
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from checkout import ROOT
from sink_rig import BEGUN_NS, HEAD_SLOPES, feed, info, ramp

from dtalker_model.blendshapes import ARKIT_NAMES
from dtalker_model.output.pose import POSE_NAMES
from dtalker_model.sinks.records import mcap_schema

FULL = Path("/dev/full")
FRAMES = ramp(2.0)


def weights_of(frames: Any = FRAMES) -> np.ndarray:
    return np.array([frame.weights for frame in frames])


def test_csv(tmp_path: Path) -> None:
    assert feed([f"csv:{tmp_path}/a.csv", f"csv:{tmp_path}/b.csv?rate=30"], FRAMES) == []
    for name, rate_hz in (("a.csv", 50), ("b.csv", 30)):
        with (tmp_path / name).open(newline="") as file:
            header, *rows = csv.reader(file)
        assert header[:53] == ["time_s", *ARKIT_NAMES]
        assert header[53:] == ["yaw", "pitch", "roll", "gaze_yaw", "gaze_pitch"]
        np.testing.assert_allclose(np.array(rows, float)[:, 0], np.arange(2 * rate_hz) / rate_hz, atol=1e-6)
    np.testing.assert_allclose(np.array(rows, float)[:59, 1:53], weights_of()[0] + _line(30)[:59], atol=1e-5)
    np.testing.assert_allclose(np.array(rows, float)[:59, 53:], np.outer(np.arange(59) / 30, HEAD_SLOPES), atol=2e-5)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.csv", "b.csv"]


def _line(rate_hz: int) -> np.ndarray:
    """The weights of `FRAMES` at another rate."""
    return (np.arange(2 * rate_hz) / rate_hz)[:, None] * np.arange(1, 53) / 120


def test_json_lines_of_frames_that_are_not_finite_are_json(tmp_path: Path) -> None:
    frames = ramp(0.2)
    frames[5].weights[17] = np.nan
    assert len(feed([f"jsonl:{tmp_path / 'face.jsonl'}"], frames)) == 1
    lines = (tmp_path / "face.jsonl").read_text().splitlines()
    rows = [json.loads(line, parse_constant=pytest.fail) for line in lines]
    assert rows[5]["weights"] == rows[4]["weights"] and len(rows) == 10


def test_json_lines(tmp_path: Path) -> None:
    assert feed([str(tmp_path / "a.jsonl")], FRAMES) == []
    rows = [json.loads(line) for line in (tmp_path / "a.jsonl").read_text().splitlines()]
    assert [row["frame"] for row in rows] == list(range(100))
    assert [row["time_s"] for row in rows] == [frame.time_s for frame in FRAMES]
    assert all(tuple(row["weights"]) == ARKIT_NAMES for row in rows)
    np.testing.assert_allclose([list(row["weights"].values()) for row in rows], weights_of(), atol=1e-5)
    assert all(tuple(row["head"]) == POSE_NAMES for row in rows)
    np.testing.assert_allclose([list(row["head"].values()) for row in rows], heads_of(), atol=1e-5)


def heads_of(frames: Any = FRAMES) -> np.ndarray:
    return np.array([frame.head for frame in frames])


def rosbag_heads(path: Path) -> list[Any]:
    """The messages on the topic ``/head`` of a recording."""
    highlevel = pytest.importorskip("rosbags.highlevel")
    with highlevel.AnyReader([path]) as reader:
        heads = [c for c in reader.connections if c.topic == "/head"]
        assert {c.msgtype for c in heads} == {"dtalker/msg/Head"}
        return [reader.deserialize(raw, c.msgtype) for c, _, raw in reader.messages(connections=heads)]


def test_mcap_holds_the_heads_of_its_frames(tmp_path: Path) -> None:
    path = tmp_path / "take.mcap"
    assert feed([f"mcap:{path}"], FRAMES) == []
    heads = rosbag_heads(path)
    assert [head.sequence for head in heads] == list(range(100))
    np.testing.assert_array_equal([[getattr(head, name) for name in POSE_NAMES] for head in heads], heads_of())
    stamps_ns = [head.header.stamp.sec * 10**9 + head.header.stamp.nanosec for head in heads]
    np.testing.assert_array_equal(stamps_ns, rosbag_rows(path)[0])


def rosbag_rows(path: Path) -> tuple[np.ndarray, np.ndarray, list[Any]]:
    """Stamps (ns), weights and info messages of a recording, read by rosbags from the file's own definitions."""
    highlevel = pytest.importorskip("rosbags.highlevel")
    times: list[int] = []
    weights: list[Any] = []
    infos: list[Any] = []
    with highlevel.AnyReader([path]) as reader:
        for connection, time_ns, raw in reader.messages():
            message = reader.deserialize(raw, connection.msgtype)
            if connection.topic == "/dtalker/info":
                assert connection.msgtype == "dtalker/msg/FaceInfo"
                infos.append(message)
                continue
            if connection.topic == "/head":
                continue
            assert (connection.topic, connection.msgtype) == ("/blendshapes", "dtalker/msg/Blendshapes")
            assert message.header.stamp.sec * 10**9 + message.header.stamp.nanosec == time_ns
            assert (message.header.frame_id, message.sequence) == ("face", len(times))
            assert message.JAW_OPEN == ARKIT_NAMES.index("jawOpen")
            times.append(time_ns)
            weights.append(message.weights)
    return np.array(times), np.array(weights), infos


def test_mcap_is_a_ros_recording(tmp_path: Path) -> None:
    path = tmp_path / "take.mcap"
    stream = info(model="m", licence="CC0", lookahead_ms=80.0, identities=("a", "b"), emotions=("happy",))
    assert feed([f"mcap:{path}"], FRAMES, stream) == []
    times, weights, infos = rosbag_rows(path)
    np.testing.assert_array_equal(times, BEGUN_NS + np.arange(100) * 20_000_000)
    np.testing.assert_array_equal(weights, weights_of())
    assert len(infos) == 1
    assert (infos[0].names, infos[0].model, infos[0].licence) == (list(ARKIT_NAMES), "m", "CC0")
    assert (infos[0].frame_rate_hz, infos[0].identities, infos[0].emotions) == (50.0, ["a", "b"], ["happy"])
    assert [path.name for path in tmp_path.iterdir()] == ["take.mcap"]


def test_mcap_has_profile_schema_and_index(tmp_path: Path) -> None:
    reader = pytest.importorskip("mcap.reader")
    path = tmp_path / "take.mcap"
    assert feed([str(path)], FRAMES) == []
    with path.open("rb") as file:
        mcap = reader.make_reader(file, validate_crcs=True)
        assert mcap.get_header().profile == "ros2"
        summary = mcap.get_summary()
        assert sum(summary.statistics.channel_message_counts.values()) == 201
        assert {channel.message_encoding for channel in summary.channels.values()} == {"cdr"}
        assert {schema.encoding for schema in summary.schemas.values()} == {"ros2msg"}
        assert len(list(mcap.iter_messages())) == 201


@pytest.mark.parametrize(
    ("name", "fields"),
    [
        ("Blendshapes", mcap_schema.BLENDSHAPES_FIELDS),
        ("FaceInfo", mcap_schema.INFO_FIELDS),
        ("Head", mcap_schema.HEAD_FIELDS),
    ],
)
def test_mcap_schemas_are_the_messages(name: str, fields: str) -> None:
    text = (ROOT / "msg" / f"{name}.msg").read_text()
    lines = [re.sub(r"\s+", " ", line.partition("#")[0]).strip() for line in text.splitlines()]
    assert [line for line in lines if line] == fields.splitlines()


@pytest.mark.skipif(not FULL.exists(), reason="no /dev/full here")
def test_a_full_device_is_told_and_the_others_go_on(tmp_path: Path) -> None:
    (line,) = feed([f"csv:{FULL}", str(tmp_path / "a.jsonl")], FRAMES)
    assert line == "sink csv:/dev/full: cannot write /dev/full: No space left on device; the rest goes on"
    assert len((tmp_path / "a.jsonl").read_text().splitlines()) == 100


def limited(tmp_path: Path, name: str, blocks: int) -> tuple[int, str]:
    """Feed 20 s to `name` in a process whose files may not exceed `blocks` KiB, like on a disk that fills up."""
    program = (
        "import sys; from sink_rig import HEAD_SLOPES, feed, ramp; "
        f"print('\\n'.join(feed([{str(tmp_path / name)!r}, {str(tmp_path / 'other.csv')!r} + '?rate=1'], ramp(20.0))))"
    )
    shell = f"ulimit -f {blocks}; cd '{ROOT / 'test' / 'rigs'}' && PYTHONPATH=../.. '{sys.executable}' -c \"$0\""
    run = subprocess.run(["bash", "-c", shell, program], capture_output=True, text=True, check=False, timeout=120)
    assert run.returncode == 0, run.stderr
    assert len((tmp_path / "other.csv").read_text().splitlines()) == 21
    return run.returncode, run.stdout.strip()


@pytest.mark.parametrize("blocks", [40, 101, 160])
def test_a_disk_that_fills_up_keeps_whole_rows(tmp_path: Path, blocks: int) -> None:
    _, line = limited(tmp_path, "a.csv", blocks)
    rows = (tmp_path / "a.csv.part").read_text().splitlines()
    assert line.endswith(
        f"File too large; the {len(rows) - 1} frames so far are in {tmp_path}/a.csv.part; the rest goes on"
    )
    assert all(row.count(",") == 57 for row in rows)
    assert not (tmp_path / "a.csv").exists()


@pytest.mark.parametrize("blocks", [30, 47, 100])
def test_a_disk_that_fills_up_leaves_a_recording_that_opens(tmp_path: Path, blocks: int) -> None:
    pytest.importorskip("mcap_ros2.writer")
    _, line = limited(tmp_path, "take.mcap", blocks)
    part = tmp_path / "take.part.mcap"
    times, weights, infos = rosbag_rows(part)
    assert f"File too large; the {len(times)} frames so far are in {part}" in line
    assert 50 <= len(times) < 1000
    np.testing.assert_allclose(weights, weights_of(ramp(20.0))[: len(times)])
    assert len(infos) == 1


@pytest.mark.parametrize("missing", [1, 9, 40, 60, 500, 3000])
def test_a_disk_that_fills_up_at_the_very_end_leaves_a_recording_that_opens(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, missing: int
) -> None:
    pytest.importorskip("mcap_ros2.writer")
    path, part = tmp_path / "take.mcap", tmp_path / "take.part.mcap"
    feed([str(path)], FRAMES)
    room = path.stat().st_size - missing
    path.unlink()
    write = os.write

    def limited_write(descriptor: int, data: bytes) -> int:
        left = room - os.fstat(descriptor).st_size
        if left <= 0:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return write(descriptor, data[:left])

    monkeypatch.setattr(os, "write", limited_write)
    (line,) = feed([str(path)], FRAMES)
    times, _, _ = rosbag_rows(part)
    assert f"No space left on device; the {len(times)} frames so far are in {part}" in line


def test_a_path_that_cannot_be(tmp_path: Path) -> None:
    lines = feed([f"{tmp_path}/no/a.csv", f"{tmp_path}/no/a.jsonl", f"{tmp_path}/no/a.mcap"], FRAMES)
    assert len(lines) == 3
    assert all("cannot write" in line and "No such file or directory" in line for line in lines), lines

"""The film: seen by ffprobe and by Pillow."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from checkout import ROOT
from cli_rig import voice
from sink_rig import feed, info, ramp, tiny_head

from dtalker_model.avatar import HEAD
from dtalker_model.blendshapes import INDEX
from dtalker_model.errors import SinkError
from dtalker_model.sinks import SinkFrame
from dtalker_model.sinks.heads.glb_container import Glb
from dtalker_model.sinks.heads.head_picture import BACKGROUND, HeadPicture

pytest.importorskip("PIL", reason="Pillow is not installed")
needs_ffmpeg = pytest.mark.skipif(
    not (shutil.which("ffmpeg") and shutil.which("ffprobe")), reason="ffmpeg is not installed: apt install ffmpeg"
)
REST = np.zeros(52, np.float32)


@pytest.fixture
def head(tmp_path: Path) -> Path:
    return tiny_head(tmp_path / "tiny.glb")


@pytest.fixture
def speech(tmp_path: Path) -> Path:
    path = tmp_path / "speech.wav"
    soundfile.write(path, voice(2, 16_000), 16_000)
    return path


def probed(path: Path) -> dict[str, dict[str, Any]]:
    """What ffprobe says of each stream, pictures and samples counted, by the stream's kind."""
    command = ["ffprobe", "-v", "error", "-count_frames", "-show_streams", "-of", "json", str(path)]
    run = subprocess.run(command, capture_output=True, text=True, check=True)
    return {stream["codec_type"]: stream for stream in json.loads(run.stdout)["streams"]}


def pixels(picture: HeadPicture, **weights: float) -> np.ndarray:
    """The picture (size, size, 3) with some weights set."""
    face = REST.copy()
    for name, value in weights.items():
        face[INDEX[name]] = value
    return np.frombuffer(picture.draw(face), np.uint8).reshape(picture.size, picture.size, 3).astype(int)


def test_a_picture_shows_the_head_and_moves_with_it(head: Path) -> None:
    picture = HeadPicture(Glb.read(head), 128)
    rest = pixels(picture)
    drawn = np.abs(rest - np.array(BACKGROUND)).max(axis=2) > 8
    assert 0.1 < drawn.mean() < 0.8
    rows, columns = np.nonzero(drawn)
    assert abs((rows.min() + rows.max()) / 2 - 64) < 8
    assert abs((columns.min() + columns.max()) / 2 - 64) < 8
    np.testing.assert_array_equal(pixels(picture), rest)
    assert np.abs(pixels(picture, jawOpen=1.0) - rest).max() > 50
    np.testing.assert_array_equal(pixels(picture, mouthLeft=1.0), rest)  # the tiny head knows no such thing


def test_a_picture_of_our_own_head_opens_its_mouth() -> None:
    picture = HeadPicture(Glb.read(HEAD), 128)
    moved = np.abs(pixels(picture, jawOpen=1.0) - pixels(picture)).max(axis=2) > 20
    assert 0.005 < moved.mean() < 0.4
    assert np.nonzero(moved)[0].mean() > 64  # in the lower half


def test_a_compressed_head_is_refused(head: Path) -> None:
    glb = Glb.read(head)
    glb.json["extensionsRequired"] = ["KHR_draco_mesh_compression"]
    with pytest.raises(SinkError, match=r"the head is compressed \(KHR_draco_mesh_compression\)"):
        HeadPicture(glb, 64)


@needs_ffmpeg
def test_a_film_has_pictures_and_sound(tmp_path: Path, head: Path, speech: Path) -> None:
    path = tmp_path / "take.mp4"
    done: list[float] = []
    stream = info(speech=speech, progress=lambda what, part: done.append(part))
    assert feed([f"{path}?avatar={head}&size=96"], ramp(2.0), stream) == []
    streams = probed(path)
    assert (streams["video"]["width"], streams["video"]["height"]) == (96, 96)
    assert (streams["video"]["r_frame_rate"], streams["video"]["nb_read_frames"]) == ("30/1", "60")
    assert float(streams["video"]["duration"]) == pytest.approx(2.0, abs=0.02)
    assert float(streams["audio"]["duration"]) == pytest.approx(2.0, abs=0.1)
    assert (streams["audio"]["codec_name"], streams["video"]["pix_fmt"]) == ("aac", "yuv420p")
    assert done[-1] == 1.0 and done == sorted(done)
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["speech.wav", "take.mp4", "tiny.glb"]


@needs_ffmpeg
def test_a_film_without_sound_and_with_a_pause(tmp_path: Path, head: Path) -> None:
    path = tmp_path / "take.mp4"
    frames = [SinkFrame(0.5, REST), SinkFrame(2.5, REST)]
    assert feed([f"video:{path}?avatar={head}&size=64&rate=10"], frames) == []
    streams = probed(path)
    assert list(streams) == ["video"]
    assert streams["video"]["nb_read_frames"] == "26"  # from time 0 on, the pause held


@needs_ffmpeg
def test_the_pictures_are_the_face_at_that_time(tmp_path: Path, head: Path) -> None:
    path = tmp_path / "take.mp4"
    open_mouth = REST.copy()
    open_mouth[INDEX["jawOpen"]] = 1.0
    frames = [SinkFrame(k / 50, open_mouth if k >= 50 else REST) for k in range(100)]
    assert feed([f"{path}?avatar={head}&size=64"], frames) == []
    command = ["ffmpeg", "-v", "error", "-i", str(path), "-f", "rawvideo", "-pix_fmt", "rgb24", "-"]
    raw = subprocess.run(command, capture_output=True, check=True).stdout
    film = np.frombuffer(raw, np.uint8).reshape(-1, 64, 64, 3).astype(int)
    change = np.abs(film - film[0]).mean(axis=(1, 2, 3))
    assert change[28] < 1.0 < 2.0 < change[31]


@needs_ffmpeg
def test_an_interruption_ends_the_film_there(tmp_path: Path, head: Path, speech: Path) -> None:
    path = tmp_path / "take.mp4"

    def interrupt(what: str, part: float) -> None:
        if part >= 0.5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        feed([f"{path}?avatar={head}&size=64"], ramp(2.0), info(speech=speech, progress=interrupt))
    streams = probed(path)
    assert streams["video"]["nb_read_frames"] == "30"
    assert float(streams["audio"]["duration"]) == pytest.approx(1.0, abs=0.1)


@needs_ffmpeg
def test_a_disk_that_fills_up_leaves_a_film_that_plays(tmp_path: Path, head: Path) -> None:
    path = tmp_path / "take.mp4"
    program = f"from sink_rig import feed, ramp; print(*feed(['{path}?avatar={head}&size=256'], ramp(40.0)))"
    shell = f"ulimit -f 60; cd '{ROOT / 'test' / 'rigs'}' && PYTHONPATH=../.. '{sys.executable}' -c \"$0\""
    run = subprocess.run(["bash", "-c", shell, program], capture_output=True, text=True, check=False, timeout=120)
    part = tmp_path / "take.part.mp4"
    assert "ffmpeg gave up: " in run.stdout, run.stderr
    assert f"; what was written so far is in {part}" in run.stdout
    assert int(probed(part)["video"]["nb_read_frames"]) >= 30
    assert not path.exists()


@needs_ffmpeg
def test_trouble_at_the_very_end_is_told_though_ffmpeg_ends_well(
    tmp_path: Path, head: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Seen on a full disk with ffmpeg 5.1: exit code 0, and a line on stderr."""
    real = shutil.which("ffmpeg")
    path = tmp_path / "take.mp4"
    fake = tmp_path / "ffmpeg"
    fake.write_text(f"#!/bin/sh\n{real} \"$@\"\necho 'Error closing file x: No space left on device' >&2\n")
    fake.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    (line,) = feed([f"{path}?avatar={head}&size=64"], ramp(1.0))
    assert "ffmpeg gave up: Error closing file x: No space left on device; what was written so far is in " in line
    assert not path.exists()


def test_without_ffmpeg_it_says_what_to_install(tmp_path: Path, head: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    (line,) = feed([f"{tmp_path}/take.mp4?avatar={head}"], ramp(0.1))
    assert "video needs ffmpeg: apt install ffmpeg" in line
    assert [path.name for path in tmp_path.iterdir()] == ["tiny.glb"]


@needs_ffmpeg
def test_a_film_that_cannot_be_written_is_told_at_once(tmp_path: Path, head: Path) -> None:
    (line,) = feed([f"{tmp_path}/no/take.mp4?avatar={head}"], ramp(0.1))
    assert f"cannot write {tmp_path}/no/take.mp4: No such file or directory" in line
    (line,) = feed([f"video:{tmp_path}/take.avi?avatar={head}"], ramp(0.1))
    assert "the name must end in .mp4" in line

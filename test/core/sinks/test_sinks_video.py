"""The film: seen by ffprobe and by Pillow."""

import io
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile
from checkout import ROOT
from cli_rig import voice
from film_rig import needs_ffmpeg, probed
from sink_rig import feed, info, ramp, tiny_head

from dtalker_model.avatar import HEAD
from dtalker_model.blendshapes import INDEX
from dtalker_model.errors import SinkError
from dtalker_model.sinks import SinkFrame
from dtalker_model.sinks.heads.glb_container import Glb
from dtalker_model.sinks.heads.head_picture import BACKGROUND, HeadPicture

pytest.importorskip("PIL", reason="Pillow is not installed")
REST = np.zeros(52, np.float32)


@pytest.fixture
def head(tmp_path: Path) -> Path:
    return tiny_head(tmp_path / "tiny.glb")


@pytest.fixture
def speech(tmp_path: Path) -> Path:
    path = tmp_path / "speech.wav"
    soundfile.write(path, voice(2, 16_000), 16_000)
    return path


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


def film(
    path: Path, head: Path, pcm: np.ndarray, rate_hz: int, form: str = "WAV", options: str = "", live: bool = False
) -> Path:
    """A film of 1.3 s whose mouth opens after 1 s, with the sound `pcm`."""
    speech = path.with_name("sound")
    soundfile.write(speech, pcm, rate_hz, format=form)
    wide = REST.copy()
    wide[INDEX["jawOpen"]] = 1.0
    frames = [SinkFrame(k / 50, wide if k >= 50 else REST) for k in range(65)]
    target = f"video:{path.name}?avatar={head}&size=64{options}"
    assert feed([target], frames, info(speech=speech, live=live)) == []
    return path


def begins(path: Path) -> dict[str, float]:
    """Where ffprobe says that the file and its streams begin, in s."""
    command = ["ffprobe", "-v", "error", "-show_format", "-show_streams", "-of", "json", f"file:{path}"]
    said = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    times = {stream["codec_type"]: stream["start_time"] for stream in said["streams"]}
    return {name: float(time) for name, time in {**times, "file": said["format"]["start_time"]}.items()}


def click(rate_hz: int, channels: int = 1) -> np.ndarray:
    """A tone that begins at 1.000 s, (samples, channels)."""
    t = np.arange(round(1.3 * rate_hz)) / rate_hz
    return np.repeat(np.where(t >= 1, 0.5 * np.cos(2 * np.pi * 440 * (t - 1)), 0)[:, None], channels, axis=1)


def onset_s(path: Path) -> float:
    """Where the film's sound begins."""
    command = ["ffmpeg", "-v", "error", "-i", f"file:{path}", "-vn", "-ac", "1", "-ar", "48000", "-f", "f32le", "-"]
    raw = subprocess.run(command, capture_output=True, check=True).stdout
    return float(np.argmax(np.abs(np.frombuffer(raw, "<f4")) > 0.1)) / 48_000


@needs_ffmpeg
@pytest.mark.parametrize(
    ("rate_hz", "channels", "pictures_hz", "live"),
    [
        (8_000, 1, 30, False),
        (8_000, 1, 30, True),
        (16_000, 1, 60, False),
        (22_050, 1, 25, False),
        (44_100, 2, 30, False),
        (44_100, 12, 25, True),
        (48_000, 12, 24, False),
        (192_000, 1, 30, False),
    ],
)
def test_pictures_sound_and_file_begin_together(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    head: Path,
    rate_hz: int,
    channels: int,
    pictures_hz: int,
    live: bool,
) -> None:
    monkeypatch.chdir(tmp_path)
    path = film(tmp_path / "take.mp4", head, click(rate_hz, channels), rate_hz, "WAV", f"&rate={pictures_hz}", live)
    assert begins(path) == {"video": 0.0, "audio": 0.0, "file": 0.0}
    streams = probed(path)
    assert (list(streams), streams["audio"]["sample_rate"]) == (["video", "audio"], "48000")
    assert int(streams["video"]["nb_read_frames"]) == round(1.28 * pictures_hz) + 1
    assert float(streams["video"]["duration"]) == pytest.approx(1.3, abs=0.05)
    assert onset_s(path) == pytest.approx(1.0, abs=0.002)
    command = ["ffmpeg", "-v", "error", "-i", str(path), "-f", "rawvideo", "-pix_fmt", "gray", "-"]
    raw = subprocess.run(command, capture_output=True, check=True).stdout
    pictures = np.frombuffer(raw, np.uint8).reshape(-1, 64 * 64).astype(int)
    assert len(pictures) == int(streams["video"]["nb_read_frames"])
    change = np.abs(pictures - pictures[0]).mean(axis=1)
    assert np.argmax(change > change.max() / 2) / pictures_hz == pytest.approx(1.0, abs=1 / pictures_hz + 1e-6)


@needs_ffmpeg
@pytest.mark.parametrize("name", ["take:1.mp4", "-take.mp4", "%d take.mp4"])
def test_a_film_may_have_any_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, head: Path, name: str) -> None:
    monkeypatch.chdir(tmp_path)
    path = film(tmp_path / name, head, click(16_000), 16_000)
    assert begins(path) == {"video": 0.0, "audio": 0.0, "file": 0.0}
    assert not list(tmp_path.glob("*.part*"))


@needs_ffmpeg
def test_a_film_has_the_sound_that_the_reader_hears(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, head: Path
) -> None:
    """Joined files: ffmpeg would play the first one alone."""
    monkeypatch.chdir(tmp_path)
    path = film(tmp_path / "take.mp4", head, click(16_000), 16_000, form="FLAC")
    joined = tmp_path / "joined"
    half = io.BytesIO()
    soundfile.write(half, np.zeros(8_000), 16_000, format="WAV")
    rest = io.BytesIO()
    soundfile.write(rest, click(16_000)[8_000:], 16_000, format="WAV")
    joined.write_bytes(half.getvalue() + rest.getvalue())
    frames = [SinkFrame(k / 50, REST) for k in range(65)]
    assert feed([f"{path}?avatar={head}&size=64"], frames, info(speech=joined)) == []
    assert onset_s(path) == pytest.approx(1.0, abs=0.002)

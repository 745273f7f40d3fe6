"""The film of a live stream: drawn and encoded while it runs, the same as one that is drawn at the end."""

import shutil
import subprocess
import threading
import time
from pathlib import Path

import numpy as np
import pytest
import soundfile
from cli_rig import voice
from film_rig import needs_ffmpeg, probed
from sink_rig import feed, info, ramp, tiny_head

from dtalker_model.errors import SinkError
from dtalker_model.sinks import SinkFrame
from dtalker_model.sinks.heads.head_picture import HeadPicture
from dtalker_model.sinks.heads.live_film import LiveFilm
from dtalker_model.sinks.heads.video_file import VideoSink

pytest.importorskip("PIL", reason="Pillow is not installed")
pytestmark = needs_ffmpeg
WAIT_S = 30.0


@pytest.fixture
def head(tmp_path: Path) -> Path:
    return tiny_head(tmp_path / "tiny.glb")


@pytest.fixture
def sink(tmp_path: Path, head: Path) -> VideoSink:
    """Of 25 pictures a second, not open yet."""
    return VideoSink(str(tmp_path / "take.mp4"), rate_hz=25.0, avatar=head, size=64)


def until(condition: object, what: str) -> None:
    end_s = time.monotonic() + WAIT_S
    while not condition():  # type: ignore[operator]
        assert time.monotonic() < end_s, f"waited {WAIT_S} s for {what}"
        threading.Event().wait(0.01)


def film(path: Path) -> np.ndarray:
    """Pictures (N, 64, 64, 3) of a film."""
    command = ["ffmpeg", "-v", "error", "-i", str(path), "-f", "rawvideo", "-pix_fmt", "rgb24", "-"]
    raw = subprocess.run(command, capture_output=True, check=True).stdout
    return np.frombuffer(raw, np.uint8).reshape(-1, 64, 64, 3).astype(int)


@pytest.mark.parametrize("frames", [ramp(2.0), [*ramp(1.0)[7:], SinkFrame(1.7, ramp(1.0)[-1].weights)]])
def test_a_live_film_is_the_one_that_is_drawn_at_the_end(tmp_path: Path, head: Path, frames: list[SinkFrame]) -> None:
    for name, live in (("late", False), ("live", True)):
        assert feed([f"{tmp_path}/{name}.mp4?avatar={head}&size=64"], frames, info(live=live)) == []
    late, live_film = film(tmp_path / "late.mp4"), film(tmp_path / "live.mp4")
    assert late.shape == live_film.shape
    assert np.abs(late - live_film).max() <= 2


def test_the_sound_of_a_live_stream_is_added_at_its_end(tmp_path: Path, head: Path) -> None:
    speech = tmp_path / "speech.wav"
    soundfile.write(speech, voice(3, 16_000), 16_000)
    path = tmp_path / "take.mp4"
    assert feed([f"{path}?avatar={head}&size=64"], ramp(2.0), info(live=True, speech=speech)) == []
    streams = probed(path)
    assert streams["video"]["nb_read_frames"] == "60"
    assert float(streams["audio"]["duration"]) == pytest.approx(2.0, abs=0.1)
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["speech.wav", "take.mp4", "tiny.glb"]


def test_it_is_encoded_while_the_stream_runs(sink: VideoSink) -> None:
    told: list[float] = []
    sink.open(info(live=True, progress=lambda what, part: told.append(part)))
    for frame in ramp(2.0):
        sink.write(frame)
    assert sink._film is not None
    until(lambda: sink._film is not None and sink._film.pictures >= 49, "the pictures")
    sink.close()
    assert min(told, default=1.0) > 0.9
    assert probed(sink.path)["video"]["nb_read_frames"] == "51"


def test_an_interruption_of_the_end_leaves_a_whole_film(sink: VideoSink, monkeypatch: pytest.MonkeyPatch) -> None:
    drawn, draw = threading.Semaphore(1 + 20), HeadPicture.draw  # `open` tries the head with one

    def slowly(self: HeadPicture, weights: np.ndarray, head: np.ndarray | None = None) -> bytes:
        drawn.acquire(timeout=WAIT_S)
        return draw(self, weights, head)

    def interrupt(what: str, part: float) -> None:
        until(lambda: sink._film is not None and sink._film.pictures == 20, "twenty pictures")
        sink._film._cut = True  # type: ignore[union-attr]  # as the interruption does, before the next picture is drawn
        drawn.release()
        raise KeyboardInterrupt

    monkeypatch.setattr(HeadPicture, "draw", slowly)
    sink.open(info(live=True, progress=interrupt))
    for frame in ramp(2.0):
        sink.write(frame)
    with pytest.raises(KeyboardInterrupt):
        sink.close()
    assert int(probed(sink.path)["video"]["nb_read_frames"]) in (20, 21)
    assert not sink.path.with_name("take.part.mp4").exists()


def test_an_interruption_before_the_first_picture_leaves_no_film(
    sink: VideoSink, monkeypatch: pytest.MonkeyPatch
) -> None:
    goes_on = threading.Event()

    def interrupt(what: str, part: float) -> None:
        goes_on.set()
        raise KeyboardInterrupt

    sink.open(info(live=True, progress=interrupt))
    monkeypatch.setattr(LiveFilm, "_next", lambda film: goes_on.wait(WAIT_S) and None)
    for frame in ramp(1.0):
        sink.write(frame)
    with pytest.raises(KeyboardInterrupt):
        sink.close()
    assert [path.name for path in sink.path.parent.iterdir()] == ["tiny.glb"]


def test_a_failure_of_the_encoder_is_told(tmp_path: Path, sink: VideoSink, monkeypatch: pytest.MonkeyPatch) -> None:
    real, fake = shutil.which("ffmpeg"), tmp_path / "ffmpeg"
    fake.write_text(f"#!/bin/sh\nhead -c 60000 | {real} \"$@\"\necho 'No space left on device' >&2\nexit 1\n")
    fake.chmod(0o755)
    monkeypatch.setattr("dtalker_model.sinks.heads.ffmpeg.find_ffmpeg", lambda: str(fake))
    sink.open(info(live=True))
    for frame in ramp(2.0):
        sink.write(frame)
    film = sink._film
    assert film is not None
    until(lambda: not film._thread.is_alive(), "the end of the thread")
    with pytest.raises(SinkError, match="ffmpeg gave up: No space left on device"):
        sink.write(SinkFrame(3.0, ramp(1.0)[0].weights))
    with pytest.raises(SinkError, match="ffmpeg gave up: No space left on device; what was written so far is in"):
        sink.close()

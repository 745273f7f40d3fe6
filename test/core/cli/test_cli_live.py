"""``dtalker live``: a file at its own pace, to any sinks, until Ctrl-C."""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from checkout import ROOT
from cli_rig import dtalker, refused, refused_here, rows_of, voice
from sink_rig import tiny_head

import dtalker_model
from dtalker_model.cli.sound.live_audio import AudioQueue, PacedFile

WAIT_S = 60.0


@pytest.fixture
def speech(tmp_path: Path) -> Path:
    """One second of int16 WAV at 16 kHz."""
    path = tmp_path / "speech.wav"
    soundfile.write(path, voice(1, 16_000), 16_000, subtype="PCM_16")
    return path


def offline(pcm: np.ndarray, rate_hz: int) -> np.ndarray:
    talker = dtalker_model.load()
    return np.array([frame.weights for frame in talker.push(pcm, rate_hz) + talker.flush()])


def test_a_file_at_its_own_pace_gives_the_frames_of_render(speech: Path) -> None:
    begun_s = time.monotonic()
    run = dtalker("live", speech)
    assert run.returncode == 0, run.stderr
    assert time.monotonic() - begun_s >= 1.0
    rows = [json.loads(line) for line in run.stdout.splitlines()]
    assert [row["time_s"] for row in rows] == [k / 50 for k in range(50)]
    pcm, rate_hz = soundfile.read(speech, dtype="float32")
    np.testing.assert_allclose([list(row["weights"].values()) for row in rows], offline(pcm, rate_hz), atol=2e-4)
    assert run.stderr.startswith("jsonl:-: 50 frames, 0.00 s of audio dropped, latency beyond the look-ahead p50 ")
    assert run.stderr.count("\n") == 1


def test_what_is_wrong_with_the_sound_is_said_once(tmp_path: Path) -> None:
    soundfile.write(path := tmp_path / "off.wav", voice(2.5, 16_000) + 0.05, 16_000)
    run = dtalker("live", path)
    said = [line for line in run.stderr.splitlines() if line.startswith("dtalker: the audio is off centre")]
    assert run.returncode == 0 and len(said) == 1, run.stderr


def test_frames_come_while_the_sound_goes_on(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "long.wav", voice(30, 16_000), 16_000)
    command = [sys.executable, "-m", "dtalker_model.cli", "live", str(tmp_path / "long.wav"), "--sink", "csv:-"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None and process.stderr is not None
        process.stdout.readline()
        times_s = []
        for _ in range(100):
            assert process.stdout.readline()
            times_s.append(time.monotonic())
        process.send_signal(signal.SIGINT)
        rest, err = process.stdout.read(), process.stderr.read()
        assert process.wait(WAIT_S) == 0
    assert times_s[-1] - times_s[0] == pytest.approx(99 / 50, abs=0.5)
    assert rest.count("\n") < 100
    assert err.startswith("csv:-: ") and err.count("\n") == 1, err


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_files_properly(tmp_path: Path, number: int) -> None:
    soundfile.write(tmp_path / "long.wav", voice(30, 16_000), 16_000)
    sinks = ["csv:face.csv", f"glb:take.glb?avatar={tiny_head(tmp_path / 'tiny.glb')}"]
    options = [word for sink in sinks for word in ("--sink", sink)]
    command = [sys.executable, "-m", "dtalker_model.cli", "live", "long.wav", *options]
    env_command = ["env", f"PYTHONPATH={ROOT}", *command]
    with subprocess.Popen(env_command, cwd=tmp_path, stderr=subprocess.PIPE, text=True) as process:
        part = tmp_path / "face.csv.part"
        end_s = time.monotonic() + WAIT_S
        while not (part.exists() and part.read_text().count("\n") > 40):
            assert time.monotonic() < end_s and process.poll() is None
        process.send_signal(number)
        _, err = process.communicate(timeout=WAIT_S)
    assert process.returncode == 0, err
    assert 40 <= len(rows_of((tmp_path / "face.csv").read_text())) < 1000
    assert (tmp_path / "take.glb").stat().st_size > 1000
    assert not list(tmp_path.glob("*.part*"))


def test_a_failed_sink_is_told_once_and_the_code_is_2(speech: Path, tmp_path: Path) -> None:
    run = dtalker("live", speech, "--sink", f"csv:{tmp_path}/no/a.csv", "--sink", str(tmp_path / "b.csv"))
    assert run.returncode == 2
    first, _summary, last = run.stderr.splitlines()
    assert first.startswith(f"dtalker: sink csv:{tmp_path}/no/a.csv: cannot write ")
    assert first.endswith("No such file or directory; the rest goes on")
    assert last == "dtalker: 1 of 2 sinks failed"
    assert len(rows_of((tmp_path / "b.csv").read_text())) == 50


def test_render_goes_on_beside_a_failed_sink(speech: Path, tmp_path: Path) -> None:
    face = tmp_path / "face.csv"
    run = dtalker(
        "render", speech, "--out", face, "--sink", f"jsonl:{tmp_path}/no/a.jsonl", "--sink", tmp_path / "b.csv"
    )
    assert run.returncode == 2
    assert run.stderr.splitlines()[-1] == "dtalker: 1 of 2 sinks failed"
    assert face.read_text() == (tmp_path / "b.csv").read_text()
    assert len(rows_of(face.read_text())) == 50


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
def test_the_only_sink_that_fails_is_the_error(speech: Path) -> None:
    message = "sink csv:/dev/full: cannot write /dev/full: No space left on device"
    assert refused("live", speech, "--sink", "csv:/dev/full") == message
    assert refused("render", speech, "--sink", "csv:/dev/full") == message


def test_a_reader_that_stops_early_is_no_error(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "long.wav", voice(30, 16_000), 16_000)
    shell = f"'{sys.executable}' -m dtalker_model.cli live '{tmp_path / 'long.wav'}' | head -n 3"
    run = subprocess.run(["bash", "-c", shell], cwd=ROOT, capture_output=True, text=True, check=False, timeout=25)
    assert run.stdout.count("\n") == 3
    assert "Traceback" not in run.stderr and "Exception" not in run.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["live"], "give either a sound file or --mic (see dtalker live --help)"),
        (["live", "x.wav", "--mic"], "give either a sound file or --mic (see dtalker live --help)"),
        (["live", "x.wav", "--device", "1"], "device: needs --mic"),
        (["live", "x.wav"], "x.wav: No such file or directory"),
        (["live", "x.wav", "--sink", "face.doc"], "sink face.doc: unknown kind; known: csv:FILE|-, jsonl:FILE|-, "),
        (["live", "x.wav", "--emotion", "5", "--intensity", "7"], "intensity: 7 is out of range, allowed 0 to 2"),
    ],
)
def test_bad_usage(capsys: Any, arguments: list[str], message: str) -> None:
    assert refused_here(capsys, *arguments).startswith(message)


def test_a_sink_on_the_sound_file_itself_is_refused(speech: Path, capsys: Any) -> None:
    message = f"cannot write {speech}: it is the sound file itself"
    for command in ("live", "render"):
        assert refused_here(capsys, command, speech, "--sink", f"csv:{speech}") == message


def test_the_queue_drops_the_oldest() -> None:
    queue = AudioQueue(longest_s=0.1)
    queue.rate_hz = 1000
    for number in range(20):
        queue.put(np.full((20, 1), number))
    queue.end()
    assert [int(heard.pcm[0, 0]) for heard in queue] == [15, 16, 17, 18, 19]
    assert queue.dropped_s == pytest.approx(0.3)


def test_a_file_that_breaks_off_is_an_error_after_its_frames(tmp_path: Path) -> None:
    path = tmp_path / "empty.wav"
    soundfile.write(path, np.zeros((0, 1)), 16_000)
    queue = AudioQueue()
    with PacedFile(path, queue), pytest.raises(dtalker_model.AudioError, match="holds no samples"):
        list(queue)

"""Sound through a pipe: ``-``, ``/dev/stdin``, a named pipe, for every command that hears a file."""

import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
from checkout import ROOT
from cli_rig import dtalker, refused, rows_of, voice
from sink_rig import tiny_head
from sound_rig import sound, with_sizes

WAIT_S = 60.0
PCM = voice(1.5, 16_000)[:, 0]
COMMAND = [sys.executable, "-m", "dtalker_model.cli"]

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="named pipes of POSIX")


def piped(data: bytes, *arguments: str) -> "subprocess.CompletedProcess[bytes]":
    """Run the command with `data` on its standard input, which is a pipe."""
    return subprocess.run(
        [*COMMAND, *arguments], cwd=ROOT, input=data, capture_output=True, check=False, timeout=WAIT_S
    )


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory) -> np.ndarray:
    """The face of the same sound from a disk."""
    path = tmp_path_factory.mktemp("disk") / "speech.wav"
    path.write_bytes(sound("WAV", pcm=PCM))
    return rows_of(dtalker("render", path, "--out", "-").stdout)


@pytest.mark.parametrize("form", ["WAV", "streamed", "FLAC", "joined"])
def test_standard_input_gives_the_frames_of_the_file(expected: np.ndarray, form: str) -> None:
    data = {
        "WAV": sound("WAV", pcm=PCM),
        "streamed": with_sizes(sound("WAV", pcm=PCM), 0xFFFFFFFF, 0xFFFFFFFF),
        "FLAC": sound("FLAC", pcm=PCM),
        "joined": sound("WAV", pcm=PCM[:9000]) + sound("WAV", pcm=PCM[9000:]),
    }[form]
    run = piped(data, "render", "-", "--out", "-")
    assert run.returncode == 0, run.stderr
    np.testing.assert_allclose(rows_of(run.stdout.decode()), expected, atol=2e-4)


@pytest.mark.parametrize("name", ["/dev/stdin", "fifo"])
def test_a_named_pipe_is_read(tmp_path: Path, expected: np.ndarray, name: str) -> None:
    data = sound("WAV", pcm=PCM)
    if name == "fifo":
        os.mkfifo(tmp_path / "fifo")
        writer = threading.Thread(target=(tmp_path / "fifo").write_bytes, args=(data,))
        writer.start()
        run = piped(b"", "render", str(tmp_path / "fifo"), "--out", "-")
        writer.join(WAIT_S)
    else:
        run = piped(data, "render", name, "--out", "-")
    assert run.returncode == 0, run.stderr
    np.testing.assert_allclose(rows_of(run.stdout.decode()), expected, atol=2e-4)


def test_a_live_pipe_is_heard_as_it_comes() -> None:
    """A header, and then sound without an end: frames come before it ends, and Ctrl-C ends it all."""
    data = with_sizes(sound("WAV", pcm=PCM), 0, 0)
    command = [*COMMAND, "live", "-", "--sink", "jsonl:-"]
    with subprocess.Popen(command, cwd=ROOT, stdin=-1, stdout=-1, stderr=-1) as process:
        assert process.stdin is not None and process.stdout is not None and process.stderr is not None
        process.stdin.write(data)
        process.stdin.flush()
        rows = [json.loads(process.stdout.readline()) for _ in range(40)]
        process.send_signal(signal.SIGINT)
        process.stdout.read()
        error = process.stderr.read().decode()
        assert process.wait(WAIT_S) == 0, error
    assert [row["frame"] for row in rows] == list(range(40))
    said = [line for line in error.splitlines() if "audio is dropped: this machine" not in line]  # it may be busy
    assert len(said) == 1 and "jsonl:-: " in said[0], error


@pytest.mark.parametrize(
    ("data", "fault"),
    [
        (b"", "standard input: is empty"),
        (b"hello" * 2000, "standard input: not a sound file that can be read"),
        (sound("WAV", pcm=np.zeros(0)), "standard input: holds no samples"),
        (
            sound("WAV", pcm=PCM)[:20],
            "standard input: the sound ends in the midst of its header; convert it: ffmpeg -i X",
        ),
        (sound("WAV", rate_hz=4_000), "standard input: sample rate must be"),
        (bytes(10_000_000), "standard input: not a sound file"),
    ],
)
def test_what_is_no_sound_is_one_line(data: bytes, fault: str, tmp_path: Path) -> None:
    run = piped(data, "render", "-", "--out", f"{tmp_path}/face.csv")
    assert (run.returncode, run.stdout) == (2, b"")
    assert run.stderr.decode().startswith(f"dtalker: {fault}") and run.stderr.count(b"\n") == 1


def test_a_device_without_an_end_is_no_sound(tmp_path: Path) -> None:
    assert refused("render", "/dev/zero", "--out", "-").startswith("/dev/zero: not a sound file that can be read")
    assert refused("render", "/dev/null", "--out", "-") == "/dev/null: is empty"


def test_a_film_of_a_pipe_has_its_sound(tmp_path: Path) -> None:
    pytest.importorskip("PIL", reason="Pillow is not installed")
    head = tiny_head(tmp_path / "tiny.glb")
    run = piped(sound("WAV", pcm=PCM), "render", "-", "--sink", f"{tmp_path}/take.mp4?avatar={head}&size=64")
    if b"needs ffmpeg" in run.stderr:
        pytest.skip("ffmpeg is not installed")
    assert run.returncode == 0, run.stderr
    command = ["ffmpeg", "-v", "error", "-i", f"{tmp_path}/take.mp4", "-vn", "-ar", "16000", "-f", "f32le", "-"]
    heard = np.frombuffer(subprocess.run(command, capture_output=True, check=True).stdout, "<f4")[: len(PCM)]
    assert np.corrcoef(heard, PCM[: len(heard)])[0, 1] > 0.95


def test_a_voice_is_enrolled_from_a_pipe(demo_wav: Path, tmp_path: Path) -> None:
    environment = {**os.environ, "XDG_DATA_HOME": str(tmp_path)}
    command = [*COMMAND, "enroll", "-", "--name", "anna"]
    run = subprocess.run(
        command,
        cwd=ROOT,
        input=demo_wav.read_bytes(),
        capture_output=True,
        check=False,
        timeout=WAIT_S,
        env=environment,
    )
    assert run.returncode == 0, run.stderr
    assert run.stdout.startswith(b"anna: learned from ")

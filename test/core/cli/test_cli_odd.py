"""Odd arguments: one line each, in words that are right, and never a traceback."""

import os
import signal
import socket
import struct
import subprocess
import sys
import time
from pathlib import Path

import pytest
import soundfile
from checkout import ROOT
from cli_rig import dtalker, face, refused, refused_here, rows_of, speech, voice

__all__ = ["face", "speech"]
LONG = "x" * 100_000
WAIT_S = 60.0


@pytest.mark.parametrize(
    "arguments",
    [
        ["render", LONG, "--out", "-"],
        ["render", "SPEECH", "--out", LONG],
        ["render", "SPEECH", "--sink", f"csv:{LONG}"],
        ["render", "SPEECH", "--sink", f"{LONG}.mp4"],
        ["render", "SPEECH", "--sink", f"{LONG}.glb"],
        ["render", "SPEECH", "--sink", f"take.glb?avatar={LONG}"],
        ["render", "SPEECH", "--sink", f"mcap:{LONG}"],
        ["render", "SPEECH", "--out", "-", "--model", f"{LONG}.onnx"],
        ["live", LONG],
        ["enroll", LONG, "--name", "anna"],
        ["enroll", "--list", "--model", f"{LONG}.onnx"],
        ["enroll", "--list", "--model", ""],
        ["enroll", "--remove", LONG],
        ["info", "--model", f"{LONG}.onnx"],
        ["view", LONG, "--no-open"],
        ["view", "--avatar", LONG, "--no-open"],
        ["view", "--host", LONG, "--port", "0", "--no-open"],
        ["view", "--host", "0.0.0.0", "--token", "a\nb", "--port", "0", "--no-open"],
    ],
    ids=lambda arguments: " ".join(word[:8] for word in arguments),
)
def test_a_path_of_100_kb_is_one_line_that_can_be_read(
    arguments: list[str],
    speech: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    if "view" in arguments:
        pytest.importorskip("aiohttp", reason="needs the extra [view] (aiohttp)")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.chdir(tmp_path)
    message = refused_here(capsys, *(str(speech) if word == "SPEECH" else word for word in arguments))
    assert len(message) < 4000


@pytest.mark.parametrize("other", ["./face.csv", "csv:../TMP/face.csv", "jsonl:face.csv"])
def test_two_that_would_write_the_same_file_are_refused(
    speech: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], other: str
) -> None:
    monkeypatch.chdir(tmp_path)
    other = other.replace("TMP", tmp_path.name)
    message = refused_here(capsys, "render", speech, "--out", "face.csv", "--sink", other)
    assert message == f"cannot write face.csv: sink {other} goes to the same place"
    message = refused_here(capsys, "render", speech, "--sink", "face.csv", "--sink", other)
    assert message.endswith("goes to the same place")
    assert [path.name for path in tmp_path.iterdir()] == ["speech.wav"]


def test_a_link_to_the_sound_file_is_the_sound_file(speech: Path, capsys: pytest.CaptureFixture[str]) -> None:
    link = speech.with_name("link.csv")
    link.symlink_to(speech)
    assert "it is the sound file itself" in refused_here(capsys, "render", speech, "--out", link)


@pytest.mark.skipif(sys.platform != "linux", reason="names are bytes on Linux alone")
def test_names_that_are_not_utf_8(tmp_path: Path) -> None:
    name = os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9")
    soundfile.write(f"{tmp_path}/a.wav", voice(1, 16_000), 16_000)
    os.rename(f"{tmp_path}/a.wav", f"{name}.wav")
    run = dtalker("render", f"{name}.wav", "--out", f"{name}.csv", "--sink", f"{name}.jsonl")
    assert run.returncode == 0, run.stderr
    assert len(rows_of(Path(f"{name}.csv").read_text())) == 50
    assert refused("render", f"{name}.flac", "--out", "-") == f"{tmp_path}/caf\\xe9.flac: No such file or directory"
    message = refused("render", f"{name}.wav", "--sink", os.fsdecode(b"livelink:127.0.0.1?name=\xe9"))
    assert message == "sink livelink:127.0.0.1?name=\\xe9: name: expected UTF-8, received '\\udce9'"
    message = refused("render", f"{name}.wav", "--sink", "livelink:127.0.0.1?name=" + "n" * 300)
    assert message.endswith("name: expected 1 to 200 bytes, received 300 characters")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("command", ["live", "render"])
def test_a_signal_in_mid_vowel_leaves_a_face_at_rest(tmp_path: Path, number: int, command: str, demo_wav: Path) -> None:
    """What Live Link's receiver gets last."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
        receiver.bind(("127.0.0.1", 0))
        receiver.settimeout(WAIT_S)
        sink = f"livelink:127.0.0.1:{receiver.getsockname()[1]}"
        words = [sys.executable, "-m", "dtalker_model.cli", command, str(demo_wav), "--sink", sink]
        with subprocess.Popen(words, cwd=ROOT, stderr=subprocess.PIPE, text=True) as process:
            jaw = 0.0
            while jaw < 0.1:
                jaw = struct.unpack("!61f", receiver.recv(2048)[-244:])[17]
            process.send_signal(number)
            sent_s, last = time.monotonic(), ()
            receiver.settimeout(0.5)
            while process.poll() is None or last == ():
                assert time.monotonic() - sent_s < WAIT_S
                try:
                    last = struct.unpack("!61f", receiver.recv(2048)[-244:])
                except TimeoutError:
                    continue
            while True:
                try:
                    last = struct.unpack("!61f", receiver.recv(2048)[-244:])
                except TimeoutError:
                    break
            assert process.stderr is not None
            assert "Traceback" not in process.stderr.read()
    assert process.returncode == (0 if command == "live" else 130)
    assert last == (0.0,) * 61

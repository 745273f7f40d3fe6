"""The command ``dtalker``: one line and exit code 2 for everything that cannot be, and no half file."""

import errno
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from checkout import ROOT
from cli_rig import face, refused, refused_here, rows_of, speech, voice

from dtalker_model.cli import render
from dtalker_model.cli.main import BAD_INPUT, INTERRUPTED, main

__all__ = ["face", "speech"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "the following arguments are required: COMMAND (see dtalker --help)"),
        (["render"], "the following arguments are required: SPEECH (see dtalker render --help)"),
        (["render", "x.wav"], "nowhere to write: give --out FACE.csv or --sink SPEC (see dtalker render --help)"),
        (["info", "--jsn"], "unrecognized arguments: --jsn (see dtalker --help)"),
        (["bench", "--runs", "0"], "runs: 0 is out of range, allowed 1 to 100"),
        (["bench", "--seconds", "9999"], "seconds: 9999 is out of range, allowed 1 to 600"),
    ],
)
def test_bad_usage(arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert refused_here(capsys, *arguments) == message


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--intensity", "3"], "intensity: 3 is out of range, allowed 0 to 2"),
        (["--intensity", "much"], "argument --intensity: invalid float value: 'much' (see dtalker render --help)"),
        (["--smoothing-ms", "900"], "smoothing_ms: 900 is out of range, allowed 0 to 500 ms"),
        (["--seed", "-1"], "seed: -1 is out of range, allowed 0 to 2147483647"),
        (["--chunk-ms", "0"], "chunk-ms: 0 is out of range, allowed 1 to 600000 ms"),
        (["--emotion", "hapy"], "emotion: unknown name 'hapy'; did you mean 'happy'?"),
        (["--gain", "jawopen=2"], "gains: unknown name 'jawopen'; did you mean 'jawOpen'?"),
        (["--offset", "jawOpen"], "offsets: expected NAME=NUMBER, received 'jawOpen'"),
        (["--offset", "jawOpen=4"], "offsets['jawOpen']: 4 is out of range, allowed -1 to 1"),
        (["--emotion-weight", "happy=2"], "emotion_weights['happy']: 2 is out of range, allowed 0 to 1"),
        (
            ["--emotion", "sad", "--emotion-weight", "happy=1"],
            "emotion_weights: needs --emotion mix, received --emotion sad",
        ),
    ],
)
def test_bad_settings(
    speech: Path, face: Path, options: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert refused_here(capsys, "render", speech, "--out", face, *options) == message
    assert list(face.parent.iterdir()) == [speech]


def test_an_unknown_identity_is_refused_with_the_known_ones(speech: Path, face: Path) -> None:
    message = refused("render", speech, "--out", face, "--identity", "zzz")
    assert message.startswith("identity: unknown name 'zzz'; known: default, ")


def _text(path: Path) -> None:
    path.write_text("This is not sound.\n" * 100)


def _silent_header(path: Path) -> None:
    soundfile.write(path, np.zeros((0, 1)), 16_000)


def _slow(path: Path) -> None:
    soundfile.write(path, voice(1, 4_000), 4_000)


def _nan(path: Path) -> None:
    soundfile.write(path, np.full(16_000, np.nan, np.float32), 16_000, subtype="FLOAT")


def _loud(path: Path) -> None:
    soundfile.write(path, 20_000 * voice(1, 16_000), 16_000, subtype="FLOAT")


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda path: None, "No such file or directory"),
        (lambda path: path.mkdir(), "is a folder, not a sound file"),
        (lambda path: path.touch(), "is empty"),
        (
            _text,
            "not a sound file that can be read (WAV, FLAC, OGG, MP3, AIFF and others are); if it is another kind of "
            "sound, convert it: ffmpeg -i {path} {folder}/odd-pcm.wav",
        ),
        (_silent_header, "holds no samples"),
        (_slow, "sample rate must be a whole number of Hz in 8000..192000; received 4000"),
        (_nan, "audio contains NaN or infinite samples: check the source; this chunk was not accepted"),
        (_loud, "float PCM must be in -1..1; received 6000: divide 16-bit values by 32768, or pass int16"),
    ],
)
def test_a_file_that_is_no_speech_gets_one_clear_line(
    tmp_path: Path, face: Path, make: Callable[[Path], None], message: str
) -> None:
    path = tmp_path / "odd.wav"
    make(path)
    assert refused("render", path, "--out", face) == f"{path}: {message.format(path=path, folder=tmp_path)}"
    assert not face.exists()
    assert not face.with_name("face.csv.part").exists()


def test_sound_that_breaks_off_keeps_the_frames_before(tmp_path: Path, face: Path) -> None:
    pcm = np.concatenate([voice(2, 16_000), np.full((16_000, 1), np.inf)])
    soundfile.write(tmp_path / "half.wav", pcm, 16_000, subtype="FLOAT")
    part = face.with_name("face.csv.part")
    message = refused("render", tmp_path / "half.wav", "--out", face)
    assert message.endswith(f"; the 97 frames so far are in {part}")
    assert len(rows_of(part.read_text())) == 97
    assert not face.exists()


def test_a_model_that_is_missing_or_foreign(speech: Path, face: Path) -> None:
    assert refused("render", speech, "--out", face, "--model", "nobody").startswith("no model 'nobody': ")
    foreign = speech.with_name("foreign.onnx")
    foreign.write_bytes(b"not a graph")
    assert refused("info", "--model", foreign).startswith("foreign.json is missing")


def test_an_output_that_cannot_be_written(speech: Path, tmp_path: Path) -> None:
    missing = tmp_path / "missing" / "face.csv"
    assert refused("render", speech, "--out", missing) == f"cannot write {missing}: No such file or directory"
    assert refused("render", speech, "--out", tmp_path) == f"cannot write {tmp_path}: Is a directory"
    assert refused("render", speech, "--out", speech) == f"cannot write {speech}: it is the sound file itself"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
def test_a_full_device(speech: Path) -> None:
    message = "cannot write /dev/full: No space left on device"
    assert refused("render", speech, "--out", "/dev/full") == message


def test_a_disk_that_fills_up_keeps_whole_rows(tmp_path: Path, face: Path) -> None:
    """A limit on file sizes behaves like a disk that fills up, and needs no rights to set."""
    path = tmp_path / "long.wav"
    soundfile.write(path, voice(10, 16_000), 16_000)
    face.write_text("the face of yesterday\n")
    shell = f"ulimit -f 64; '{sys.executable}' -m dtalker_model.cli render '{path}' --out '{face}'"
    run = subprocess.run(["bash", "-c", shell], cwd=ROOT, capture_output=True, text=True, check=False, timeout=120)
    assert run.returncode == BAD_INPUT
    part = face.with_name("face.csv.part")
    rows = rows_of(part.read_text())
    assert 100 < len(rows) < 500
    expected = f"dtalker: cannot write {face}: File too large; the {len(rows)} frames so far are in {part}\n"
    assert run.stderr == expected
    assert face.read_text() == "the face of yesterday\n"


def test_a_disk_that_turns_out_full_at_the_end_keeps_whole_rows(
    speech: Path, face: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    message = refused_here(capsys, "render", speech, "--out", face)
    part = face.with_name("face.csv.part")
    assert message == f"cannot write {face}: No space left on device; the 50 frames so far are in {part}"
    assert len(rows_of(part.read_text())) == 50
    assert not face.exists()


def test_a_disk_that_is_full_from_the_start_leaves_nothing(
    speech: Path, face: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def full(descriptor: int, data: bytes) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "write", full)
    assert refused_here(capsys, "render", speech, "--out", face) == f"cannot write {face}: No space left on device"
    assert list(face.parent.iterdir()) == [speech]


def test_an_interruption_keeps_whole_rows(
    speech: Path, face: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    complete = render.face_of

    def interrupted(*arguments: Any) -> Any:
        yield from complete(*arguments)
        raise KeyboardInterrupt

    monkeypatch.setattr(render, "face_of", interrupted)
    assert main(["render", str(speech), "--out", str(face)]) == INTERRUPTED
    part = face.with_name("face.csv.part")
    assert capsys.readouterr().err == f"dtalker: interrupted; the 50 frames so far are in {part}\n"
    assert len(rows_of(part.read_text())) == 50
    assert not face.exists()

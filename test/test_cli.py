"""The command ``dtalker``: what it writes, and one line with exit code 2 for everything that cannot be."""

import csv
import errno
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

import dtalker_model
from dtalker_model.cli import render
from dtalker_model.cli.main import BAD_INPUT, INTERRUPTED, main
from dtalker_model.cli.progress import Progress
from dtalker_model.cli.version import dtalker_version

ROOT = Path(__file__).parents[1]
Run = subprocess.CompletedProcess[str]


def dtalker(*arguments: str | Path, **kwargs: Any) -> Run:
    """Run the command in a process of its own."""
    command = [sys.executable, "-m", "dtalker_model.cli", *map(str, arguments)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=120, **kwargs)


def refused(*arguments: str | Path, **kwargs: Any) -> str:
    """The one line on stderr of a run that must be refused, without ``dtalker: ``."""
    run = dtalker(*arguments, **kwargs)
    assert run.returncode == BAD_INPUT, run.stderr
    assert run.stdout == ""
    assert run.stderr.startswith("dtalker: ")
    assert run.stderr.count("\n") == 1, run.stderr
    return run.stderr.removeprefix("dtalker: ").rstrip("\n")


def refused_here(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> str:
    """The same in this process, which is quicker."""
    try:
        code = main(list(map(str, arguments)))
    except SystemExit as stop:
        code = stop.code  # type: ignore[assignment]
    out, err = capsys.readouterr()
    assert (code, out, err.count("\n")) == (BAD_INPUT, "", 1), err
    return err.removeprefix("dtalker: ").rstrip("\n")


def voice(seconds: float, rate_hz: int, channels: int = 1) -> np.ndarray:
    """A buzz with syllables, (samples, channels) float64."""
    t = np.arange(round(seconds * rate_hz)) / rate_hz
    buzz = 0.3 * np.sign(np.sin(2 * np.pi * 120 * t)) * np.square(np.sin(2 * np.pi * 2 * t))
    return np.repeat(buzz[:, None], channels, axis=1)


@pytest.fixture
def speech(tmp_path: Path) -> Path:
    """One second of int16 WAV at 16 kHz."""
    path = tmp_path / "speech.wav"
    soundfile.write(path, voice(1, 16_000), 16_000, subtype="PCM_16")
    return path


@pytest.fixture
def face(tmp_path: Path) -> Path:
    return tmp_path / "face.csv"


def rows_of(text: str) -> np.ndarray:
    """Times and weights (T, 53) of a CSV, whose header must be right."""
    header, *rows = list(csv.reader(text.splitlines()))
    assert header == ["time_s", *dtalker_model.ARKIT_NAMES]
    return np.array(rows, np.float64).reshape(-1, 53)


# ---- what it does -----------------------------------------------------------------------------------------------


def test_version() -> None:
    run = dtalker("--version")
    assert (run.returncode, run.stdout) == (0, f"dtalker {dtalker_version()}\n")


def test_render_writes_fifty_rows_a_second(speech: Path, face: Path) -> None:
    run = dtalker("render", speech, "--out", face)
    assert run.returncode == 0, run.stderr
    assert run.stderr.startswith(f"{face}: 50 frames, 1.00 s, ")
    rows = rows_of(face.read_text())
    np.testing.assert_allclose(rows[:, 0], np.arange(50) / 50, atol=1e-9)
    assert rows[:, 1:].min() >= 0
    assert rows[:, 1:].max() <= 1
    assert not face.with_name("face.csv.part").exists()


def test_render_writes_what_the_library_gives(speech: Path, face: Path) -> None:
    changes: dict[str, Any] = {
        "emotion": "happy",
        "intensity": 1.5,
        "gains": {"jawOpen": 2.0},
        "seed": 7,
        "blink": False,
    }
    talker = dtalker_model.load(**changes)
    pcm, rate_hz = soundfile.read(speech, dtype="float32")
    frames = talker.push(pcm, rate_hz) + talker.flush()
    options = ["--emotion", "happy", "--intensity", "1.5", "--gain", "jawOpen=2", "--seed", "7", "--no-blink"]
    assert main(["render", str(speech), "--out", str(face), *options]) == 0
    np.testing.assert_allclose(rows_of(face.read_text())[:, 1:], [f.weights for f in frames], atol=1e-5)


def test_render_mixes_emotions(speech: Path, face: Path, tmp_path: Path) -> None:
    mixed = ["--emotion-weight", "happy=0.5,sad=0.1", "--emotion-weight", "angry=0.2"]
    assert main(["render", str(speech), "--out", str(face), *mixed]) == 0
    assert main(["render", str(speech), "--out", str(tmp_path / "neutral.csv")]) == 0
    assert face.read_text() != (tmp_path / "neutral.csv").read_text()


@pytest.mark.parametrize("chunk_ms", [1, 37, 600_000])
def test_the_chunk_length_makes_no_difference(speech: Path, face: Path, chunk_ms: int) -> None:
    assert main(["render", str(speech), "--out", str(face)]) == 0
    expected = rows_of(face.read_text())
    assert main(["render", str(speech), "--out", str(face), "--chunk-ms", str(chunk_ms)]) == 0
    np.testing.assert_allclose(rows_of(face.read_text()), expected, atol=1.1e-4)


def test_render_to_stdout(speech: Path) -> None:
    run = dtalker("render", speech, "--out", "-")
    assert run.returncode == 0
    assert len(rows_of(run.stdout)) == 50


def test_a_reader_that_stops_early_is_no_error(speech: Path) -> None:
    shell = f"'{sys.executable}' -m dtalker_model.cli render '{speech}' --out - --chunk-ms 1 | head -n 1"
    run = subprocess.run(["bash", "-c", shell], cwd=ROOT, capture_output=True, text=True, check=False, timeout=120)
    assert run.stdout.startswith("time_s,")
    assert "Traceback" not in run.stderr
    assert "Exception" not in run.stderr


@pytest.mark.parametrize(
    ("name", "subtype", "rate_hz", "channels"),
    [
        ("int16.wav", "PCM_16", 16_000, 1),
        ("int24.wav", "PCM_24", 22_050, 1),
        ("float.wav", "FLOAT", 48_000, 2),
        ("double.wav", "DOUBLE", 192_000, 1),
        ("telephone.wav", "ULAW", 8_000, 1),
        ("many.flac", "PCM_24", 44_100, 6),
        ("speech.ogg", "VORBIS", 44_100, 2),
        ("speech.mp3", "MPEG_LAYER_III", 44_100, 2),
    ],
)
def test_any_sound_file_is_welcome(
    tmp_path: Path, face: Path, name: str, subtype: str, rate_hz: int, channels: int
) -> None:
    if name.endswith("mp3") and "MP3" not in soundfile.available_formats():
        pytest.skip("this libsndfile has no MP3")
    soundfile.write(tmp_path / name, voice(1, rate_hz, channels), rate_hz, subtype=subtype)
    assert main(["render", str(tmp_path / name), "--out", str(face)]) == 0
    frames = len(rows_of(face.read_text()))
    assert 50 <= frames <= (55 if name.endswith("mp3") else 51)  # MP3 pads to its own frames; filters have tails


def test_info_is_json_that_names_everything() -> None:
    run = dtalker("info", "--json")
    assert run.returncode == 0, run.stderr
    facts = json.loads(run.stdout)
    assert facts["blendshapes"] == list(dtalker_model.ARKIT_NAMES)
    assert facts["lookahead_ms"] <= 80
    assert facts["model_mb"] <= 5
    assert "neutral" in facts["emotions"]
    assert set(facts["versions"]) == {"dtalker", "python", "numpy", "onnxruntime", "soxr", "soundfile"}


def test_info_for_people_has_one_line_for_each_fact() -> None:
    run = dtalker("info")
    assert run.returncode == 0
    assert any(line.split()[:1] == ["licence"] for line in run.stdout.splitlines())


# ---- what it refuses --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "the following arguments are required: COMMAND (see dtalker --help)"),
        (["render", "x.wav"], "the following arguments are required: --out (see dtalker render --help)"),
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
        (_text, "not a sound file that can be read (WAV, FLAC, OGG, MP3, AIFF and others are)"),
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
    assert refused("render", path, "--out", face) == f"{path}: {message}"
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


# ---- the progress bar -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("columns", [10, 40, 200])
def test_the_bar_fits_the_terminal(columns: int) -> None:
    progress = Progress("rendering", 20.0, "s of speech")
    for done in (0.0, 7.0, 20.0, 25.0):
        assert len(progress.line(done, columns)) <= columns
    assert progress.line(10.0, 70).startswith("rendering [#####")
    assert " 50% 10/20 s of speech" in progress.line(10.0, 70)
    assert Progress("reading", None, "s").line(3.0, 70) == "reading 3 s"


def test_no_bar_without_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    with Progress("rendering", 20.0, "s") as progress:
        progress.update(10.0)
    assert capsys.readouterr().err == ""

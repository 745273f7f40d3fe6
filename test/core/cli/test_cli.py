"""The command ``dtalker``: what it writes."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from checkout import ROOT
from cli_rig import dtalker, face, rows_of, speech, voice

import dtalker_model
from dtalker_model.cli.main import main
from dtalker_model.cli.progress import Progress
from dtalker_model.cli.version import dtalker_version

__all__ = ["face", "speech"]


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


@pytest.mark.parametrize("fault", ["clipped", "off centre", "cancel each other"])
def test_what_is_wrong_with_the_sound_is_said_once(tmp_path: Path, fault: str) -> None:
    clean = voice(3, 16_000, channels=2)
    pcm = {
        "clipped": np.clip(10 * clean, -1, 1),
        "off centre": clean + 0.05,
        "cancel each other": clean * [1, -1],
    }
    soundfile.write(path := tmp_path / "bad.wav", pcm[fault], 16_000, subtype="PCM_16")
    run = dtalker("render", path, "--out", "-")
    assert run.returncode == 0 and rows_of(run.stdout).shape == (150, 53)
    said, summary = run.stderr.splitlines()
    assert said.startswith(f"dtalker: {path}: the audio") and fault in said
    assert summary.startswith("-: 150 frames")


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

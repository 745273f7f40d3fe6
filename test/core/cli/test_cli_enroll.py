"""``dtalker enroll``: a recording becomes a voice that the other commands take; everything else gets one clear line."""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile
from cli_rig import dtalker, refused, refused_here, rows_of
from voices_rig import library_file, voice

from dtalker_model.card import model_path, read_card, write_card
from dtalker_model.cli.main import main
from dtalker_model.voices.voices import Voice
from dtalker_model.voices.voices_library import VoiceLibrary

__all__ = ["library_file"]


@pytest.fixture
def short(demo_wav: Path, tmp_path: Path) -> Path:
    """Two seconds of speech and ten of silence."""
    pcm, rate_hz = soundfile.read(demo_wav, dtype="int16")
    path = tmp_path / "short.wav"
    soundfile.write(path, np.concatenate([pcm[: 2 * rate_hz], np.zeros(10 * rate_hz, np.int16)]), rate_hz)
    return path


def test_enroll_then_render(library_file: Path, demo_wav: Path) -> None:
    run = dtalker("enroll", demo_wav, "--name", "anna")
    assert (run.returncode, run.stderr) == (0, "")
    first, second = run.stdout.splitlines()
    assert first.startswith("anna: learned from 8.") and " s of speech, most like " in first
    assert second == f"stored in {library_file}; use it: --identity anna"
    run = dtalker("render", demo_wav, "--out", "-", "--identity", "anna", "--emotion", "anna")
    assert run.returncode == 0, run.stderr
    assert json.loads(dtalker("info", "--json").stdout)["voices"] == ["anna"]
    plain = dtalker("render", demo_wav, "--out", "-")
    assert np.abs(rows_of(run.stdout) - rows_of(plain.stdout)).max() > 1e-3
    assert "anna" in refused("render", demo_wav, "--out", "-", "--identity", "zzz")


def test_list_replace_and_remove(library_file: Path, demo_wav: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["enroll", "--list"]) == 0
    assert capsys.readouterr().out == f"no voices in {library_file}\n"
    assert main(["enroll", str(demo_wav), "--name", "anna"]) == 0
    capsys.readouterr()
    message = refused_here(capsys, "enroll", demo_wav, "--name", "anna")
    assert message.startswith("name: there is a voice 'anna': choose another name, or replace it (--replace")
    assert main(["enroll", str(demo_wav), "--name", "anna", "--replace"]) == 0
    VoiceLibrary().add(voice("zoe"))
    VoiceLibrary().add(voice("zoe", "cd" * 32))
    capsys.readouterr()
    assert main(["enroll", "--list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == ["anna", "zoe", "zoe"]
    assert lines[0].endswith("  dtalker")
    assert "test abababab (another model)" in lines[1] + lines[2]
    assert main(["enroll", "--remove", "zoe"]) == 0
    assert capsys.readouterr().out == "zoe: removed (test, test)\n"
    assert refused_here(capsys, "enroll", "--remove", "zoe").endswith("; enrolled: anna")


def test_a_voice_of_a_replaced_model_says_what_to_do(
    library_file: Path, demo_wav: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    card = read_card(model_path("dtalker"))
    vector = card.identities["default"]
    VoiceLibrary().add(Voice("anna", card.name, "cd" * 32, vector, vector, 5.0, "2026-11-21"))
    message = refused_here(capsys, "render", demo_wav, "--out", tmp_path / "face.csv", "--identity", "anna")
    assert message.startswith("voice 'anna' was enrolled with model 'dtalker' (cdcdcdcd), not with this 'dtalker' (")
    assert message.endswith("enroll it again (dtalker enroll VOICE.wav --name anna --model dtalker)")
    assert main(["enroll", "--list"]) == 0
    assert "dtalker cdcdcdcd (another version: enroll it again)" in capsys.readouterr().out
    assert main(["enroll", str(demo_wav), "--name", "anna"]) == 0
    assert main(["render", str(demo_wav), "--out", str(tmp_path / "face.csv"), "--identity", "anna"]) == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "give a sound file with --name N, or --list, or --remove N (see dtalker enroll --help)"),
        (["--list", "--remove", "x"], "give a sound file with --name N, or --list, or --remove N (see dtalker enroll"),
        (["x.wav"], "a sound file and --name N go together (see dtalker enroll --help)"),
        (["--list", "--name", "x"], "a sound file and --name N go together (see dtalker enroll --help)"),
        (
            ["x.wav", "--name", "x y"],
            "name: received 'x y', expected a letter and up to 63 letters, digits, '_' or '-'",
        ),
        (["x.wav", "--name", "happy"], "name: 'happy' is a name of the model 'dtalker' itself: choose another"),
        (["x.wav", "--name", "live"], "name: 'live' has a meaning of its own: choose another"),
        (["x.wav", "--name", "x"], "x.wav: No such file or directory"),
        (["x.wav", "--name", "x", "--model", "nobody"], "no model 'nobody': give a shipped name"),
    ],
)
def test_bad_usage(arguments: list[str], message: str, library_file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert refused_here(capsys, "enroll", *arguments).startswith(message)
    assert not library_file.parent.exists()


def _mp3_bytes(path: Path) -> None:
    path.write_bytes(b"\xff\xfb\x90\x44" + bytes(range(256)) * 20)


def _nan(path: Path) -> None:
    soundfile.write(path, np.full(16_000, np.nan, np.float32), 16_000, subtype="FLOAT")


def _silence(path: Path) -> None:
    soundfile.write(path, np.zeros(160_000), 16_000)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (_mp3_bytes, "{path}: "),
        (_nan, "{path}: audio contains NaN or infinite samples"),
        (_silence, "0.0 s of speech in 10.0 s of audio, at least 3 s are needed: speak longer"),
    ],
)
def test_what_is_no_voice(
    tmp_path: Path,
    make: Callable[[Path], None],
    message: str,
    library_file: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    path = tmp_path / "odd.wav"
    make(path)
    assert refused_here(capsys, "enroll", path, "--name", "anna").startswith(message.format(path=path))
    assert not library_file.parent.exists()


def test_too_little_speech(short: Path, library_file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    message = refused_here(capsys, "enroll", short, "--name", "anna")
    assert message.startswith(("1.", "2.")) and " s of speech in 12.0 s of audio, at least 3 s are needed" in message


def test_a_model_without_a_listener(
    tmp_path: Path, demo_wav: Path, library_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shipped, deaf = model_path("dtalker"), tmp_path / "deaf.onnx"
    deaf.symlink_to(shipped)
    write_card(replace(read_card(shipped), name="deaf", listener_sha256=""), deaf)
    message = refused_here(capsys, "enroll", demo_wav, "--name", "anna", "--model", deaf)
    assert message == "model 'deaf' has no listener and cannot enroll voices: take another model"


def test_a_full_disk(
    demo_wav: Path, library_file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["enroll", str(demo_wav), "--name", "anna"]) == 0
    before = library_file.read_bytes()
    capsys.readouterr()

    def full(descriptor: int, data: bytes) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "write", full)
    message = refused_here(capsys, "enroll", demo_wav, "--name", "zoe")
    assert message == f"cannot write {library_file}: No space left on device"
    assert library_file.read_bytes() == before


def test_a_damaged_library_does_not_stop_those_who_need_no_voice(
    demo_wav: Path, tmp_path: Path, library_file: Path
) -> None:
    library_file.parent.mkdir(parents=True)
    library_file.write_bytes(b"not a library")
    run = dtalker("render", demo_wav, "--out", tmp_path / "face.csv")
    assert run.returncode == 0
    assert f"{library_file} is damaged" in run.stderr
    assert f"{library_file} is damaged" in refused("render", demo_wav, "--out", "-", "--identity", "anna")
    assert f"{library_file} is damaged" in refused("enroll", "--list")

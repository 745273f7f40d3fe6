"""The user's library of voices: names, the file, writers beside each other, full disks, models that change."""

from __future__ import annotations

import errno
import json
import logging
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import safetensors.numpy
from checkout import ROOT
from voices_rig import card, library_file, voice

from dtalker_model.errors import SettingError, SinkError, VoiceError
from dtalker_model.settings import Settings
from dtalker_model.voices.voices import check_name, unknown_names, with_voices
from dtalker_model.voices.voices_file import encode_voices, read_voices
from dtalker_model.voices.voices_library import LOCK_S, VoiceLibrary, library_path, voices_for

__all__ = ["library_file"]

WRITERS, VOICES_EACH = 2, 20
WRITER = """
import sys
sys.path.insert(0, "test/rigs")
from voices_rig import voice
from dtalker_model.voices.voices_library import VoiceLibrary
sys.stdin.readline()
for k in range(int(sys.argv[2])):
    VoiceLibrary().add(voice(f"{sys.argv[1]}_{k}"))
"""


@pytest.mark.parametrize("name", ["anna", "A", "Anna-Maria_2", "x" * 64])
def test_names_of_letters_digits_underscores_and_hyphens(name: str) -> None:
    check_name(name, card())


@pytest.mark.parametrize("name", ["", "x" * 65, "7", "-x", "_x", "a b", "a/b", "a.b", "Zoë", "anna\n", "../anna"])
def test_other_names_are_refused(name: str) -> None:
    with pytest.raises(SettingError, match="expected a letter and up to 63 letters"):
        check_name(name, card())


@pytest.mark.parametrize("name", ["live", "mix", "default", "neutral", "Yes", "null"])
def test_words_with_a_meaning_are_refused(name: str) -> None:
    with pytest.raises(SettingError, match="a meaning of its own"):
        check_name(name, card())


@pytest.mark.parametrize("name", ["ann", "happy", "bob"])
def test_names_of_the_model_are_refused(name: str) -> None:
    with pytest.raises(SettingError, match="a name of the model 'test' itself"):
        check_name(name, card())


def test_voices_are_identities_and_emotions_of_their_own_model() -> None:
    merged = with_voices(card(), [voice("anna"), voice("stranger", "cd" * 32), voice("anna", first=2.0)])
    assert list(merged.identities) == ["default", "ann", "anna"]
    assert (merged.identities["anna"], merged.emotions["anna"]) == ((2.0, 0.25), (0.0, -2.0))


def test_unknown_names() -> None:
    settings = Settings(identity="live", emotion="mix", emotion_weights={"happy": 0.5, "anna": 0.5})
    assert unknown_names(settings, card()) == {"anna"}
    assert unknown_names(Settings(identity="x", emotion="y"), card()) == {"x", "y"}
    assert unknown_names(Settings(), card()) == set()


def test_the_library_gives_back_what_it_took(library_file: Path) -> None:
    library = VoiceLibrary()
    assert (library.path, library.voices()) == (library_file, [])
    voices = [voice("anna", first=0.1), voice("zoe"), voice("anna", "cd" * 32)]
    for entry in voices:
        library.add(entry)
    stored = {(v.name, v.model_sha256): v for v in VoiceLibrary().voices()}
    assert stored[("zoe", voices[1].model_sha256)] == voices[1]
    single = stored[("anna", voices[0].model_sha256)].identity
    assert single == tuple(np.array(voices[0].identity, np.float32).tolist()), "single precision"
    assert len(stored) == 3
    assert {p.name for p in library_file.parent.iterdir()} == {"voices.safetensors", "voices.lock"}


def test_a_taken_name_is_refused_unless_it_is_to_be_replaced(library_file: Path) -> None:
    library = VoiceLibrary()
    library.add(voice("anna"))
    with pytest.raises(SettingError, match="there is a voice 'anna'"):
        library.add(voice("anna", first=1.0))
    with pytest.raises(SettingError, match="there is a voice 'anna'"):
        library.require_free("anna", voice("anna").model_sha256)
    library.require_free("anna", "cd" * 32)
    assert library.voices() == [voice("anna")]
    library.add(voice("anna", first=1.0), replace=True)
    assert library.voices() == [voice("anna", first=1.0)]


def test_a_voice_is_removed_for_every_model(library_file: Path) -> None:
    library = VoiceLibrary()
    for entry in (voice("anna"), voice("anna", "cd" * 32), voice("zoe")):
        library.add(entry)
    assert {v.name for v in library.remove("anna")} == {"anna"}
    assert library.voices() == [voice("zoe")]
    with pytest.raises(SettingError, match=r"no voice 'anna' in .*; enrolled: zoe"):
        library.remove("anna")


def test_two_writers_lose_nothing(library_file: Path) -> None:
    command = [sys.executable, "-c", WRITER]
    writers = [
        subprocess.Popen([*command, f"w{n}", str(VOICES_EACH)], stdin=subprocess.PIPE, cwd=ROOT) for n in range(WRITERS)
    ]
    for writer in writers:
        assert writer.stdin is not None
        writer.stdin.write(b"\n")
        writer.stdin.close()
    while any(writer.poll() is None for writer in writers):
        VoiceLibrary().voices()  # whole at every moment
    assert [writer.returncode for writer in writers] == [0] * WRITERS
    expected = {f"w{n}_{k}" for n in range(WRITERS) for k in range(VOICES_EACH)}
    assert {v.name for v in VoiceLibrary().voices()} == expected


def test_a_held_lock_is_not_waited_for_for_ever(library_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    library = VoiceLibrary()
    library.add(voice("anna"))
    holder = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "import fcntl, sys; f = open(sys.argv[1], 'ab'); fcntl.flock(f, fcntl.LOCK_EX); print(flush=True); input()",
            str(library_file.with_suffix(".lock")),
        ],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert holder.stdin is not None and holder.stdout is not None
    holder.stdout.readline()
    assert LOCK_S > 1
    monkeypatch.setattr("dtalker_model.voices.voices_library.LOCK_S", 0.05)
    with pytest.raises(VoiceError, match="in use by another program"):
        library.add(voice("zoe"))
    assert library.voices() == [voice("anna")]
    holder.communicate(b"\n")  # the lock goes with the process
    library.add(voice("zoe"))


@pytest.mark.parametrize("call", ["write", "fsync", "replace"])
def test_a_full_disk_leaves_the_old_library_whole(
    library_file: Path, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    library = VoiceLibrary()
    library.add(voice("anna"))

    def full(*arguments: object) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, call, full)
    with pytest.raises(SinkError, match=r"cannot write .*voices\.safetensors: No space left on device$"):
        library.add(voice("zoe"))
    monkeypatch.undo()
    assert VoiceLibrary(library_file).voices() == [voice("anna")]
    assert not library_file.with_name("voices.safetensors.part").exists()


def test_a_folder_that_cannot_be_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "file"))
    with pytest.raises(SinkError, match=r"cannot write .*voices\.safetensors: "):
        VoiceLibrary().add(voice("anna"))


def _whole() -> bytes:
    return encode_voices([voice("anna")])


def _with_notes(**notes: str) -> bytes:
    vector = np.zeros(2, np.float32)
    return bytes(safetensors.numpy.save({"x/anna/identity": vector, "x/anna/emotion": vector}, notes))


def _with_first(value: float) -> bytes:
    with np.errstate(over="ignore"):
        return encode_voices([voice("anna", first=value)])


def _with_note(vector: np.ndarray, **changes: object) -> bytes:
    """A library of one voice with these embeddings, its notes changed."""
    note = {"model": "test", "speech_s": 4.5, "enrolled": "2026-11-21"} | changes
    notes = {"format": "dtalker-voices-1", "x/anna": json.dumps(note)}
    return bytes(safetensors.numpy.save({"x/anna/identity": vector, "x/anna/emotion": vector}, notes))


VECTOR = np.zeros(2, np.float32)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (lambda: b"", "is damaged"),
        (lambda: b"not a library", "is damaged"),
        (lambda: _whole()[:-3], "is damaged"),
        (lambda: _with_notes(format="dtalker-voices-9"), "has format 'dtalker-voices-9'"),
        (lambda: _with_notes(), "has format None"),
        (lambda: _with_notes(format="dtalker-voices-1", **{"x/anna": "{"}), "is damaged"),
        (lambda: _with_notes(format="dtalker-voices-1", **{"x/anna": "{}"}), "is damaged"),
        (lambda: _with_notes(format="dtalker-voices-1", **{"x/bert": json.dumps({})}), "is damaged"),
        (lambda: _with_notes(format="dtalker-voices-1", **{"x/../anna": "{}"}), "is damaged"),
        (lambda: _with_notes(format="dtalker-voices-1", **{"x/anna": "[" * 100_000}), "is damaged"),
        (lambda: _with_first(float("nan")), "is damaged .embeddings of 'anna'"),
        (lambda: _with_first(1e39), "is damaged .embeddings of 'anna'"),
        (lambda: _with_note(np.full(2, 1e39)), "is damaged .embeddings of 'anna'"),
        (lambda: _with_note(VECTOR[:0]), "is damaged .embeddings of 'anna'"),
        (lambda: _with_note(VECTOR[None]), "is damaged .embeddings of 'anna'"),
        (lambda: _with_note(VECTOR, speech_s=float("nan")), "is damaged .notes of 'anna'"),
        (lambda: _with_note(VECTOR, speech_s="long"), "is damaged .notes of 'anna'"),
        (lambda: _with_note(VECTOR, enrolled=None), "is damaged .notes of 'anna'"),
        (lambda: _with_note(VECTOR, model=["test"]), "is damaged .notes of 'anna'"),
    ],
)
def test_a_file_that_is_no_library(library_file: Path, content: Callable[[], bytes], message: str) -> None:
    library_file.parent.mkdir(parents=True)
    library_file.write_bytes(data := content())
    with pytest.raises(VoiceError, match=message):
        read_voices(library_file)
    with pytest.raises(VoiceError, match=message):
        VoiceLibrary().add(voice("zoe"))
    assert library_file.read_bytes() == data, "what may be somebody's work is left alone"


def test_a_folder_in_place_of_the_library(library_file: Path) -> None:
    library_file.mkdir(parents=True)
    with pytest.raises(VoiceError, match=r"cannot read .*: Is a directory"):
        VoiceLibrary().voices()


def test_a_damaged_library_matters_only_to_those_who_need_it(
    library_file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    library_file.parent.mkdir(parents=True)
    library_file.write_bytes(b"not a library")
    with caplog.at_level(logging.WARNING, "dtalker"):
        assert voices_for(card(), Settings()) == []
    assert "is damaged" in caplog.text
    with pytest.raises(VoiceError, match="is damaged"):
        voices_for(card(), Settings(identity="anna"))


def test_a_voice_of_another_model_is_named_with_what_to_do(library_file: Path) -> None:
    VoiceLibrary().add(voice("anna"))
    VoiceLibrary().add(voice("zoe", "cd" * 32))
    assert voices_for(card(), Settings(identity="anna")) == [voice("anna")]
    assert voices_for(card(), Settings(identity="nobody")) == [voice("anna")]
    expected = r"voice 'zoe' was enrolled with model 'test' \(cdcdcdcd\), not with this 'test' \(abababab\): enroll it"
    for settings in (Settings(identity="zoe"), Settings(emotion="mix", emotion_weights={"zoe": 1.0})):
        with pytest.raises(SettingError, match=expected):
            voices_for(card(), settings)


def test_a_model_without_a_listener_does_not_advise_to_enroll(library_file: Path) -> None:
    VoiceLibrary().add(voice("zoe", "cd" * 32))
    with pytest.raises(SettingError, match="take model 'test', or a name of this model") as refusal:
        voices_for(card(listener_sha256=""), Settings(identity="zoe"))
    assert "enroll it again" not in str(refusal.value)


def test_a_voice_of_the_wrong_length_is_refused_where_it_is_needed(
    library_file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    VoiceLibrary().add(replace(voice("anna"), identity=(0.5,) * 3, emotion=(0.5,) * 3))
    VoiceLibrary().add(voice("zoe"))
    with caplog.at_level(logging.WARNING, "dtalker"):
        assert voices_for(card(), Settings(identity="zoe")) == [voice("zoe")]
    assert "voice 'anna'" in caplog.text and "embeddings of 3 numbers, the model 'test' of 2" in caplog.text
    with pytest.raises(VoiceError, match="enroll it again with --replace"):
        voices_for(card(), Settings(emotion="anna"))


def test_the_data_folder_follows_the_system(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    for ignored in ("", "relative/folder"):
        monkeypatch.setenv("XDG_DATA_HOME", ignored)
        folder = {"darwin": "Library/Application Support"}.get(sys.platform, ".local/share")
        assert library_path() == tmp_path / folder / "dtalker" / "voices.safetensors"


def test_without_safetensors_one_line_says_what_to_install(library_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "safetensors.numpy", None)
    assert VoiceLibrary().voices() == []
    with pytest.raises(VoiceError, match="pip install safetensors"):
        VoiceLibrary().add(voice("anna"))

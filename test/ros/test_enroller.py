"""Enrolment for ROS, without ROS: a thread that hears chunks or a file, with an answer in every case."""

from __future__ import annotations

import os
import queue
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from voices_rig import library_file

from dtalker_model.voices.voices_library import VoiceLibrary
from dtalker_ros.audio.convert import AudioChunk
from dtalker_ros.enroller import Enroller, Outcome, Wish

__all__ = ["library_file"]

ANSWER_S = 60.0
WAIT_S = 1.0
"""Instead of the usual wait for a voice; chunks that were handed over before are heard all the same."""
CHUNK_SAMPLES = 1600


class Asked:
    """An enroller and its answer."""

    def __init__(self, wish: Wish, **options: Any) -> None:
        self._answers: queue.Queue[Outcome] = queue.Queue()
        self.enroller = Enroller("dtalker", wish, self._answers.put, **options)

    def answer(self, wait_s: float = ANSWER_S) -> Outcome:
        outcome = self._answers.get(timeout=wait_s)
        assert self._answers.empty()
        return outcome


@pytest.fixture(scope="module")
def speech(demo_wav: Path) -> np.ndarray:
    return soundfile.read(demo_wav, dtype="int16", always_2d=True)[0]


def say(asked: Asked, pcm: np.ndarray) -> None:
    for start in range(0, len(pcm), CHUNK_SAMPLES):
        asked.enroller.hear(AudioChunk(pcm[start : start + CHUNK_SAMPLES], 16_000, None))


def test_a_voice_from_the_topic(library_file: Path, speech: np.ndarray) -> None:
    asked = Asked(Wish("anna", seconds=4.0))
    say(asked, speech)
    outcome = asked.answer()
    assert outcome.voice is not None, outcome.message
    assert outcome.message.startswith("learned from 4.")
    assert outcome.speech_s == pytest.approx(4.0, abs=0.2)
    assert [v.name for v in VoiceLibrary().voices()] == ["anna"]
    asked.enroller.stop("closed")  # long over


def test_what_was_heard_must_do_when_time_is_up(library_file: Path, speech: np.ndarray) -> None:
    asked = Asked(Wish("anna", seconds=3.0), wait_s=0.05)
    outcome = asked.answer()
    assert outcome.voice is None
    assert outcome.message.startswith("no usable audio came on the topic")
    asked = Asked(Wish("anna", seconds=3.0), wait_s=WAIT_S)
    say(asked, speech[: 2 * 16_000])
    outcome = asked.answer()
    assert outcome.voice is None
    assert " s of speech in 2.0 s of audio, at least 3 s are needed" in outcome.message
    assert 1 < outcome.speech_s < 2
    asked = Asked(Wish("anna", seconds=60.0), wait_s=WAIT_S)
    say(asked, speech)
    outcome = asked.answer()
    assert outcome.voice is not None, outcome.message
    assert outcome.speech_s > 8


def test_a_voice_from_a_file_ignores_the_topic(library_file: Path, demo_wav: Path, speech: np.ndarray) -> None:
    asked = Asked(Wish("anna", path=str(demo_wav)))
    say(asked, 0 * speech)
    outcome = asked.answer()
    assert outcome.voice is not None, outcome.message
    assert 8 < outcome.speech_s < 10


@pytest.mark.parametrize(
    ("wish", "message"),
    [
        (Wish("a b"), "name: received 'a b'"),
        (Wish("happy"), "name: 'happy' is a name of the model"),
        (Wish("anna", path="/nowhere/voice.wav"), "/nowhere/voice.wav: No such file or directory"),
        (Wish("anna", seconds=2.0), "seconds: received 2, allowed 3 to 60 s, or 0 for 5 s"),
        (Wish("anna", seconds=float("nan")), "seconds: received nan"),
        (Wish("anna", seconds=-1.0), "seconds: received -1"),
    ],
)
def test_what_cannot_be_is_said_at_once(library_file: Path, wish: Wish, message: str) -> None:
    outcome = Asked(wish).answer()
    assert outcome.voice is None
    assert outcome.message.startswith(message)
    assert VoiceLibrary().voices() == []


def test_a_taken_name_is_refused_before_anybody_speaks(library_file: Path, speech: np.ndarray) -> None:
    asked = Asked(Wish("anna", seconds=3.0))
    say(asked, speech)
    assert asked.answer().voice is not None
    assert Asked(Wish("anna")).answer().message.startswith("name: there is a voice 'anna'")
    again = Asked(Wish("anna", seconds=3.0, replace=True))
    say(again, speech)
    assert again.answer().voice is not None


def test_an_enrolment_that_is_stopped_is_answered(library_file: Path) -> None:
    asked = Asked(Wish("anna"))
    asked.enroller.stop("the node was deactivated")
    assert asked.answer().message == "not learned: the node was deactivated"


@pytest.mark.parametrize(("kind", "message"), [("fifo", "is a pipe or a device"), ("folder", "is a folder")])
def test_what_may_never_end_is_not_opened(library_file: Path, tmp_path: Path, kind: str, message: str) -> None:
    path = tmp_path / "voice.wav"
    os.mkfifo(path) if kind == "fifo" else path.mkdir()
    assert message in Asked(Wish("anna", path=str(path))).answer().message
    assert "is a pipe or a device" in Asked(Wish("anna", path="/dev/zero")).answer().message


def test_a_read_that_blocks_is_answered_and_left_alone(
    library_file: Path, demo_wav: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reads, goes_on = threading.Event(), threading.Event()

    def blocks(*arguments: Any, **settings: Any) -> None:
        reads.set()
        goes_on.wait(ANSWER_S)

    monkeypatch.setattr("dtalker_ros.enroller.hear_file", blocks)
    monkeypatch.setattr("dtalker_ros.enroller.JOIN_S", 0.1)
    asked = Asked(Wish("anna", path=str(demo_wav)))
    assert reads.wait(ANSWER_S)
    asked.enroller.stop("the node was deactivated")
    assert asked.answer().message == "not learned: the node was deactivated"
    goes_on.set()
    asked.enroller.stop("closed")
    assert VoiceLibrary().voices() == []
    with pytest.raises(queue.Empty):  # there is one answer
        asked.answer(wait_s=0.0)


def test_a_file_of_hours_is_refused(library_file: Path, tmp_path: Path) -> None:
    path = tmp_path / "long.wav"
    with path.open("wb") as file:
        file.truncate(3_000_000_000)
    assert "has 3.0 GB: cut a minute of speech out of it" in Asked(Wish("anna", path=str(path))).answer().message


def test_a_damaged_library_is_said(library_file: Path, demo_wav: Path) -> None:
    library_file.parent.mkdir(parents=True)
    library_file.write_bytes(b"not a library")
    assert "is damaged" in Asked(Wish("anna", path=str(demo_wav))).answer().message


def test_audio_that_cannot_be_used_ends_it(library_file: Path) -> None:
    asked = Asked(Wish("anna"))
    asked.enroller.hear(AudioChunk(np.full((1600, 1), np.nan, np.float32), 16_000, None))
    assert "NaN" in asked.answer().message

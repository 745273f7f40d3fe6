"""What the player plays: any subtype at its own level, joined files, a pipe as it comes."""

import os
import threading
from pathlib import Path

import numpy as np
import pytest
from sound_rig import RATE_HZ, sound, tone, with_sizes

from dtalker_model.errors import AudioError
from dtalker_ros.audio.sound_file import SoundFile, is_pipe


def played(path: Path, rate_hz: int = 0) -> np.ndarray:
    return np.concatenate(list(SoundFile(str(path), rate_hz).chunks(320)))


@pytest.mark.parametrize("subtype", ["PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE"])
@pytest.mark.parametrize("rate_hz", [0, 24_000])
def test_every_subtype_has_its_level(tmp_path: Path, subtype: str, rate_hz: int) -> None:
    (tmp_path / "a.wav").write_bytes(sound("WAV", subtype))
    pcm = played(tmp_path / "a.wav", rate_hz) / 32768
    assert len(pcm) == pytest.approx(rate_hz or RATE_HZ, abs=2)
    assert np.sqrt(np.mean(pcm**2)) == pytest.approx(0.4 / np.sqrt(2), rel=0.01)


def test_joined_and_streamed_files_are_played_to_the_end(tmp_path: Path) -> None:
    for data in (2 * sound("WAV"), 2 * with_sizes(sound("WAV"), 0, 0), 2 * sound("FLAC")):
        (tmp_path / "a").write_bytes(data)
        assert len(played(tmp_path / "a")) == 2 * RATE_HZ


def test_floats_that_are_no_sound_are_refused_before_anything_is_published(tmp_path: Path) -> None:
    (tmp_path / "a.wav").write_bytes(sound("WAV", "FLOAT", np.full(100, 9000.0)))
    with pytest.raises(AudioError, match=r"a\.wav: float PCM must be in -1\.\.1"):
        SoundFile(str(tmp_path / "a.wav"))


@pytest.mark.parametrize(
    ("path", "fault"),
    [
        ("", "set parameter `file`"),
        ("nowhere.wav", "no sound file at nowhere.wav"),
        ("x" * 100_000, "no sound file at"),
    ],
)
def test_what_is_missing_is_said(path: str, fault: str) -> None:
    assert not is_pipe(path)
    with pytest.raises(AudioError, match=fault):
        SoundFile(path)


def test_a_pipe_is_played_as_it_comes(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    assert is_pipe(str(pipe))
    with pytest.raises(AudioError, match="a regular file is needed here"):
        SoundFile(str(pipe))
    half, more = threading.Event(), threading.Event()
    data = with_sizes(sound("WAV"), 0xFFFFFFFF, 0xFFFFFFFF)

    def write() -> None:
        with pipe.open("wb", buffering=0) as end:
            end.write(data[: len(data) // 2])
            half.set()
            more.wait(30)
            end.write(data[len(data) // 2 :])

    writer = threading.Thread(target=write)
    writer.start()
    file = SoundFile(str(pipe), stopped=lambda: False)
    assert file.comes_once
    chunks = file.chunks(320)
    first = [next(chunks) for _ in range(20)]
    assert half.wait(10) and not more.is_set()
    more.set()
    pcm = np.concatenate([*first, *chunks])
    writer.join()
    np.testing.assert_allclose(pcm[:, 0] / 32768, tone(), atol=5e-5)


def test_a_pipe_that_nobody_writes_to_can_be_given_up(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(AudioError, match="pipe: is empty"):
        SoundFile(str(tmp_path / "pipe"), stopped=lambda: True)

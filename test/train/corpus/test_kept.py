"""Features of frozen ears: computed once per clip and speed, kept on disk, and equal ever after."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch", reason="torch is not installed: pip install '.[train]'")

from training.corpus.clips import Clip
from training.corpus.kept import Kept
from training.corpus.variants import hear_clip

CLIP = Clip(Path(), "a", "voices", "train", "so_1", "neutral", "a.opus", 1.0, "CC BY 4.0")
AUDIO = np.random.default_rng(0).uniform(-0.5, 0.5, 640).astype(np.float32)


class Ear:
    """Two rows of the samples; it counts how often it listened."""

    def __init__(self) -> None:
        self.times = 0

    def __call__(self, audio: np.ndarray) -> np.ndarray:
        self.times += 1
        return audio.reshape(2, -1).astype(np.float16)


def files(folder: Path) -> list[Path]:
    return sorted(p for p in folder.rglob("*") if p.is_file())


def test_a_clip_is_heard_once_by_all_runs_beside_the_folder(tmp_path: Path) -> None:
    ear, folder = Ear(), tmp_path / "not" / "yet" / "there"
    first = Kept(ear, folder, "whisper").of_clip(CLIP, 1.0, AUDIO)
    again = Kept(ear, folder, "whisper").of_clip(CLIP, 1.0, AUDIO)
    assert ear.times == 1 and len(files(folder)) == 1
    for rows in (first, again):
        assert rows.dtype == np.float16
        np.testing.assert_array_equal(rows, AUDIO.reshape(2, -1).astype(np.float16))


@pytest.mark.parametrize(
    "other",
    [
        ("whisper", CLIP, 1.15),
        ("hubert", CLIP, 1.0),
        ("whisper", replace(CLIP, id="b"), 1.0),
        ("whisper", replace(CLIP, source="grid"), 1.0),
    ],
    ids=["speed", "ears", "clip", "source"],
)
def test_other_sound_is_kept_apart(other: tuple[str, Clip, float], tmp_path: Path) -> None:
    ear, (name, clip, speed) = Ear(), other
    Kept(ear, tmp_path, "whisper").of_clip(CLIP, 1.0, AUDIO)
    found = Kept(ear, tmp_path, name).of_clip(clip, speed, -AUDIO)
    assert ear.times == 2 and len(files(tmp_path)) == 2
    np.testing.assert_array_equal(found, -AUDIO.reshape(2, -1).astype(np.float16))


def test_rows_cannot_be_changed_by_who_reads_them(tmp_path: Path) -> None:
    rows = Kept(Ear(), tmp_path, "whisper").of_clip(CLIP, 1.0, AUDIO)
    with pytest.raises(ValueError, match="read-only"):
        rows[0] = 0


def test_what_is_no_clip_is_heard_and_not_kept(tmp_path: Path) -> None:
    ear = Ear()
    kept = Kept(ear, tmp_path, "whisper")
    for _ in range(2):
        np.testing.assert_array_equal(kept(AUDIO), AUDIO.reshape(2, -1).astype(np.float16))
    assert ear.times == 2 and files(tmp_path) == []


def test_an_interrupted_hearing_leaves_nothing_that_is_taken_for_rows(tmp_path: Path) -> None:
    def deaf(audio: np.ndarray) -> np.ndarray:
        raise InterruptedError

    with pytest.raises(InterruptedError):
        Kept(deaf, tmp_path, "whisper").of_clip(CLIP, 1.0, AUDIO)
    ear = Ear()
    Kept(ear, tmp_path, "whisper").of_clip(CLIP, 1.0, AUDIO)
    assert ear.times == 1 and [p.suffixes for p in files(tmp_path)] == [[".npy"]]


def test_only_ears_that_keep_are_told_which_clip_it_is(tmp_path: Path) -> None:
    ear = Ear()
    np.testing.assert_array_equal(hear_clip(ear, CLIP, 1.0, AUDIO), hear_clip(ear, CLIP, 1.0, AUDIO))
    assert ear.times == 2
    kept = Kept(ear, tmp_path, "whisper")
    np.testing.assert_array_equal(hear_clip(kept, CLIP, 1.0, AUDIO), hear_clip(kept, CLIP, 1.0, AUDIO))
    assert ear.times == 3


OPEN_FILES = Path("/proc/self/fd")


@pytest.mark.skipif(not OPEN_FILES.is_dir(), reason="this system does not tell which files are open")
def test_the_rows_of_many_clips_hold_no_files_open(tmp_path: Path) -> None:
    kept = Kept(Ear(), tmp_path, "whisper")
    before = len(list(OPEN_FILES.iterdir()))
    held = [kept.of_clip(replace(CLIP, id=f"{k}"), 1.0, AUDIO) for k in range(40)]
    assert len(held) == 40 and len(list(OPEN_FILES.iterdir())) < before + 10
    for rows in held:
        np.testing.assert_array_equal(rows[1:], AUDIO.reshape(2, -1)[1:].astype(np.float16))
    assert len(list(OPEN_FILES.iterdir())) < before + 10


def test_rows_are_read_as_an_array_is(tmp_path: Path) -> None:
    rows, array = Kept(Ear(), tmp_path, "whisper").of_clip(CLIP, 1.0, AUDIO), AUDIO.reshape(2, -1).astype(np.float16)
    assert (rows.shape, rows.ndim, len(rows), rows.dtype) == (array.shape, array.ndim, len(array), array.dtype)
    for index in (1, slice(1), np.array([1, 1, 0]), (0, slice(3, 7))):
        part = rows[index]
        np.testing.assert_array_equal(part, array[index])
        assert part.base is None, "a copy: its file is closed"
    np.testing.assert_array_equal(np.asarray(rows, np.float32), array.astype(np.float32))

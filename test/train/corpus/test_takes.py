"""Upper faces from silent takes: which frames count, how they are played, and the clips that wear them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile
from data_sets import write_sound

from dtalker_model.blendshapes import INDEX
from training.__main__ import main
from training.corpus.clips import is_synthetic, load_motion, read_manifest
from training.corpus.posed import ACTION_UNITS, expression
from training.corpus.takes import UPPER, looks_like, read_snippets, stretches, upper_face


def write_take(folder: Path, emotions: tuple[str, ...]) -> Path:
    """A take at 60 fps: 1 s of rest, 2 s of anger that grows from 0.5 to 1 of the pose, 1 s of another face."""
    folder.mkdir()
    weights = np.zeros((240, 52), np.float16)
    weights[60:180] = np.linspace(0.5, 1.0, 120)[:, None] * expression("angry")
    weights[180:] = expression("surprised")
    np.savez(folder / "take.npz", weights=weights, fps=60.0, emotions=np.array(emotions))
    return folder


def test_frames_count_where_they_look_like_their_label() -> None:
    angry, surprised = expression("angry")[UPPER], expression("surprised")[UPPER]
    faces = np.stack([angry, 0.5 * angry, 0.1 * angry, surprised, angry + 3 * surprised])
    assert looks_like(faces, "angry").tolist() == [True, True, False, False, False]


def test_stretches_bridge_lapses_and_drop_what_is_short() -> None:
    good = np.ones(300, bool)
    good[100:110] = False
    good[200:240] = False
    good[250:] = False
    assert stretches(good, 60.0) == [(0, 200)]
    assert stretches(np.zeros(300, bool), 60.0) == []


def test_snippets_of_a_take(tmp_path: Path) -> None:
    snippets = read_snippets(write_take(tmp_path / "takes", ("Angry", "Happy")))
    assert list(snippets) == ["angry"]
    (snippet,) = snippets["angry"]
    assert len(snippet) == 100, "2 s at 50 frames a second"
    expected = np.linspace(0.5, 1, 120)[[0, -1], None] * expression("angry")[UPPER]
    np.testing.assert_allclose(snippet[[0, -1]], expected, atol=6e-3)
    with pytest.raises(FileNotFoundError, match="no take"):
        read_snippets(tmp_path)


def test_a_face_moves_as_in_the_takes_or_is_posed() -> None:
    ramp = np.linspace(0.2, 0.8, 50)[:, None] * np.ones(len(UPPER), np.float32)
    face, taken = upper_face("angry", 200, {"angry": [ramp]}, np.random.default_rng(0))
    assert taken and face.shape == (200, 52)
    assert face[:, UPPER].min() == pytest.approx(0.2) and face[:, UPPER].max() == pytest.approx(0.8)
    assert np.abs(np.diff(face[:, UPPER], axis=0)).max() < 0.02, "to and fro, without a jump"
    still, taken = upper_face("surprised", 10, {"angry": [ramp]}, np.random.default_rng(0))
    assert not taken
    np.testing.assert_array_equal(still, np.tile(expression("surprised"), (10, 1)))


def test_neutral_speech_is_copied_into_posed_emotions(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    takes = write_take(tmp_path / "takes", ("Angry",))
    folder = tmp_path / "corpus"
    soundfile.write(folder / "a.flac", soundfile.read(write_sound(folder / "tone.wav"))[0], 16000)
    common = {"audio": "a.flac", "source": "s", "identity": "i", "emotion": "neutral", "seconds": 1.5, "licence": "CC0"}
    common |= {"phones": [["B", 0.0, 0.5], ["AA", 0.5, 1.0]]}
    rows = [{"id": split, "split": split, **common} for split in ("train", "val")]
    (folder / "manifest.jsonl").write_text("\n".join(json.dumps(row) for row in rows))
    command = ["data", "animate", str(folder), "--emotions", "angry,surprised", "--takes", str(takes)]
    assert main(command) == 0 and main(command) == 0
    assert "animated 0, already there 3, refused 0" in capsys.readouterr().out
    clips = {c.id: c for c in read_manifest(folder)}
    assert list(clips) == ["train", "val", "train_angry", "train_surprised"] and clips["val"].motion is None
    angry, surprised = (load_motion(clips[f"train_{name}"]) for name in ("angry", "surprised"))
    brow, jaw = INDEX["browDownLeft"], INDEX["jawOpen"]
    assert 0.5 * ACTION_UNITS["angry"]["browDown"] - 0.01 <= angry.weights[:, brow].min()
    assert angry.observed[:, brow].all() and not angry.observed[:, INDEX["eyeBlinkLeft"]].any()
    assert surprised.weights[:, INDEX["browInnerUp"]] == pytest.approx(ACTION_UNITS["surprised"]["browInner"], abs=1e-3)
    np.testing.assert_array_equal(angry.weights[:, jaw], load_motion(clips["train"]).weights[:, jaw])
    assert (
        all(is_synthetic(clips[name]) for name in ("train", "train_angry")) and clips["train_angry"].emotion == "angry"
    )
    assert main(["data", "animate", str(folder), "--emotions", "bored"]) == 2

"""A teacher on the ears of Whisper trains, its rows are kept beside the runs, and a causal student learns from it."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch", reason="torch is not installed: pip install '.[train]'")
pytest.importorskip("transformers", reason="transformers is not installed: pip install '.[train]'")

from tiny_corpus import write_corpus
from tiny_whisper import DIM, save_encoder

from dtalker_model.networks.noise import NoiseColour
from training.__main__ import main
from training.corpus.clips import read_manifest
from training.hearing.registry import EARS
from training.networks.encoders import PretrainedEncoder
from training.networks.runs import open_teacher
from training.predictors.opening import open_predictor
from training.stages.run_distill import round_folder

DATA = {
    "sampling": {"crop_frames": 40},
    "share": {"ravdess": 1.0, "grid": 1.0},
    "heard_share": {"ravdess": 1.0},
    "copies": {"ravdess": 1, "grid": 0},
    "heard_copies": 0,
    "batch": 2,
    "heard_batch": 1,
}
SIZES = {"encoder_dim": 16, "encoder_hidden": 12, "decoder_dim": 16}
PLAN = {"steps": 1, "validate_every": 1}
CHAIN = {"distilled": {"student": SIZES}, "data": DATA, "align": PLAN, "first": PLAN, "later": PLAN}


def kept(folder: Path) -> dict[str, int]:
    """Files of the ears and when they were written."""
    return {path.name: path.stat().st_mtime_ns for path in (folder / EARS).iterdir()}


def test_ears_of_another_size_are_refused_before_anything_is_heard(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "corpus").mkdir()
    monkeypatch.setenv("DTALKER_CORPUS", str(write_corpus(tmp_path / "corpus")))
    teacher = {"encoder": "whisper", "whisper": str(save_encoder(tmp_path / "whisper")), "shared": SIZES}
    (tmp_path / "teacher.json").write_text(json.dumps({"teacher": teacher, "data": DATA}))
    assert main(["teacher", str(tmp_path / "teacher"), "--config", str(tmp_path / "teacher.json")]) == 2
    said = capsys.readouterr().err.splitlines()[-1]
    assert f"train a new teacher with teacher.pretrained.layer_dims [{DIM}, {DIM}]" in said
    assert not (tmp_path / EARS).exists()


def test_whisper_teaches_a_causal_student(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "corpus").mkdir()
    monkeypatch.setenv("DTALKER_CORPUS", str(write_corpus(tmp_path / "corpus")))
    pretrained = {"layer_dims": [DIM, DIM], "dim": 12, "dilations": [1, 2]}
    whisper = str(save_encoder(tmp_path / "whisper"))
    teacher = {"encoder": "whisper", "whisper": whisper, "pretrained": pretrained, "shared": SIZES}
    settings = {"teacher": teacher, "data": DATA, "hearing": PLAN, "plan": PLAN}
    for name, config in (("teacher", settings), ("chain", CHAIN)):
        (tmp_path / f"{name}.json").write_text(json.dumps(config))
    assert main(["teacher", str(tmp_path / "teacher"), "--config", str(tmp_path / "teacher.json")]) == 0
    ears = kept(tmp_path)
    assert any(re.match(r"whisper-[0-9a-f]{8}-ravdess-", name) for name in ears), "of a model that is not Whisper base"
    assert any(not name.endswith("-1.npy") for name in ears), "a clip at another speed too"

    command = ["distill", str(tmp_path / "chain"), "--config", str(tmp_path / "chain.json")]
    assert main([*command, "--teacher", str(tmp_path / "teacher")]) == 0
    assert kept(tmp_path) == ears, "what was heard once is not heard again"

    large = open_teacher(tmp_path / "teacher")
    assert isinstance(large.encoder, PretrainedEncoder) and large.encoder.mean.any() and large.lips_mm.any()
    least = NoiseColour(52).taps.argmax(dim=1)
    assert (large.colour.taps.argmax(dim=1) < least).all(), "as smooth as the jaws of the corpus"
    for folder in (tmp_path / "teacher", round_folder(tmp_path / "chain", 1)):
        clip = [c for c in read_manifest(tmp_path / "corpus", "val") if c.motion][:1]
        (frames,) = open_predictor(folder)(clip)
        assert frames.shape == (clip[0].frames, 52) and np.isfinite(frames).all()

"""The paper-shaped pair trains, distils, exports and is evaluated: a frozen HuBERT teaches an offline `hubert_cnn`."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch", reason="torch is not installed: pip install '.[train]'")
transformers = pytest.importorskip("transformers", reason="transformers is not installed: pip install '.[train]'")

from tiny_corpus import write_corpus  # noqa: E402

from training.__main__ import main  # noqa: E402
from training.stages.run_distill import ROUNDS, round_folder  # noqa: E402

SHARE = {"ravdess": 1.0, "grid": 1.0}
DATA = {
    "sampling": {"crop_frames": 20},
    "share": SHARE,
    "heard_share": {"ravdess": 1.0},
    "copies": {"ravdess": 0, "grid": 0},
    "heard_copies": 0,
    "batch": 2,
    "heard_batch": 1,
}
SIZES = {"encoder_dim": 16, "encoder_hidden": 12, "decoder_dim": 16}
CNN = {"encoder": "hubert_cnn", "feature_dim": 320, "hubert_cnn": {"conv_dim": 8, "lstm_dim": 8}}
PLAN = {"steps": 1, "validate_every": 1}


def tiny_hubert(folder: Path) -> Path:
    """A randomly initialised HuBERT of a few thousand numbers, saved as transformers saves one."""
    settings = transformers.HubertConfig(
        hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=16, conv_dim=(8,) * 7,
        num_conv_pos_embeddings=4, num_conv_pos_embedding_groups=2,
    )  # fmt: skip
    transformers.HubertModel(settings).save_pretrained(folder)
    return folder


def test_hubert_teaches_the_papers_small_encoder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "corpus").mkdir()
    monkeypatch.setenv("DTALKER_CORPUS", str(write_corpus(tmp_path / "corpus")))
    hubert = tiny_hubert(tmp_path / "hubert")
    teacher = {"encoder": "hubert", "hubert": str(hubert), "shared": SIZES}
    (tmp_path / "teacher.json").write_text(
        json.dumps({"teacher": teacher, "data": DATA, "hearing": PLAN, "plan": PLAN})
    )
    student = {"student": SIZES | CNN}
    chain = {"distilled": student, "data": DATA, "align": PLAN, "first": PLAN, "later": PLAN}
    (tmp_path / "chain.json").write_text(json.dumps(chain))
    assert main(["teacher", str(tmp_path / "teacher"), "--config", str(tmp_path / "teacher.json")]) == 0
    command = ["distill", str(tmp_path / "chain"), "--config", str(tmp_path / "chain.json")]
    assert main([*command, "--teacher", str(tmp_path / "teacher")]) == 0

    out = tmp_path / "offline.onnx"
    capsys.readouterr()
    assert main(["evaluate", str(round_folder(tmp_path / "chain", ROUNDS[-1])), "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert any(row["predictor"] == "model" and np.isfinite(row["LVE"]) for row in rows)
    assert main(["export", str(tmp_path / "chain"), str(out)]) == 0 and out.is_file()

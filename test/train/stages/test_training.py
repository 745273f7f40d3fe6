"""Training end to end on a generated corpus: losses of known value, a run, the export, the figures, the report."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch is not installed: pip install '.[train]'")

from tiny_corpus import write_corpus  # noqa: E402

import dtalker_model  # noqa: E402
from training.__main__ import main  # noqa: E402
from training.corpus.library import Library, Names  # noqa: E402
from training.corpus.posed import ACTION_UNITS, POSED, expression, pose  # noqa: E402
from training.listening.voice_crops import VoiceSampling  # noqa: E402
from training.loop import config  # noqa: E402
from training.loop.loop import Plan  # noqa: E402
from training.networks import losses  # noqa: E402
from training.networks.distilled import StudentWeights  # noqa: E402
from training.networks.runs import saved_names  # noqa: E402
from training.networks.teacher import Weights, with_total  # noqa: E402
from training.stages import run_listener  # noqa: E402
from training.stages.run_teacher import TeacherTraining, Validation  # noqa: E402

SHARE = {"ravdess": 1.0, "grid": 1.0, "facegood": 1.0}
DATA = {
    "sampling": {"crop_frames": 60},
    "share": SHARE,
    "heard_share": {"ravdess": 1.0},
    "copies": {"ravdess": 1, "facegood": 1, "grid": 1},
    "heard_copies": 0,
    "batch": 4,
    "heard_batch": 2,
}
SIZES = {"encoder_dim": 16, "encoder_hidden": 12, "decoder_dim": 16}
PLAN = {"steps": 2, "validate_every": 2}
TEACHER = {
    "teacher": {"shared": SIZES, "encoder": "scratch", "scratch": {"dim": 12}, "steps": 16},
    "data": DATA,
    "hearing": PLAN,
    "plan": PLAN,
}
CHAIN = {"distilled": {"student": SIZES}, "data": DATA, "align": PLAN, "first": PLAN, "later": PLAN}


def test_losses_have_their_known_values() -> None:
    motion, observed = torch.zeros(1, 3, 2), torch.tensor([1.0, 0.0]).expand(1, 3, 2)
    clean = torch.tensor([[[2.0, 9.0], [0.0, 9.0], [1.0, 9.0]]])
    assert losses.reconstruction(clean, motion, observed).item() == pytest.approx((4 + 0 + 1) / 6)
    assert losses.velocity(clean, motion, observed).item() == pytest.approx((4 + 1) / 4)
    gram = torch.tensor([[3.0, 1.0], [1.0, 1.0]])
    assert losses.vertex(clean, motion, observed, gram).item() == pytest.approx(3 * (4 + 0 + 1) / 3)
    logits = torch.tensor([[[0.0, 0.0], [100.0, 0.0]]])
    assert losses.phone(logits, torch.tensor([[1, -1]])).item() == pytest.approx(np.log(2) / 2)
    gap = torch.tensor([2.0, 5.0])
    assert losses.lip_gap(clean, motion, observed, gap).item() == pytest.approx((16 + 0 + 4) / 3)


def test_the_total_is_the_weighted_sum() -> None:
    terms = with_total({"a": torch.tensor(2.0), "b": torch.tensor(3.0)}, {"a": 1.0, "b": 0.007, "unused": 9.0})
    assert terms["loss"].item() == pytest.approx(2.021)
    assert (Weights().reconstruction, Weights().contrast) == (1.0, 0.007)  # lambda_1 and lambda_2 of eq. (15)
    student = StudentWeights()
    assert (student.distillation, student.alignment, student.enhancement) == (0.5, 1.0, 0.05)  # eq. (16)


def test_nothing_observed_costs_nothing() -> None:
    x, none = torch.randn(2, 5, 3), torch.zeros(2, 5, 3)
    assert losses.reconstruction(x, -x, none).item() == 0


def test_intensity_scales_the_distance_from_neutral() -> None:
    library = Library(Names(("default",), ("neutral", "happy")), 4)
    labels = torch.tensor([0, 1, 1])
    neutral, once, twice = library.emotion(labels, torch.tensor([2.0, 1.0, 2.0]))
    torch.testing.assert_close(neutral, library.neutral)
    torch.testing.assert_close(twice - neutral, 2 * (once - neutral))


@pytest.mark.parametrize("emotion", ACTION_UNITS)
def test_a_pose_decides_the_expression_and_leaves_the_mouth(emotion: str) -> None:
    motion = np.random.default_rng(0).random((5, 52)).astype(np.float32)
    observed = np.ones((5, 52), np.float32)
    observed[0] = 0
    posed, supervised = pose(motion, observed, emotion, strength=1.5)
    np.testing.assert_allclose(posed[:, POSED], np.tile(1.5 * expression(emotion)[POSED], (5, 1)))
    rest = [i for i in range(52) if i not in POSED]
    np.testing.assert_array_equal(posed[:, rest], motion[:, rest])
    assert not supervised[0].any() and expression(emotion).max() <= 0.7


def test_unknown_settings_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="TeacherTraining has no setting learning_rat"):
        config.from_dict(TeacherTraining, {"learning_rat": 1})
    assert config.from_dict(TeacherTraining, {"teacher": {"steps": 4}}).teacher.steps == 4
    with pytest.raises(ValueError, match="expected one of causal, hubert_cnn"):
        config.from_dict(TeacherTraining, {"teacher": {"shared": {"encoder": "hubert"}}})


def test_a_run_trains_exports_and_is_evaluated(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    monkeypatch.setenv("DTALKER_CORPUS", str(write_corpus(corpus)))
    (tmp_path / "teacher.json").write_text(json.dumps(TEACHER))
    (tmp_path / "chain.json").write_text(json.dumps(CHAIN))
    teacher, chain = tmp_path / "teacher", tmp_path / "chain"
    assert main(["teacher", str(teacher), "--config", str(tmp_path / "teacher.json")]) == 0
    command = ["distill", str(chain), "--config", str(tmp_path / "chain.json"), "--teacher", str(teacher)]
    assert main(command) == 0
    names = saved_names(teacher)
    assert names.identities[0] == "default" and "ravdess" in names.identities
    plan = Plan(steps=2, validate_every=2)
    others = {name: share for name, share in SHARE.items() if name != "ravdess"}
    sampling = VoiceSampling(acted={"ravdess": 1}, others=others, crop_frames=40, group=2, acted_groups=2)
    listening = run_listener.ListenerTraining(sampling=sampling, synthetic_sentences=0, plan=plan)
    run_listener.run(listening, names, tmp_path / "listener")
    capsys.readouterr()

    out = tmp_path / "tiny.onnx"
    command = ["export", str(chain), str(out), "--listener", str(tmp_path / "listener")]
    assert main(command) == 0
    talker = dtalker_model.load(out, identity="live", emotion="live")
    frames = talker.push(np.zeros(16000, np.float32), 16000) + talker.flush()
    assert len(frames) == 50
    assert talker.card.unlabelled and talker.card.unlabelled not in talker.card.emotions.values()
    talker.reset()
    talker.set(articulation=2.0)
    led = talker.push(np.zeros(16000, np.float32), 16000)
    assert any(np.abs(a.weights - b.weights).max() > 0 for a, b in zip(led, frames))
    assert talker.card.emotion_sources["happy"] == "measured" and "synthetic" in talker.card.emotion_sources["angry"]

    capsys.readouterr()
    assert main(["evaluate", str(out), "--json", "--beside", f"regression={out}"]) == 0
    rows = json.loads(capsys.readouterr().out)
    floors = {"mean face", "ridge", "one frame late", "recording"}
    models = {"model", "regression"}
    spoken = models | {f"{name}, live" for name in models}
    assert {row["predictor"] for row in rows if row["source"] == "mean"} == spoken | floors
    sampled = [row for row in rows if "seeds" in row]
    assert {row["predictor"] for row in sampled} == models and all(row["diversity"] > 0 for row in sampled)
    assert all(np.isfinite(row["LVE"]) for row in rows if row not in sampled)
    late = next(row for row in rows if row["source"] == "grid" and row["predictor"] == "recording")
    assert late["LVE"] == 0 and late["jawOpen"] == 1 and late["jerk"] == 1
    assert dtalker_model.load(out).card.figures["rows"][0]["LVE"] == rows[0]["LVE"]

    assert main(["evaluate", str(out), "--beside", "regression"]) == 2

    assert main(["report", str(out), "--out", str(tmp_path / "report")]) == 0
    written = (tmp_path / "report" / "README.md").read_text()
    assert "acted, with two sentences" in written and "| model " in written
    for picture in ("figures.png", "ravdess_sad.png", "grid_neutral.png"):
        assert picture in written and (tmp_path / "report" / picture).stat().st_size > 5000
    assert sum(f.stat().st_size for f in (tmp_path / "report").iterdir()) < 1_000_000


def test_a_face_that_keeps_still_has_a_score(tmp_path: Path) -> None:
    """Else a network that begins so would never be kept."""
    names = Names(("default",), ("neutral", "sad"))
    still = Validation(write_corpus(tmp_path), sources=("ravdess", "grid"))(
        lambda heard, identity, emotion, noise: torch.zeros_like(noise), Library(names, 64)
    )
    assert np.isnan(still["ravdess_jawOpen"])
    assert still["score"] == pytest.approx(np.log([still["ravdess_LVE"], still["grid_LVE"]]).mean())


def test_a_missing_corpus_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    monkeypatch.setenv("DTALKER_CORPUS", str(tmp_path))
    assert main(["teacher", str(tmp_path / "run")]) == 2
    assert "set DTALKER_CORPUS" in capsys.readouterr().err

"""Every kind of model is evaluated alike: the rows of tiny runs, their table, their ablation, their report."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch is not installed: pip install '.[train]'")

from safetensors.torch import load_file, save_file  # noqa: E402
from tiny_runs import Runs, train_runs  # noqa: E402

from training.corpus.clips import Clip, read_manifest  # noqa: E402
from training.evaluation import evaluate  # noqa: E402
from training.networks.distilled import Distilled  # noqa: E402
from training.networks.regression import Regression  # noqa: E402
from training.networks.runs import BEST  # noqa: E402
from training.predictors import runs as registry  # noqa: E402
from training.predictors.opening import open_beside, open_predictor  # noqa: E402
from training.predictors.shipped import Shipped, style  # noqa: E402
from training.predictors.trained import Trained, audio_feature, open_network, parameters  # noqa: E402
from training.reports import ablation_table, table  # noqa: E402
from training.reports.report import report  # noqa: E402
from training.reports.table_goals import RESPACED, in_steps  # noqa: E402
from training.reports.table_speed import frames_per_second  # noqa: E402
from training.stages import ablation  # noqa: E402
from training.stages.run_distill import round_folder  # noqa: E402


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Runs]:
    """A tiny teacher, chain and regression network; the regression network stands beside every model."""
    folder = tmp_path_factory.mktemp("runs")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DTALKER_CORPUS", str(folder / "corpus"))
        patch.setattr("training.predictors.opening.REGRESSION", folder / "regression")
        patch.setattr("training.reports.table.REGRESSION", folder / "regression")
        yield train_runs(folder)


def clips(runs: Runs) -> list[Clip]:
    return [c for c in read_manifest(runs.corpus, "val") if c.motion]


def test_each_kind_of_run_speaks_clips_of_their_length(runs: Runs) -> None:
    for folder, steps in ((runs.teacher, 16), (round_folder(runs.chain, 2), 2), (runs.regression, 0)):
        predictor = open_predictor(folder)
        frames = predictor(clips(runs))
        assert [f.shape for f in frames] == [(c.frames, 52) for c in clips(runs)]
        assert all(0 <= f.min() and f.max() <= 1 for f in frames)
        assert predictor.about.steps == steps and predictor.about.parameters == parameters(open_network(folder))
        assert predictor.about.stored_bytes == (folder / BEST).stat().st_size


def test_noise_belongs_to_the_clip_and_the_seed(runs: Runs) -> None:
    student = Trained(round_folder(runs.chain, 2))
    first, second = clips(runs)[:2]
    together = student([second, first], seed=3)
    np.testing.assert_allclose(student([first], seed=3)[0], together[1], atol=1e-5)
    assert not np.allclose(student([first], seed=4)[0], together[1])


def test_a_teacher_is_respaced_and_a_regression_network_has_no_steps(runs: Runs) -> None:
    clip = clips(runs)[:1]
    whole, few = Trained(runs.teacher), Trained(runs.teacher, 2)
    assert few.about.steps == 2 and "without distillation" in few.about.description
    assert not np.allclose(whole(clip)[0], few(clip)[0])
    with pytest.raises(ValueError, match="17 steps: 1 to 16"):
        Trained(runs.teacher, 17)
    with pytest.raises(ValueError, match="it has no steps"):
        Trained(runs.regression, 2)


def test_what_cannot_speak_is_refused(runs: Runs, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="is no run"):
        open_predictor(tmp_path)
    with pytest.raises(ValueError, match="does not speak"):
        open_predictor(round_folder(runs.chain, 0))
    (tmp_path / "config.json").write_text((runs.teacher / "config.json").read_text())
    with pytest.raises(FileNotFoundError, match="has no best"):
        open_predictor(tmp_path)


def test_a_second_engine_registers_what_opens_its_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "config.json").write_text(json.dumps({"config": {"vocoder": {}}}))
    with pytest.raises(ValueError, match="does not speak"):
        open_predictor(tmp_path)
    monkeypatch.setitem(registry.OPENERS, "vocoder", lambda folder, steps: Shipped("dtalker", steps))
    assert open_predictor(tmp_path, 2).about.steps == 2


def test_a_model_file_speaks_in_the_style_of_the_clip(runs: Runs) -> None:
    shipped = Shipped("dtalker")
    clip = replace(clips(runs)[0], emotion="happy")
    (frames,) = shipped([clip])
    assert frames.shape == (clip.frames, 52) and shipped.ear is not None
    settings = style(shipped._card, clip)
    assert settings.emotion == "happy" and settings.identity in shipped._card.identities
    assert style(shipped._card, replace(clip, identity="nobody", source="nothing", emotion="odd")).emotion == "neutral"


def test_who_follows_the_voice_is_told_neither_name_nor_mood(runs: Runs) -> None:
    clip = clips(runs)[0]
    stranger = replace(clip, identity="nobody", emotion="angry")
    for model in (Shipped("dtalker"), Trained(runs.teacher), Trained(round_folder(runs.chain, 2))):
        follower = model.live
        assert follower is not None
        np.testing.assert_array_equal(follower([clip])[0], follower([stranger])[0])
        assert not np.allclose(follower([clip])[0], model([clip])[0])
    assert Shipped("dtalker-open").live is None and Trained(runs.regression).live is None


def test_parameters_of_training_alone_are_not_counted(runs: Runs) -> None:
    network = open_network(round_folder(runs.chain, 2))
    assert isinstance(network, Distilled)
    parts = (network.student, network.personalizer)
    assert parameters(network) == sum(p.numel() for part in parts for p in part.parameters())


def test_a_regression_network_hears_no_noise(runs: Runs) -> None:
    network = open_network(runs.regression)
    assert isinstance(network, Regression)
    heard, style_of = torch.randn(1, 20, 128), torch.randn(1, 20, 64)
    first, second = (network.speak(heard, style_of, style_of, torch.randn(1, 20, 52)) for _ in range(2))
    torch.testing.assert_close(first, second)
    p, audio = network.student.integrator(style_of, style_of), audio_feature(network, heard)
    one, hidden = torch.ones(1), torch.zeros(1, 3, 16)
    clean = network.student.decoder(p, audio, torch.zeros(1, 20, 52), one, one, one, hidden)[0]
    expected = clean / network.student.motion_scale + network.student.motion_mean
    torch.testing.assert_close(first, expected.detach(), atol=1e-5, rtol=1e-5)


def test_half_weights_are_opened_too(runs: Runs, tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text((runs.regression / "config.json").read_text())
    weights = load_file(runs.regression / BEST)
    save_file({name: x.half() for name, x in weights.items()}, tmp_path / BEST)
    clip = clips(runs)[:1]
    np.testing.assert_allclose(Trained(tmp_path)(clip)[0], Trained(runs.regression)(clip)[0], atol=0.02)


def test_rows_of_a_teacher(runs: Runs) -> None:
    rows = list(evaluate.evaluate(open_predictor(runs.teacher), beside=open_beside(())))
    floors = {"mean face", "ridge", "one frame late", "recording"}
    means = {r["predictor"]: r for r in rows if r["source"] == "mean"}
    assert set(means) == {"model", "model, live", "regression", *floors}
    sampled = {(r["source"], r["predictor"]): r for r in rows if "seeds" in r}
    assert len(sampled) == 8 and all(sampled[s, "model"]["diversity"] > 0 for s in evaluate.SOURCES)
    assert all(sampled[s, "regression"]["diversity"] == 0 for s in evaluate.SOURCES)
    assert all(np.isfinite(r["LVE"]) for r in means.values())
    assert not any(r["predictor"] == "listener" for r in rows)  # every speaker of the tiny corpus is in training


def test_a_table_of_a_chain(runs: Runs, monkeypatch: pytest.MonkeyPatch) -> None:
    speeds = {"fps": 1000.0, "torch_fps": 500.0}
    monkeypatch.setattr("training.reports.table.frames_per_second", lambda models: dict.fromkeys(models, speeds))
    found = table.write(runs.chain, runs.teacher)
    names = ["teacher", *(in_steps("student", n) for n in (8, 4, 2, 1)), RESPACED, "regression network"]
    assert [r["predictor"] for r in found["rows"]] == [*names, "ridge", "mean face"]
    rows = {r["predictor"]: r for r in found["rows"]}
    assert rows["teacher"]["steps"] == 16 and rows[RESPACED]["steps"] == 2
    assert rows["student, 2 steps"]["parameters"] < rows["teacher"]["parameters"] == rows[RESPACED]["parameters"]
    assert rows["mean face"]["parameters"] == 52 * 4
    assert len(found["goals"]) == 10 and found["sources"]
    monkeypatch.setattr("training.reports.table.measure", lambda *_: pytest.fail("it is there already"))
    assert table.saved(runs.chain) == json.loads(json.dumps(found))
    assert "| teacher respaced to 2 steps |" in (runs.chain / "table.md").read_text()


def test_speeds_are_measured(runs: Runs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("training.reports.table_speed.SECONDS", 0.5)
    threads = torch.get_num_threads()
    models = {"a": Trained(runs.regression), "b": Trained(runs.teacher)}
    found = frames_per_second(models, runs=2)
    assert all(found["a"][engine] > found["b"][engine] > 0 for engine in ("fps", "torch_fps"))
    assert torch.get_num_threads() == threads and not any(m.network.training for m in models.values())


def test_an_ablation_is_trained_once_and_resumed(runs: Runs, tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    settings = ablation.Ablation(steps=1)
    ablation_table.main(settings, runs.chain, tmp_path, False, runs.teacher)
    written = (tmp_path / "ablation.md").read_text()
    assert all(f"| {name} " in written and f"* {name}: EVE" in written for name in ablation.VARIANTS if name != "full")
    assert f"| {ablation_table.WHOLE_CHAIN} " in written and written.strip() in capsys.readouterr().out
    weights = {name: (ablation.variant_folder(tmp_path, name) / BEST).stat() for name in ablation.VARIANTS}
    ablation.train(settings, runs.chain, tmp_path, runs.teacher)
    for name, before in weights.items():
        assert (ablation.variant_folder(tmp_path, name) / BEST).stat().st_mtime_ns == before.st_mtime_ns
    with pytest.raises(ValueError, match="another schedule"):
        ablation.train(ablation.Ablation(steps=2), runs.chain, tmp_path, runs.teacher)
    rows = {r["predictor"]: r for r in ablation_table.saved(tmp_path)["rows"]}
    assert rows["without emotion embedding"]["LVE"] is not None


def test_a_report_on_a_run_holds_the_tables(runs: Runs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("training.reports.report.SHOWN", (("grid", "neutral"),))
    monkeypatch.setattr("training.reports.table.saved", lambda chain: {})
    monkeypatch.setattr("training.reports.table.text", lambda _: "rows and a goal")
    report(str(runs.teacher), tmp_path, chain=runs.chain)
    written = (tmp_path / "README.md").read_text()
    assert written.startswith("# teacher: figures") and "acted, with two sentences" in written
    assert "## What the teacher was asked for" in written and "LVE" in written
    assert "## From the teacher to one step" in written and "a goal" in written
    assert "| regression " in written and (tmp_path / "grid_neutral.png").stat().st_size > 5000
    with pytest.raises(FileNotFoundError, match="training ablate"):
        report(str(runs.teacher), tmp_path, ablation=tmp_path)

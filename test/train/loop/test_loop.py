"""The training loop: known weights after known steps, exact resumption, and an end for every kind of trouble."""

from __future__ import annotations

import math
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import pytest

torch = pytest.importorskip("torch", reason="torch is not installed: pip install '.[train]'")
pytest.importorskip("accelerate", reason="accelerate is not installed: pip install '.[train]'")

from loop_rig import (  # noqa: E402
    PLAN,
    Bowl,
    Net,
    Pairs,
    batch,
    files,
    flat,
    interrupted_after,
    loud,
    no_score,
    validate,
)
from safetensors.torch import load_file  # noqa: E402
from torch import Tensor, nn  # noqa: E402

from training.loop import checkpoint  # noqa: E402
from training.loop.curves import read_log  # noqa: E402
from training.loop.devices import Processes, autocast_dtype, placed  # noqa: E402
from training.loop.loop import BEST, LAST, Plan, Share, learning_rate_factor, train  # noqa: E402


class Watch:
    """A validation that remembers whom it saw."""

    def __init__(self) -> None:
        self.seen: list[Any] = []

    def __call__(self, model: nn.Module) -> dict[str, float]:
        self.seen.append(model)
        return {"score": 0.0}


def never(*arguments: object) -> Any:
    raise AssertionError("called")


def told(folder: Path) -> list[dict[str, Any]]:
    """The log without what no two runs share."""
    return [{name: value for name, value in row.items() if name != "seconds"} for row in read_log(folder)]


def test_weights_and_their_average_after_known_steps(tmp_path: Path) -> None:
    """Far from the minimum the clipped gradient is 1, so that each step of Adam is the learning rate itself."""
    k, w, decay, ema = 12, 50.0, 0.1, 0.8
    plan = Plan(steps=k, learning_rate=0.5, weight_decay=decay, ema=ema, validate_every=k)
    model, watch = Bowl(w), Watch()
    train(model, flat, watch, plan, tmp_path)
    seen = [average.w.item() for average in watch.seen]
    average = w
    for step in range(k):
        rate = 0.5 * learning_rate_factor(step, k)
        w = w - rate * decay * w - rate
        average = w if step == 0 else ema * average + (1 - ema) * w
    assert model.w.item() == pytest.approx(w, abs=1e-5)
    assert seen == [pytest.approx(average, abs=1e-5)]
    assert load_file(tmp_path / BEST)["w"].item() == seen[0]


def test_an_encoder_can_learn_more_slowly(tmp_path: Path) -> None:
    class Pair(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.encoder, self.decoder = Bowl(50.0), Bowl(50.0)

        def forward(self, slope: Tensor) -> dict[str, Tensor]:
            return {"loss": self.encoder(slope)["loss"] + self.decoder(slope)["loss"]}

    model = Pair()
    plan = Plan(steps=5, learning_rate=0.5, weight_decay=0.0, encoder_rate=0.25, validate_every=5)
    train(model, flat, no_score, plan, tmp_path)
    assert 50 - model.encoder.w.item() == pytest.approx((50 - model.decoder.w.item()) / 4, rel=1e-4)


def test_the_schedule_is_known() -> None:
    assert learning_rate_factor(0, 10**9) == pytest.approx(0.01)
    assert learning_rate_factor(99, 10**9) == pytest.approx(1)
    assert learning_rate_factor(500, 1000) == pytest.approx(0.51)
    assert learning_rate_factor(1000, 1000) == pytest.approx(0.02)


def test_the_log_tells_each_step(tmp_path: Path) -> None:
    train(Bowl(3.0), flat, no_score, Plan(steps=5, learning_rate=0.1, validate_every=2), tmp_path)
    rows = read_log(tmp_path)
    assert [row["step"] for row in rows] == [1, 2, 3, 4, 5]
    assert [row["step"] for row in rows if "score" in row] == [2, 4, 5]
    for step, row in enumerate(rows):
        assert row["loss"] == pytest.approx(row["w"] ** 2 / 2, rel=1e-4)
        assert row["gradient_norm"] == pytest.approx(row["w"], rel=1e-4)
        assert row["learning_rate"] == pytest.approx(0.1 * learning_rate_factor(step, 5), rel=1e-4)
        assert 0 < row["seconds"] < 60


@pytest.mark.parametrize("precision", ["fp32", "bf16", "fp16"])
def test_a_resumed_run_is_bit_for_bit_the_uninterrupted_one(tmp_path: Path, precision: str) -> None:
    plan = replace(PLAN, precision=precision)
    train(Net(0.5), batch, validate, plan, tmp_path / "whole")
    # Killed between checkpoints, at one, and before the first.
    for step in (12, 5, 3):
        interrupted_after(step, tmp_path / str(step), 0.5, plan)
        train(Net(0.5), batch, validate, plan, tmp_path / str(step))
        for name in (BEST, LAST):
            assert files(tmp_path / str(step))[name] == files(tmp_path / "whole")[name]
        assert told(tmp_path / str(step)) == told(tmp_path / "whole")


def test_the_loss_scaler_of_fp16_is_resumed(tmp_path: Path) -> None:
    plan = replace(PLAN, precision="fp16")
    train(Net(0.0), loud, validate, plan, tmp_path / "whole")
    norms = [row["gradient_norm"] for row in read_log(tmp_path / "whole")]
    assert norms[0] is None and None not in norms[-5:]
    interrupted_after(12, tmp_path / "resumed", 0.0, plan, loud)
    train(Net(0.0), loud, validate, plan, tmp_path / "resumed")
    assert files(tmp_path / "resumed")[LAST] == files(tmp_path / "whole")[LAST]
    factor = checkpoint.read(tmp_path / "whole" / LAST)[1]["progress"]["scaler"]["scale"]
    assert factor == 2.0 ** (16 - norms.count(None))


def test_precisions_differ_and_auto_is_fp32_on_a_cpu(tmp_path: Path) -> None:
    losses = {}
    for precision in ("auto", "fp32", "bf16", "fp16"):
        train(Net(0.0), batch, validate, replace(PLAN, precision=precision), tmp_path / precision)
        losses[precision] = [row["loss"] for row in read_log(tmp_path / precision)]
    assert autocast_dtype("auto", torch.device("cpu")) is None
    if Processes().device.type == "cpu":
        assert losses["auto"] == losses["fp32"]
    assert losses["bf16"] != losses["fp32"] and losses["bf16"] == pytest.approx(losses["fp32"], rel=0.03)
    assert losses["fp16"] != losses["fp32"] and losses["fp16"] == pytest.approx(losses["fp32"], rel=0.005)


@pytest.mark.parametrize("dropout", [0.0, 0.5])
def test_dropout_differs_between_steps(tmp_path: Path, dropout: float) -> None:
    """Only dropout tells steps apart that learn nothing from the same batch."""
    plan = replace(PLAN, learning_rate=0.0, steps=4)
    train(Net(dropout), lambda step, share: batch(0, share), validate, plan, tmp_path)
    assert len({row["loss"] for row in read_log(tmp_path)}) == (4 if dropout else 1)


def test_dropout_depends_on_the_seed_alone(tmp_path: Path) -> None:
    for name, seed in (("a", 3), ("b", 3), ("c", 4)):
        torch.rand(ord(name))
        train(Net(0.5), batch, validate, PLAN, tmp_path / name, seed=seed)
    assert told(tmp_path / "a") == told(tmp_path / "b") != told(tmp_path / "c")


def test_frozen_parts_stay_and_are_not_copied(tmp_path: Path) -> None:
    model, watch = Net(0.0), Watch()
    before = {name: t.clone() for name, t in model.state_dict().items()}
    train(model, batch, watch, PLAN, tmp_path)
    assert all(average.frozen.weight is model.frozen.weight for average in watch.seen)
    assert all(average.hidden.weight is not model.hidden.weight for average in watch.seen)
    best = load_file(tmp_path / BEST)
    assert best.keys() == before.keys()
    assert {name for name in best if not torch.equal(best[name], before[name])} == {
        f"{layer}.{name}" for layer in ("hidden", "out", "tied") for name in ("weight", "bias")
    } | {"steps"}


def test_a_validation_sees_the_model_in_eval_mode_without_gradients(tmp_path: Path) -> None:
    modes = []

    def look(model: Net) -> dict[str, float]:
        modes.append((type(model), model.training, torch.is_grad_enabled(), int(model.steps)))
        model.train()
        return {"score": 0.0}

    train(Net(0.5), batch, look, replace(PLAN, steps=12), tmp_path)
    assert modes == [(Net, False, False, 6), (Net, False, False, 12)]


def scores(*values: float) -> Any:
    given = iter(values)
    return lambda model: {"score": next(given)}


def test_a_run_ends_when_its_patience_does(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    plan = Plan(steps=100, validate_every=3, patience=1, checkpoint_every=100)
    train(Bowl(1.0), flat, scores(3, 2, 2.5, 1.5, math.nan, 1.6), plan, tmp_path)
    assert read_log(tmp_path)[-1]["step"] == 18
    assert read_log(tmp_path)[-4]["score"] is None
    assert checkpoint.read(tmp_path / BEST)[1] == {"step": 12, "score": 1.5}
    assert "ended at step 18: no lower score than 1.5, of step 12" in capsys.readouterr().out


def test_a_run_that_ended_is_left_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    train(Bowl(1.0), flat, no_score, Plan(steps=3), tmp_path)
    before = files(tmp_path)
    train(Bowl(1.0), never, never, Plan(steps=3), tmp_path)
    assert files(tmp_path) == before
    assert "ended after all 3 steps; nothing to do" in capsys.readouterr().out


def test_resume_can_be_refused(tmp_path: Path) -> None:
    for _ in range(2):
        train(Bowl(1.0), flat, no_score, Plan(steps=3), tmp_path, resume=False)
    assert [row["step"] for row in read_log(tmp_path)] == [1, 2, 3]


def test_curves_hold_each_step_once(tmp_path: Path) -> None:
    pytest.importorskip("tensorboard", reason="tensorboard is not installed: pip install '.[train]'")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    interrupted_after(8, tmp_path, 0.0)
    train(Net(0.0), batch, validate, PLAN, tmp_path)
    events = EventAccumulator(str(tmp_path / "tensorboard"))
    events.Reload()
    assert [event.step for event in events.Scalars("loss")] == list(range(1, PLAN.steps + 1))
    assert [event.step for event in events.Scalars("score")] == [6, 12, 18, 20]


def test_without_tensorboard_it_says_so_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)
    train(Bowl(1.0), flat, no_score, Plan(steps=3), tmp_path)
    assert capsys.readouterr().out.count("tensorboard is not installed") == 1
    assert not (tmp_path / "tensorboard").exists()


def test_shares_are_equal_parts_of_a_batch() -> None:
    assert [list(Share(rank, 3).rows(6)) for rank in range(3)] == [[0, 1], [2, 3], [4, 5]]
    assert Share().rows(5) == range(5)
    with pytest.raises(ValueError, match="a batch of 7 cannot be shared evenly by 2 processes"):
        Share(0, 2).rows(7)


class Named(NamedTuple):
    x: Tensor


def test_tensors_are_placed_wherever_they_hide() -> None:
    def leaves(value: Any) -> Iterator[Tensor]:
        inside = value.values() if isinstance(value, dict) else [value] if isinstance(value, Tensor) else value
        for item in inside:
            yield from [item] if isinstance(item, Tensor) else leaves(item)

    x = torch.zeros(2)
    pairs, *rest = placed((Pairs({"ear": x}, x), [x], {"deep": (Named(x),)}, Named(x)), torch.device("meta"))
    assert {t.device.type for t in [pairs.heard["ear"], pairs.target, *leaves(rest)]} == {"meta"}
    assert isinstance(rest[2], Named)
    assert placed(("name", 3, None), torch.device("meta")) == ("name", 3, None)

"""What ends a training run, and what it leaves then: every kind of trouble has its own clear error."""

from __future__ import annotations

import json
import math
import shutil
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch", reason="torch is not installed: pip install '.[train]'")
pytest.importorskip("accelerate", reason="accelerate is not installed: pip install '.[train]'")

from loop_rig import PLAN, Bowl, Net, batch, files, flat, interrupted_after, no_score, validate  # noqa: E402
from torch import Tensor  # noqa: E402

from training.loop import checkpoint, config  # noqa: E402
from training.loop.curves import LOG, read_log  # noqa: E402
from training.loop.loop import BEST, LAST, Plan, Share, train  # noqa: E402


@pytest.mark.parametrize("slope", [math.nan, math.inf])
def test_a_loss_that_is_not_finite_ends_a_run(tmp_path: Path, slope: float) -> None:
    def poisoned(step: int, share: Share) -> tuple[Tensor]:
        return (torch.tensor(slope if step == 7 else 1.0),)

    plan = Plan(steps=20, checkpoint_every=5)
    with pytest.raises(FloatingPointError, match=rf"the loss of step 7 is {slope} \(loss {slope}, w 0\.9") as error:
        train(Bowl(1.0), poisoned, no_score, plan, tmp_path)
    assert "kept" in str(error.value)
    assert checkpoint.read(tmp_path / LAST)[1]["progress"]["step"] == 5
    # With the data mended, it goes on.
    train(Bowl(1.0), flat, no_score, plan, tmp_path)
    assert [row["step"] for row in read_log(tmp_path)] == list(range(1, 21))


def test_a_gradient_that_is_not_finite_ends_a_run(tmp_path: Path) -> None:
    class Kink(Bowl):
        def forward(self, slope: Tensor) -> dict[str, Tensor]:
            return {"loss": (self.w - self.w.detach()).abs().sqrt()}

    with pytest.raises(FloatingPointError, match="the gradient of step 1 is"):
        train(Kink(1.0), flat, no_score, Plan(), tmp_path)


def test_a_full_disk_leaves_the_earlier_checkpoint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    interrupted_after(5, tmp_path, 0.0)
    before = files(tmp_path)[LAST]

    def fill(tensors: object, path: Path, metadata: object) -> None:
        path.write_bytes(b"half a file")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(checkpoint, "save_file", fill)
    with pytest.raises(OSError, match=r"could not write .*No space left on device.* is untouched\. Free some space"):
        train(Net(0.0), batch, validate, replace(PLAN, validate_every=100), tmp_path)
    assert files(tmp_path)[LAST] == before
    assert not list(tmp_path.glob("*.part"))


def test_a_torn_log_is_mended(tmp_path: Path) -> None:
    interrupted_after(8, tmp_path, 0.0)
    with open(tmp_path / LOG, "a") as log:
        log.write('{"step": 9, "lo')
    train(Net(0.0), batch, validate, PLAN, tmp_path)
    rows = [json.loads(line) for line in (tmp_path / LOG).read_text().splitlines()]
    assert [row["step"] for row in rows] == list(range(1, PLAN.steps + 1))


def test_what_is_no_checkpoint_is_refused(tmp_path: Path) -> None:
    interrupted_after(5, tmp_path, 0.0)
    with pytest.raises(ValueError, match=r"of another model: average\.hidden\.bias, .* and more differ"):
        train(Bowl(1.0), flat, no_score, PLAN, tmp_path)
    whole = files(tmp_path)[LAST]
    (tmp_path / LAST).write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ValueError, match="not a readable checkpoint"):
        train(Net(0.0), batch, validate, PLAN, tmp_path)
    train(Net(0.0), batch, validate, replace(PLAN, validate_every=5), tmp_path / "other")
    shutil.copy(tmp_path / "other" / BEST, tmp_path / LAST)
    with pytest.raises(ValueError, match="not a checkpoint of a run"):
        train(Net(0.0), batch, validate, PLAN, tmp_path)


def test_what_a_model_and_a_validation_must_return(tmp_path: Path) -> None:
    class Mute(Bowl):
        def forward(self, slope: Tensor) -> dict[str, Tensor]:
            return {"w": self.w}

    with pytest.raises(ValueError, match="need a 'loss' to be trained on; it returned w"):
        train(Mute(1.0), flat, no_score, Plan(), tmp_path)
    with pytest.raises(ValueError, match="needs a 'score'; it returned LVE"):
        train(Bowl(1.0), flat, lambda model: {"LVE": 1.0}, Plan(validate_every=1), tmp_path)


def test_without_accelerate_it_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "accelerate", None)
    with pytest.raises(ImportError, match=r"pip install accelerate"):
        train(Bowl(1.0), flat, no_score, Plan(steps=3), tmp_path)


@pytest.mark.parametrize("wrong", [{"steps": 0}, {"ema": 1.0}, {"precision": "fp8"}, {"checkpoint_every": 0}])
def test_a_plan_refuses_what_cannot_be(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=f"a plan's {next(iter(wrong))} is"):
        config.from_dict(Plan, wrong)

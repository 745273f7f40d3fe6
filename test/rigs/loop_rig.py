"""A small model to train, and its batches; run as a script, it is what each of several processes runs."""

from __future__ import annotations

import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from training.loop.devices import Processes
from training.loop.loop import Batch, Plan, Share, train

BATCH = 12
PLAN = Plan(steps=20, learning_rate=0.01, ema=0.9, validate_every=6, checkpoint_every=5)


@dataclass(frozen=True)
class Pairs:
    """Inputs (B, 8) by name, and targets (B, 4)."""

    heard: dict[str, Tensor]
    target: Tensor


class Net(nn.Module):
    """Everything a checkpoint has to keep: dropout, a buffer that moves, frozen, unused and tied weights."""

    steps: Tensor

    def __init__(self, dropout: float) -> None:
        super().__init__()
        torch.manual_seed(1)
        self.frozen = nn.Linear(8, 16).requires_grad_(False)
        self.hidden = nn.Linear(16, 16)
        self.out = nn.Linear(16, 4)
        self.tied = self.out
        self.unused = nn.Linear(3, 3)
        self.dropout = nn.Dropout(dropout)
        self.register_buffer("steps", torch.zeros(()))

    def forward(self, pairs: Pairs) -> dict[str, Tensor]:
        """Means over the batch."""
        self.steps += 1
        hidden = self.dropout(torch.tanh(self.hidden(self.frozen(pairs.heard["ear"]))))
        error = self.tied(hidden) - pairs.target
        return {"loss": error.square().mean(), "absolute": error.abs().mean()}


def batch(step: int, share: Share) -> tuple[Pairs]:
    """Rows of a share of the global batch, a function of the step: targets are the sums of neighbouring inputs."""
    rows = share.rows(BATCH)
    ear = torch.randn(BATCH, 8, generator=torch.Generator().manual_seed(step))[rows.start : rows.stop]
    return (Pairs({"ear": ear}, ear.unflatten(1, (4, 2)).sum(dim=2)),)


def validate(model: Net) -> dict[str, float]:
    """The loss on a batch of its own."""
    return {"score": float(model(*batch(0, Share()))["loss"])}


class Bowl(nn.Module):
    """The loss w^2 / 2, whose gradient is w."""

    def __init__(self, w: float) -> None:
        super().__init__()
        self.w = nn.Parameter(torch.tensor(w, dtype=torch.float64))

    def forward(self, slope: Tensor) -> dict[str, Tensor]:
        """A `slope` of 1 keeps the loss as it is."""
        return {"loss": slope * self.w.square() / 2, "w": self.w}


def flat(step: int, share: Share) -> tuple[Tensor]:
    """A slope of 1."""
    return (torch.tensor(1.0, dtype=torch.float64),)


def no_score(model: nn.Module) -> dict[str, float]:
    """Nothing is better than anything."""
    return {"score": 0.0}


def files(folder: Path) -> dict[str, bytes]:
    """What a run left."""
    return {path.name: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def loud(step: int, share: Share) -> tuple[Pairs]:
    """Targets so large that the gradient overflows fp16 until the loss scaler has learnt its factor."""
    (pairs,) = batch(step, share)
    return (replace(pairs, target=100 * pairs.target),)


def interrupted_after(step: int, folder: Path, dropout: float, plan: Plan = PLAN, batch: Batch = batch) -> None:
    """A run that dies while it fetches the batch after `step`."""

    def dying(now: int, share: Share) -> tuple[Any, ...]:
        if now > step:
            raise InterruptedError
        return batch(now, share)

    try:
        train(Net(dropout), dying, validate, plan, folder)
    except InterruptedError:
        return
    raise AssertionError("it lived on")


def main(begun: Path, fresh: Path) -> None:
    """Go on with a run that one process began; then train one from its begin."""
    print(Processes().share, flush=True)
    for folder in (begun, fresh):
        train(Net(0.0), batch, validate, PLAN, folder)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))

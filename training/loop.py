"""One training loop. It knows no model: it is given the loss of a step and a validation, and keeps the best weights."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

GRADIENT_NORM = 1.0
WARMUP_STEPS = 100


@dataclass(frozen=True)
class Plan:
    """How long and how fast. `patience` counts validations without improvement; the score is minimised."""

    steps: int
    learning_rate: float
    weight_decay: float
    ema: float
    validate_every: int
    patience: int


def train(
    model: nn.Module,
    losses: Callable[[int], dict[str, Tensor]],
    validate: Callable[[Any], dict[str, float]],
    plan: Plan,
    folder: Path,
) -> None:
    """Minimise ``losses(step)["loss"]``; keep the best averaged weights and a JSON line per validation.

    Args:
        model: its parameters are trained.
        losses: terms of the loss of one step, ``loss`` among them.
        validate: figures of the averaged model, ``score`` among them.
        folder: receives ``best.safetensors`` and ``log.jsonl``.
    """
    average = AveragedModel(model, multi_avg_fn=get_ema_multi_avg_fn(plan.ema), use_buffers=False)
    optimizer = torch.optim.AdamW(model.parameters(), plan.learning_rate, (0.9, 0.98), weight_decay=plan.weight_decay)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: learning_rate_factor(step, plan.steps))
    best, waited = math.inf, 0
    for step in range(1, plan.steps + 1):
        terms = losses(step)
        optimizer.zero_grad(set_to_none=True)
        terms["loss"].backward()
        nn.utils.clip_grad_norm_(model.parameters(), GRADIENT_NORM)
        optimizer.step()
        schedule.step()
        average.update_parameters(model)
        if step % plan.validate_every and step != plan.steps:
            continue
        figures = validate(average.module)
        _log(folder, {"step": step, **{k: v.item() for k, v in terms.items()}, **figures})
        waited = 0 if figures["score"] < best else waited + 1
        if figures["score"] < best:
            best = figures["score"]
            save_file({k: v.contiguous() for k, v in average.module.state_dict().items()}, folder / "best.safetensors")
        if waited > plan.patience:
            break


def learning_rate_factor(step: int, steps: int) -> float:
    """Linear warm-up, then half a cosine down to 2%."""
    warm = min(1.0, (step + 1) / WARMUP_STEPS)
    return warm * (0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * min(step / steps, 1.0))))


def _log(folder: Path, row: dict) -> None:
    line = json.dumps({k: round(v, 4) if isinstance(v, float) else v for k, v in row.items()})
    print(line, flush=True)
    with open(folder / "log.jsonl", "a", encoding="utf-8") as log:
        log.write(line + "\n")

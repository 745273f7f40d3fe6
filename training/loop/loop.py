"""The one training loop of every stage. It knows no model: it is given batches, and a validation.

One process or several (``accelerate launch``), on CPU or GPU. A step is a function of (weights, seed, step, rank)
alone, so a run that was interrupted and goes on from its checkpoint ends with the bits of one that was not, wherever
the kernels themselves repeat, which they do on CPU.
"""

from __future__ import annotations

import copy
import math
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import torch
from torch import Tensor, nn

from training.loop import checkpoint
from training.loop.checkpoint import Progress
from training.loop.curves import Curves, shown
from training.loop.devices import PRECISIONS, Processes, Share, autocast_dtype, placed

__all__ = ["Plan", "Share", "learning_rate_factor", "train"]

GRADIENT_NORM = 1.0
WARMUP_STEPS = 100
BETAS = (0.9, 0.98)
BEST, LAST = "best.safetensors", "last.safetensors"

Model = TypeVar("Model", bound=nn.Module)
Batch = Callable[[int, Share], tuple[Any, ...]]


@dataclass(frozen=True)
class Plan:
    """How a model is trained, whatever it is.

    Attributes:
        steps: at most so many.
        learning_rate: its peak; see `learning_rate_factor`.
        weight_decay: of AdamW.
        encoder_rate: learning rate of the parameters of `encoder`, as a share of the others'.
        ema: decay per step of the averaged weights, which are the ones validated and kept; 0 averages nothing.
        validate_every: steps between validations; the last step is always validated.
        patience: validations without a lower score that are endured; the next one ends the run.
        checkpoint_every: steps between checkpoints; the last step always leaves one.
        precision: of the matrix products: `fp32`, `bf16`, `fp16` (with loss scaling), or `auto`, which is fp32 on a
            CPU, and on a GPU bf16, or fp16 where it has no bf16.
    """

    steps: int = 900
    learning_rate: float = 1e-3
    weight_decay: float = 0.05
    encoder_rate: float = 1.0
    ema: float = 0.995
    validate_every: int = 100
    patience: int = 6
    checkpoint_every: int = 100
    precision: str = "auto"

    def __post_init__(self) -> None:
        for name in ("steps", "validate_every", "checkpoint_every"):
            if getattr(self, name) < 1:
                raise ValueError(f"a plan's {name} is at least 1, not {getattr(self, name)}")
        if not 0 <= self.ema < 1:
            raise ValueError(f"a plan's ema is at least 0 and below 1, not {self.ema}")
        if self.precision not in ("auto", *PRECISIONS):
            raise ValueError(f"a plan's precision is auto, {', '.join(PRECISIONS)}, not {self.precision!r}")


def train(
    model: Model,
    batch: Batch,
    validate: Callable[[Model], dict[str, float]],
    plan: Plan,
    folder: Path,
    seed: int = 0,
    resume: bool = True,
) -> None:
    """Minimise ``model(*batch(step, share))["loss"]`` over the parameters that require a gradient.

    Leaves in `folder`: ``best.safetensors``, the averaged model of the lowest score; ``last.safetensors``, the
    checkpoint; ``log.jsonl``, a line a step; ``tensorboard/``. A run that has ended does nothing more.

    Args:
        model: its forward returns a dict of scalar terms, ``loss`` among them, each a mean over the rows of the batch,
            so that the mean over processes is the term of the whole batch. A frozen part that shall stay in eval mode
            (without dropout) has to override `train`.
        batch: inputs of global step `step`, from 1, for the rows of a share; a pure function. Tensors, or (nested)
            dataclasses, dicts and tuples of them; they are moved to the device here.
        validate: figures of the averaged model, ``score`` among them, which shall fall. Called in the main process
            only, with the model in eval mode and without gradients.
        seed: with step and rank, of what the model itself draws (dropout).
        resume: go on from the checkpoint in `folder`, if there is one; else begin anew.

    Raises:
        FloatingPointError: the loss or its gradient is not finite; the checkpoint stays.
        OSError: the disk is full; the checkpoint stays.
        ValueError: the checkpoint is of another model; or ``loss`` or ``score`` is missing.
    """
    folder.mkdir(parents=True, exist_ok=True)
    processes = Processes()
    run = _Run(model, plan, processes, seed)
    at = run.restore(folder / LAST) if resume else Progress()
    ended = _ended(at, plan)
    if ended and processes.main:
        print(f"{folder}: {ended}; nothing to do", flush=True)
    if ended:
        return
    with Curves(folder, at.step, processes.main) as curves:
        if at.step:
            curves.say(f"{folder}: going on after step {at.step}")
        for step in curves.steps(range(at.step + 1, plan.steps + 1), plan.steps):
            figures = run.step(step, batch, at)
            at = replace(at, step=step, scaler=run.scaler.state_dict())
            if step % plan.validate_every == 0 or step == plan.steps:
                at, found = run.validated(at, validate, folder)
                curves.say(f"step {step}: loss {figures['loss']:.4g}; {shown(found)}{' *' * (at.waited == 0)}")
                figures |= found
            curves.add(step, figures)
            ended = _ended(at, plan)
            if processes.main and (ended or step % plan.checkpoint_every == 0):
                run.save(folder / LAST, at)
            if ended:
                curves.say(f"{folder}: {ended}")
                break


def learning_rate_factor(step: int, steps: int) -> float:
    """Linear warm-up, then half a cosine down to 2%; `step` counts from 0."""
    warm = min(1.0, (step + 1) / WARMUP_STEPS)
    return warm * (0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * min(step / steps, 1.0))))


def _ended(at: Progress, plan: Plan) -> str:
    """Why a run is over; empty if it is not."""
    if at.waited > plan.patience:
        return f"ended at step {at.step}: no lower score than {at.best:.4g}, of step {at.best_step}"
    return f"ended after all {at.step} steps" if at.step >= plan.steps else ""


class _Run:
    """All that changes while a model is trained."""

    def __init__(self, model: nn.Module, plan: Plan, processes: Processes, seed: int) -> None:
        self.plan, self.processes, self.seed = plan, processes, seed
        self.model = model.to(processes.device).train()
        frozen = {id(p): p for p in model.parameters() if not p.requires_grad}
        # Frozen parameters are the model's own, not copies: they may be a whole pretrained network.
        self.average = copy.deepcopy(model, frozen).requires_grad_(False)
        self.parameters: list[Tensor] = [p for p in model.parameters() if p.requires_grad]
        self.averages: list[Tensor] = list(checkpoint.trainable(model, self.average).values())
        named = [(name.startswith("encoder."), p) for name, p in model.named_parameters() if p.requires_grad]
        shares = ((False, 1.0), (True, plan.encoder_rate))
        groups = [{"params": [p for of, p in named if of is encoder], "share": s} for encoder, s in shares]
        self.optimizer = torch.optim.AdamW(
            [g for g in groups if g["params"]], plan.learning_rate, BETAS, weight_decay=plan.weight_decay, fused=True
        )
        dtype = autocast_dtype(plan.precision, processes.device)
        self.scaler = torch.amp.GradScaler(processes.device.type, enabled=dtype == torch.float16)
        self.parallel = processes.parallel(self.model, dtype)

    def step(self, step: int, batch: Batch, at: Progress) -> dict[str, float]:
        """Train on one batch; its terms, learning rate, gradient norm and seconds."""
        begin = time.perf_counter()
        rate = self.plan.learning_rate * learning_rate_factor(step - 1, self.plan.steps)
        for group in self.optimizer.param_groups:
            group["lr"] = rate * group["share"]
        torch.manual_seed(_step_seed(self.seed, step, self.processes.share.rank))
        terms = self.parallel(*placed(batch(step, self.processes.share), self.processes.device))
        means = self.processes.mean(torch.stack([term.detach() for term in terms.values()])).tolist()
        found = dict(zip(terms, means))
        self._require_finite("loss", found["loss"], step, found, at)
        norm = self._descend(terms["loss"])
        # Too large a gradient is fp16's daily bread: the scaler leaves such a step out and halves its factor.
        if not self.scaler.is_enabled():
            self._require_finite("gradient", norm, step, found, at)
        self._average(step)
        return {**found, "learning_rate": rate, "gradient_norm": norm, "seconds": time.perf_counter() - begin}

    def _descend(self, loss: Tensor) -> float:
        """One step of the optimiser; the norm of the gradient before it was clipped."""
        self.optimizer.zero_grad(set_to_none=True)
        self.scaler.scale(loss).backward()
        self.scaler.unscale_(self.optimizer)
        norm = nn.utils.clip_grad_norm_(self.parameters, GRADIENT_NORM).item()
        if math.isfinite(norm) or self.scaler.is_enabled():
            self.scaler.step(self.optimizer)
        self.scaler.update()
        return norm

    def _require_finite(self, what: str, value: float, step: int, terms: dict[str, float], at: Progress) -> None:
        if not math.isfinite(value):
            raise FloatingPointError(
                f"the {what} of step {step} is {value} ({shown(terms)}). Checkpoints up to step {at.step} are kept; "
                f"look for values that are not finite in the data, or lower the learning rate"
            )

    @torch.no_grad()
    def _average(self, step: int) -> None:
        """The first step's weights, then e <- ema e + (1 - ema) w."""
        torch._foreach_lerp_(self.averages, self.parameters, 1.0 if step == 1 else 1 - self.plan.ema)

    @torch.no_grad()
    def validated(
        self, at: Progress, validate: Callable[[Any], dict[str, float]], folder: Path
    ) -> tuple[Progress, dict[str, float]]:
        """Progress after a validation, and its figures, which only the main process has."""
        figures: dict[str, float] = {}
        if self.processes.main:
            for mine, theirs in zip(self.average.buffers(), self.model.buffers(), strict=True):
                mine.copy_(theirs)
            figures = validate(self.average.eval())
            if "score" not in figures:
                raise ValueError(f"a validation needs a 'score'; it returned {', '.join(figures)}")
        score = self.processes.from_main(figures.get("score", math.nan))
        # NaN is no better than anything.
        if not (score < (math.inf if at.best is None else at.best)):
            return replace(at, waited=at.waited + 1), figures
        if self.processes.main:
            checkpoint.write(folder / BEST, self.average.state_dict(), {"step": at.step, "score": score})
        return replace(at, best=score, best_step=at.step, waited=0), figures

    def save(self, path: Path, at: Progress) -> None:
        """Write the checkpoint."""
        checkpoint.save(path, self.model, self.average, self.optimizer, at)

    def restore(self, path: Path) -> Progress:
        """Read the checkpoint, if there is one."""
        at = Progress()
        if path.exists():
            at = checkpoint.restore(path, self.model, self.average, self.optimizer)
        if self.scaler.is_enabled() and at.scaler:
            self.scaler.load_state_dict(at.scaler)
        if self.processes.from_main(at.step) != at.step:
            raise ValueError(f"{path} is not the same file for all processes; put it where all of them see it")
        return at


def _step_seed(seed: int, step: int, rank: int) -> int:
    return int(np.random.SeedSequence((seed, step, rank)).generate_state(1, np.uint64)[0])

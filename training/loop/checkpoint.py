"""A checkpoint is one safetensors file: all tensors of a training run, and its scalars as JSON in the metadata.

One file cannot disagree with itself, and it takes its name only once it is whole: whatever interrupts a run leaves
either the earlier checkpoint or the new one.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

SCALARS = "scalars"


@dataclass(frozen=True)
class Progress:
    """How far a run has come.

    Attributes:
        step: steps done.
        best: lowest score of all validations; None before the first.
        best_step: its step.
        waited: validations since then.
        scaler: state of the fp16 loss scaler; empty in other precisions.
    """

    step: int = 0
    best: float | None = None
    best_step: int = 0
    waited: int = 0
    scaler: dict[str, Any] = field(default_factory=dict)


def write(path: Path, tensors: Mapping[str, Tensor], scalars: Mapping[str, Any]) -> None:
    """Replace `path` in one instant.

    Raises:
        OSError: it could not be written; the file that was there before still is.
    """
    # A copy each: safetensors refuses tensors that share their memory, as tied weights do.
    copies = {name: t.detach().to("cpu", copy=True).contiguous() for name, t in tensors.items()}
    beside = path.with_name(path.name + ".part")
    try:
        # One key: several come in another order each time, and equal runs should leave equal files.
        save_file(copies, beside, {SCALARS: json.dumps(scalars)})
        _settle(beside)
        os.replace(beside, path)
    except (OSError, SafetensorError) as error:
        beside.unlink(missing_ok=True)
        kept = "the earlier one is untouched" if path.exists() else "there is no earlier one"
        raise OSError(f"could not write {path} ({error}); {kept}. Free some space and start the run again") from error


def _settle(path: Path) -> None:
    """Wait until the contents are on the disk, so that a power cut cannot leave a name without them."""
    with open(path, "rb") as file:
        os.fsync(file.fileno())


def read(path: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Tensors and scalars of a file that `write` made.

    Raises:
        ValueError: it is not such a file.
    """
    try:
        with safe_open(path, "pt") as file:
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  (not a dict)
            scalars = json.loads((file.metadata() or {}).get(SCALARS, "{}"))
    except (SafetensorError, json.JSONDecodeError) as error:
        raise ValueError(f"{path} is not a readable checkpoint ({error}); remove it to begin anew") from error
    return tensors, scalars


def save(path: Path, model: nn.Module, average: nn.Module, optimizer: torch.optim.Optimizer, at: Progress) -> None:
    """Write all that `restore` needs to go on as if nothing had happened."""
    tensors = {f"model.{name}": t for name, t in model.state_dict().items()}
    tensors |= {f"average.{name}": t for name, t in trainable(model, average).items()}
    for index, moments in optimizer.state_dict()["state"].items():
        tensors |= {f"optimizer.{index}.{name}": t for name, t in moments.items()}
    write(path, tensors, {"progress": asdict(at)})


def restore(path: Path, model: nn.Module, average: nn.Module, optimizer: torch.optim.Optimizer) -> Progress:
    """Put a run back to where it was saved.

    Raises:
        ValueError: the file is not a checkpoint, or not one of this model.
    """
    tensors, scalars = read(path)
    if "progress" not in scalars:
        raise ValueError(f"{path} is not a checkpoint of a run; remove it to begin anew")
    _check(path, tensors, model)
    model.load_state_dict(_under("model.", tensors))
    with torch.no_grad():
        for name, parameter in trainable(model, average).items():
            parameter.copy_(tensors[f"average.{name}"])
    moments: dict[int, dict[str, Tensor]] = {}
    for name, tensor in _under("optimizer.", tensors).items():
        index, _, moment = name.partition(".")
        moments.setdefault(int(index), {})[moment] = tensor
    optimizer.load_state_dict({"state": moments, "param_groups": optimizer.state_dict()["param_groups"]})
    return Progress(**scalars["progress"])


def trainable(model: nn.Module, of: nn.Module) -> dict[str, nn.Parameter]:
    """Those parameters of `of`, a copy of `model`, that are trained in `model`."""
    theirs = dict(of.named_parameters())
    return {name: theirs[name] for name, p in model.named_parameters() if p.requires_grad}


def _under(prefix: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): t for name, t in tensors.items() if name.startswith(prefix)}


def _check(path: Path, tensors: Mapping[str, Tensor], model: nn.Module) -> None:
    wanted = {f"model.{name}": t.shape for name, t in model.state_dict().items()}
    wanted |= {f"average.{name}": p.shape for name, p in trainable(model, model).items()}
    found = {name: t.shape for name, t in tensors.items() if not name.startswith("optimizer.")}
    differ = sorted(name for name in {*wanted, *found} if wanted.get(name) != found.get(name))
    if differ:
        names = ", ".join(differ[:5]) + (" and more" if len(differ) > 5 else "")
        raise ValueError(f"{path} is of another model: {names} differ; remove it, or take the configuration it is of")

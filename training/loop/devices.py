"""Where a step is computed: processes and devices through Hugging Face accelerate, and the precision."""

from __future__ import annotations

import atexit
import dataclasses
import os
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import torch
from torch import Tensor, nn

PRECISIONS = {"fp32": None, "bf16": torch.bfloat16, "fp16": torch.float16}
"""What the matrix products of a step are computed in. Weights, their averages and the optimiser stay fp32."""

WAIT = timedelta(hours=2)
"""How long the others wait for the main process, which validates alone."""


@dataclasses.dataclass(frozen=True)
class Share:
    """Which part of each global batch this process computes: the `rank`-th of `of` equal parts."""

    rank: int = 0
    of: int = 1

    def rows(self, batch: int) -> range:
        """Rows of a global batch of `batch` rows.

        Raises:
            ValueError: the processes cannot share it evenly.
        """
        if batch % self.of:
            raise ValueError(f"a batch of {batch} cannot be shared evenly by {self.of} processes; take a multiple")
        part = batch // self.of
        return range(self.rank * part, (self.rank + 1) * part)


class Forward(nn.Module):
    """A model's forward as processes share it: in mixed precision, and with gradients of the loss alone."""

    def __init__(self, model: nn.Module, device: torch.device, dtype: torch.dtype | None) -> None:
        super().__init__()
        self.model = model
        self.device, self.dtype = device, dtype

    def forward(self, *inputs: Any) -> dict[str, Tensor]:
        """The model's terms in fp32; all but ``loss`` are for the log.

        Raises:
            ValueError: there is no ``loss``.
        """
        with torch.autocast(self.device.type, self.dtype, enabled=self.dtype is not None):
            terms = self.model(*inputs)
        if "loss" not in terms:
            raise ValueError(f"a model's terms need a 'loss' to be trained on; it returned {', '.join(terms)}")
        return {name: (term if name == "loss" else term.detach()).float() for name, term in terms.items()}


class Processes:
    """The processes that train together; one alone is the common case.

    Attributes:
        share: what part of a batch is computed here.
        device: where.
        main: whether this process validates and writes.
    """

    def __init__(self) -> None:
        try:
            from accelerate import Accelerator, DistributedDataParallelKwargs, InitProcessGroupKwargs
        except ImportError as error:
            raise ImportError("training needs accelerate: pip install accelerate") from error

        # Label dropout and frozen parts leave parameters without a gradient in some steps.
        settings = [DistributedDataParallelKwargs(find_unused_parameters=True), InitProcessGroupKwargs(timeout=WAIT)]
        # Not told that there is but a CPU, accelerate takes each of several CPU processes for one that is alone. How
        # precise a step is, our own plan says.
        only_cpu = not torch.accelerator.is_available()
        self._accelerator = Accelerator(cpu=only_cpu, mixed_precision="no", kwargs_handlers=settings)
        self.share = Share(self._accelerator.process_index, self._accelerator.num_processes)
        if self.share.of != int(os.environ.get("WORLD_SIZE", 1)):
            raise RuntimeError(f"of {os.environ['WORLD_SIZE']} processes accelerate found {self.share.of}")
        # Torch wants groups to be ended; what is left to the interpreter's exit may end in an abort.
        atexit.register(self._accelerator.state.destroy_process_group)
        self.device: torch.device = self._accelerator.device
        self.main: bool = self._accelerator.is_main_process

    def parallel(self, model: nn.Module, dtype: torch.dtype | None) -> nn.Module:
        """`model` computing in `dtype` (see `autocast_dtype`), with gradients that are the mean over all processes."""
        return self._accelerator.prepare(Forward(model, self.device, dtype))

    def mean(self, values: Tensor) -> Tensor:
        """The mean over all processes; each needs as many values."""
        return self._accelerator.reduce(values, "mean")

    def from_main(self, value: float) -> float:
        """The main process's value, everywhere."""
        if self.share.of == 1:
            return value
        from accelerate.utils import broadcast

        return broadcast(torch.tensor([value], dtype=torch.float64, device=self.device)).item()


def placed(value: Any, device: torch.device) -> Any:
    """`value` with its tensors on `device`: a tensor, or dataclasses, mappings, lists and tuples of what this takes."""
    if isinstance(value, Tensor):
        return value.to(device, non_blocking=True)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        names = [f.name for f in dataclasses.fields(value) if f.init]
        return dataclasses.replace(value, **{name: placed(getattr(value, name), device) for name in names})
    if isinstance(value, Mapping):
        return {key: placed(item, device) for key, item in value.items()}
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return type(value)(*(placed(item, device) for item in value))
    if isinstance(value, (list, tuple)):
        return type(value)(placed(item, device) for item in value)
    return value


def autocast_dtype(precision: str, device: torch.device) -> torch.dtype | None:
    """What `torch.autocast` computes in; None stands for fp32. `auto` halves the precision on CUDA only."""
    if precision != "auto":
        return PRECISIONS[precision]
    if device.type != "cuda":
        return None
    return torch.bfloat16 if torch.cuda.is_bf16_supported(including_emulation=False) else torch.float16

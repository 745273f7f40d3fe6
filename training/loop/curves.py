"""What a run leaves to look at: a JSON line a step, TensorBoard curves, and a printed line per validation."""

from __future__ import annotations

import json
import math
import os
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from tqdm import tqdm

LOG = "log.jsonl"
DIGITS = 6


class Curves:
    """The log of one run. Steps of an earlier attempt beyond the checkpoint are forgotten: they are run again.

    Args:
        folder: receives ``log.jsonl`` and ``tensorboard/``.
        step: the step of the checkpoint that the run goes on from; 0 at its begin.
        main: whether this process writes; the others are silent.
    """

    def __init__(self, folder: Path, step: int, main: bool) -> None:
        self.main = main
        if not main:
            return
        _cut(folder / LOG, step)
        self._log = open(folder / LOG, "a", encoding="utf-8", buffering=1)  # noqa: SIM115  (closed by `close`)
        self._board = _tensorboard(folder / "tensorboard", step)

    def __enter__(self) -> Curves:
        return self

    def __exit__(self, *error: object) -> None:
        if self.main:
            self._log.close()
            if self._board is not None:
                self._board.close()

    def steps(self, steps: range, total: int) -> Iterator[int]:
        """`steps`, with a progress bar where someone is watching."""
        shown = self.main and sys.stderr.isatty()
        yield from tqdm(steps, "training", total, initial=steps.start - 1, unit="step", disable=not shown)

    def add(self, step: int, figures: Mapping[str, float]) -> None:
        """Keep the figures of a step; what is not finite becomes null."""
        if not self.main:
            return
        rounded = {name: _rounded(value) for name, value in figures.items()}
        self._log.write(json.dumps({"step": step, **rounded}, allow_nan=False) + "\n")
        if self._board is not None:
            for name, value in figures.items():
                self._board.add_scalar(name, value, step)

    def say(self, line: str) -> None:
        """Print a line without tearing the progress bar."""
        if self.main:
            tqdm.write(line)
            sys.stdout.flush()


def read_log(folder: Path) -> list[dict[str, Any]]:
    """A run's steps, in order; a last line that was interrupted is left out."""
    path = folder / LOG
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    return list(_whole(lines))


def shown(figures: Mapping[str, float]) -> str:
    """Figures for people."""
    return ", ".join(f"{name} {value:.4g}" for name, value in figures.items())


def _rounded(value: float) -> float | None:
    if isinstance(value, int):
        return value
    return float(f"{value:.{DIGITS}g}") if math.isfinite(value) else None


def _whole(lines: Iterable[str]) -> Iterator[dict[str, Any]]:
    for line in lines:
        try:
            yield json.loads(line)
        except json.JSONDecodeError:
            return


def _cut(path: Path, step: int) -> None:
    """Keep the log's lines up to `step`."""
    kept = [row for row in read_log(path.parent) if row["step"] <= step]
    beside = path.with_name(path.name + ".part")
    beside.write_text("".join(json.dumps(row) + "\n" for row in kept), encoding="utf-8")
    os.replace(beside, path)


def _tensorboard(folder: Path, step: int) -> Any:
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError:
        print("no TensorBoard curves: tensorboard is not installed (pip install tensorboard)", flush=True)
        return None
    return SummaryWriter(folder, purge_step=step + 1)

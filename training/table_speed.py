"""How many frames a second one CPU core makes: networks of training in torch, and model files in ONNX Runtime."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial

import numpy as np
import torch
from torch import Tensor

from dtalker_model.cli.machine import one_thread_environment
from dtalker_model.cli.measurement import clip
from dtalker_model.rates import FRAME_RATE_HZ
from training.predictors_trained import Network, Trained, hearing_of

SECONDS = 10.0
"""Length of the speech: one chunk, one voice."""

RUNS = 7


def torch_frames_per_second(models: Mapping[str, Trained], runs: int = RUNS) -> dict[str, float]:
    """Frames a second of each, in fp32 on one thread; the median of `runs`.

    What is timed is `speak`: audio encoder once, integrator, and the decoder at each step; log-mel is made before. The
    models take turns, so that whatever else the machine does meets all of them alike.
    """
    jobs = {name: _job(model.network, model.steps) for name, model in models.items()}
    spent_s: dict[str, list[float]] = {name: [] for name in jobs}
    with one_thread():
        for _ in range(runs + 1):
            for name, job in jobs.items():
                begun_s = time.perf_counter()
                job()
                spent_s[name].append(time.perf_counter() - begun_s)
    return {name: SECONDS * FRAME_RATE_HZ / statistics.median(spent[1:]) for name, spent in spent_s.items()}


def _job(network: Network, steps: int) -> Callable[[], Tensor]:
    """Speak the demo clip as `default`, neutral."""
    heard = torch.from_numpy(hearing_of(network)(clip(SECONDS)).astype(np.float32))[None]
    T = heard.shape[1]
    identity, emotion = (x.detach().expand(1, T, -1) for x in (network.library.identity[0], network.library.neutral))
    noise = torch.randn(1, T, 52, generator=torch.Generator().manual_seed(0))
    return partial(network.speak, heard, identity, emotion, noise, steps)


@contextmanager
def one_thread() -> Iterator[None]:
    """Torch computes on one thread inside."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def onnx_frames_per_second(model: str, counts: Sequence[int]) -> list[float]:
    """Of a model file with each number of steps, as ``dtalker bench`` does it: features and output stage included."""
    if not counts:
        return []
    command = [sys.executable, "-m", "dtalker_model.cli.measurement", "speed", model, str(SECONDS)]
    result = subprocess.run(command, capture_output=True, text=True, check=False, env=one_thread_environment())
    if result.returncode != 0:
        raise ValueError(f"the speed of {model} could not be measured: {result.stderr.strip().splitlines()[-1:]}")
    measured = json.loads(result.stdout.splitlines()[-1])
    return [float(measured[f"fps_offline_1core@{n}"]) for n in counts]

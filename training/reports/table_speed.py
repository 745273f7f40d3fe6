"""How many frames a second one CPU core makes: networks of training, and model files with all that surrounds them."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from dtalker_model.cli.machine import one_thread_environment
from dtalker_model.cli.measurement import clip
from dtalker_model.rates import FRAME_RATE_HZ
from dtalker_model.speaking.runtime import open_session
from training.predictors.trained import Network, Trained, hearing_of
from training.release.export import OPSET

SECONDS = 10.0
"""Length of the speech: one chunk, one voice."""

RUNS = 21


def frames_per_second(models: Mapping[str, Trained], runs: int = RUNS) -> dict[str, dict[str, float]]:
    """Frames a second of each in ONNX Runtime, `fps`, and in torch, `torch_fps`: fp32, one thread, median of `runs`.

    What is timed is `speak` in a voice that stays the same: audio encoder and integrator once, the decoder at each
    step; log-mel is made before. The models take turns, so that whatever else the machine does meets all of them alike.
    In torch, calling small operations frame by frame costs more than computing them.
    """
    speaking = {name: Speaking(model.network, model.steps) for name, model in models.items()}
    with one_thread(), tempfile.TemporaryDirectory() as folder:
        graphs = {name: _onnx_job(each, Path(folder) / "speaking.onnx") for name, each in speaking.items()}
        in_torch = {name: partial(each, *each.inputs) for name, each in speaking.items()}
        found = {"fps": _timed(graphs, runs), "torch_fps": _timed(in_torch, runs)}
    return {name: {engine: fps[name] for engine, fps in found.items()} for name in models}


def _timed(jobs: Mapping[str, Callable[[], object]], runs: int) -> dict[str, float]:
    spent_s: dict[str, list[float]] = {name: [] for name in jobs}
    for _ in range(runs + 1):
        for name, job in jobs.items():
            begun_s = time.perf_counter()
            job()
            spent_s[name].append(time.perf_counter() - begun_s)
    return {name: SECONDS * FRAME_RATE_HZ / statistics.median(spent[1:]) for name, spent in spent_s.items()}


class Speaking(nn.Module):
    """A network that speaks the demo clip as `default`, neutral."""

    def __init__(self, network: Network, steps: int) -> None:
        super().__init__()
        self.network, self.steps = network, steps
        heard = torch.from_numpy(hearing_of(network)(clip(SECONDS)).astype(np.float32))[None]
        voice = (x.detach()[None, None] for x in (network.library.identity[0], network.library.neutral))
        self.inputs = (heard, *voice, torch.randn(1, heard.shape[1], 52, generator=torch.Generator().manual_seed(0)))
        self.eval()  # the whole module: the exporter gives all parts the mode that the whole was in

    def forward(self, heard: Tensor, identity: Tensor, emotion: Tensor, noise: Tensor) -> Tensor:
        """Weights (1, T, 52)."""
        return self.network.speak(heard, identity, emotion, noise, self.steps)


def _onnx_job(speaking: Speaking, path: Path) -> Callable[[], object]:
    names = ("heard", "identity", "emotion", "noise")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # as in `training.release.export`
        torch.onnx.export(speaking, speaking.inputs, str(path), input_names=names, opset_version=OPSET, dynamo=False)
    session = open_session(path)
    known = {x.name for x in session.get_inputs()}  # a regression network hears no noise
    feed = {name: x.numpy() for name, x in zip(names, speaking.inputs) if name in known}
    return partial(session.run, None, feed)


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

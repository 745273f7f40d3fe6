"""Export to ONNX, with a parity check that refuses to write a wrong file."""

from __future__ import annotations

import shutil
import tempfile
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from dtalker_model.card import ModelCard, listener_path, sha256_of, write_card
from dtalker_model.networks.listener_network import INPUTS, OUTPUTS, ListenerNetwork
from dtalker_model.networks.network import Student
from dtalker_model.speaking.runtime import DECODER, NEW_STATE_PREFIX, STATE_PREFIX, Graph, for_steps
from training.networks.student_graph import StudentGraph
from training.release.half_weights import halve, rounded

OPSET = 17
TOLERANCE = 1e-4
PARITY_FRAMES = 1000
PARITY_CHUNK = 37
PACE, MOST_PACE = "pace", 0.2
"""The listener's second input: 20 ms over a time constant of 0.1 s at least."""
PARITY_BATCHES = (1, 16)
VOICE = ("identity", "emotion", "articulation")
"""Inputs that may have one row for all frames: axes of their own. Of the last one the first row is heard."""
OFFLINE_FRAMES = 100
"""In place of both where the encoder needs the whole clip: its memory grows with the clip, and chunks do not join."""


class ExportError(RuntimeError):
    """The exported graph does not compute what torch computes; nothing was written."""


class _Flat(nn.Module):
    """A network with its state as positional tensors, as the exporter wants it."""

    def __init__(self, network: StudentGraph | ListenerNetwork, state_names: Sequence[str]) -> None:
        super().__init__()
        self.network, self.state_names = network, state_names

    def forward(self, *tensors: Tensor) -> tuple[Tensor, ...]:
        split = len(tensors) - len(self.state_names)
        *outputs, state = self.network(*tensors[:split], dict(zip(self.state_names, tensors[split:])))
        return (*outputs, *(state[name] for name in self.state_names))


def write_graph(
    network: Student | ListenerNetwork, inputs: Mapping[str, int], outputs: Sequence[str], path: Path
) -> None:
    """Export a network, compare it with torch over 1000 frames in chunks, and only then write `path`.

    Batches of 1 and 16 are compared; of a student, every number of steps that it offers.

    Args:
        inputs: name and last dimension of each (B, T, D) input, in the order of the network's forward.
        outputs: names of its (B, T, D) outputs.

    Raises:
        ExportError: torch and ONNX Runtime differ by more than 1e-4.
    """
    rounded(network.eval())
    counts = network.config.step_counts if isinstance(network, Student) else (0,)
    with tempfile.TemporaryDirectory() as folder:
        draft = Path(folder) / path.name
        _export(StudentGraph(network) if isinstance(network, Student) else network, inputs, outputs, draft)
        halve(draft)
        difference = max(parity(network, draft, inputs, batch, n) for batch in PARITY_BATCHES for n in counts)
        if not difference <= TOLERANCE:
            raise ExportError(
                f"{path.name}: ONNX differs from torch by {difference:g}, more than {TOLERANCE:g}: not written"
            )
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(draft, path)


def _export(
    network: StudentGraph | ListenerNetwork, inputs: Mapping[str, int], outputs: Sequence[str], path: Path
) -> None:
    state = network.initial_state(1)
    example = (*(torch.zeros(1, 5, dim) for dim in inputs.values()), *state.values())
    ins = [*inputs, *(STATE_PREFIX + name for name in state)]
    outs = [*outputs, *(NEW_STATE_PREFIX + name for name in state)]
    axes: dict[str, dict[int, str]] = {name: {0: "B"} for name in (*ins, *outs)}
    axes |= {name: {0: "B", 1: f"T_{name}" if name in VOICE else "T"} for name in (*inputs, *outputs)}
    axes |= {prefix + DECODER: {0: "B", 1: "steps"} for prefix in (STATE_PREFIX, NEW_STATE_PREFIX) if DECODER in state}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the TorchScript exporter is deprecated, but the only one without onnxscript
        traced = torch.jit.trace(_Flat(network, list(state)).eval(), example, check_trace=False)
        torch.onnx.export(
            traced, example, str(path), input_names=ins, output_names=outs,
            dynamic_axes=axes, opset_version=OPSET, dynamo=False,
        )  # fmt: skip


@torch.no_grad()
def parity(
    network: Student | ListenerNetwork, path: Path, inputs: Mapping[str, int], batch: int, steps: int = 0
) -> float:
    """Largest difference between torch in one call and the graph in chunks, for random input.

    `steps` is a student's number of denoising steps; 0 for a network that has none.
    """
    offline = isinstance(network, Student) and not network.encoder.initial_state(1)
    frames, chunk = (OFFLINE_FRAMES, OFFLINE_FRAMES) if offline else (PARITY_FRAMES, PARITY_CHUNK)
    draw = np.random.default_rng(0)
    arrays = {name: draw.standard_normal((batch, frames, dim), np.float32) for name, dim in inputs.items()}
    if PACE in arrays:  # a duration over a time constant, never negative
        arrays[PACE] = draw.uniform(0, MOST_PACE, arrays[PACE].shape).astype(np.float32)
    if "articulation" in arrays:
        arrays["articulation"] = draw.uniform(0.5, 2, (batch, 1, 1)).astype(np.float32)
    count = (steps,) if steps else ()
    *expected, _ = network(*(torch.from_numpy(a) for a in arrays.values()), network.initial_state(batch), *count)
    graph = Graph(path, dict(inputs))
    state, parts = graph.initial_state(batch), []
    if steps:
        state = for_steps(state, steps)
    for begin in range(0, frames, chunk):
        now = {n: a if a.shape[1] == 1 else a[:, begin : begin + chunk] for n, a in arrays.items()}
        results, state = graph.run(now, state)
        parts.append(results)
    streamed = [np.concatenate(column, axis=1) for column in zip(*parts)]
    return max(float(np.abs(a.numpy() - b).max()) for a, b in zip(expected, streamed))


def student_inputs(student: Student) -> dict[str, int]:
    """Names and sizes of a student's inputs."""
    c = student.config
    voice = {"identity": c.embedding_dim, "emotion": c.embedding_dim, "articulation": 1}
    return {"features": c.feature_dim, "noise": c.motion_dim, **voice}


def write_model(student: Student, listener: ListenerNetwork | None, card: ModelCard, path: Path) -> None:
    """Write ``NAME.onnx``, ``NAME.listener.onnx`` where there is a listener, and the card.

    The card's digests, parameters and numbers of steps are those of the networks.
    """
    write_graph(student, student_inputs(student), ["weights"], path)
    parameters = sum(p.numel() for p in student.parameters())
    steps, step_counts = student.config.default_steps, student.config.step_counts
    card = replace(card, sha256=sha256_of(path), steps=steps, step_counts=step_counts, articulates=True)
    if listener is not None:
        write_graph(
            listener,
            INPUTS,
            OUTPUTS,
            listener_path(path),
        )
        card = replace(card, listener_sha256=sha256_of(listener_path(path)))
        parameters += sum(p.numel() for p in listener.parameters())
    write_card(replace(card, parameters=parameters), path)

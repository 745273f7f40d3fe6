"""The step of a student in ONNX Runtime: features and noise in, blendshapes out, state in the signature."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Protocol

import numpy as np

from dtalker_model.errors import ModelError

State = dict[str, np.ndarray]
"""Named arrays with the batch axis first. Their names are those of the graph's ``state_`` inputs."""

STATE_PREFIX, NEW_STATE_PREFIX = "state_", "new_"


class Step(Protocol):
    """One call of a student. `dtalker_model.torch_step` has the same in torch."""

    def initial_state(self, batch: int = 1) -> State:
        """Zeros for `batch` fresh streams."""

    def __call__(
        self, features: np.ndarray, noise: np.ndarray, identity: np.ndarray, emotion: np.ndarray, state: State
    ) -> tuple[np.ndarray, State]:
        """features (B, T, 128), noise (B, T, 52), identity, emotion (B, T, D), float32 -> weights (B, T, 52), state."""


class Graph:
    """An ONNX graph that carries its state through inputs ``state_*`` and outputs ``new_*``."""

    def __init__(self, path: Path, inputs: dict[str, int], threads: int = 1) -> None:
        """Load a graph and check that its inputs are those of `inputs` (name to last dimension) and state.

        Raises:
            ModelError: the file is no graph, or not one of this kind.
        """
        self.path = path
        self._session = _session(path, threads)
        declared = {i.name: i.shape for i in self._session.get_inputs()}
        self._state_shapes = {n: s for n, s in declared.items() if n.startswith(STATE_PREFIX)}
        received = {n: s[-1] for n, s in declared.items() if n not in self._state_shapes}
        if received != inputs:
            raise ModelError(f"{path.name} takes {received}, expected {inputs}: it is not a dtalker model of this kind")
        names = [o.name for o in self._session.get_outputs()]
        self._outputs = [n for n in names if not n.startswith(NEW_STATE_PREFIX)]
        self._states = [n.removeprefix(NEW_STATE_PREFIX) for n in names if n.startswith(NEW_STATE_PREFIX)]
        self._fetch = self._outputs + [NEW_STATE_PREFIX + n for n in self._states]

    def initial_state(self, batch: int = 1) -> State:
        """Zeros for `batch` fresh streams."""
        return {
            n.removeprefix(STATE_PREFIX): np.zeros((batch, *s[1:]), np.float32) for n, s in self._state_shapes.items()
        }

    def run(self, inputs: dict[str, np.ndarray], state: State) -> tuple[list[np.ndarray], State]:
        """Outputs in the graph's order, and the new state."""
        feed = inputs | {STATE_PREFIX + name: value for name, value in state.items()}
        results = self._session.run(self._fetch, feed)
        return results[: len(self._outputs)], dict(zip(self._states, results[len(self._outputs) :]))


class OnnxStep(Graph):
    """A student's step in ONNX Runtime."""

    def __init__(self, path: Path, embedding_dim: int, threads: int = 1) -> None:
        super().__init__(
            path, {"features": 128, "noise": 52, "identity": embedding_dim, "emotion": embedding_dim}, threads
        )

    def __call__(
        self, features: np.ndarray, noise: np.ndarray, identity: np.ndarray, emotion: np.ndarray, state: State
    ) -> tuple[np.ndarray, State]:
        """See `Step`."""
        (weights,), state = self.run(
            {"features": features, "noise": noise, "identity": identity, "emotion": emotion}, state
        )
        return weights, state


def _session(path: Path, threads: int) -> Any:
    import onnxruntime  # a fifth of a second: only those who load a model pay for it

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    options.log_severity_level = 3
    # Memory stays flat over chunks of every length: what a long chunk needed is given back.
    options.enable_cpu_mem_arena = False
    try:
        return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime raises classes of its own, some of which it does not export
        reason = str(error).strip().splitlines()[0]
        raise ModelError(f"{path.name} cannot be loaded as ONNX ({reason}): install the model again") from None

"""The step of a student in ONNX Runtime: features and noise in, blendshapes out, state in the signature."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection
from pathlib import Path
from typing import Any

import numpy as np

from dtalker_model.errors import ModelError
from dtalker_model.telemetry import onnxruntime_module

State = dict[str, np.ndarray]
"""Named arrays with the batch axis first. Their names are those of the graph's ``state_`` inputs."""

STATE_PREFIX, NEW_STATE_PREFIX = "state_", "new_"

DECODER = "decoder"
"""The state of a student's denoising steps, (B, steps, layers, dim): its second axis says how many are run."""


class Step(ABC):
    """One call of a student: `OnnxStep` here, and the same in torch in `dtalker_model.networks.torch_step`."""

    steps: int
    """Denoising steps of the model's own choice."""

    @abstractmethod
    def initial_state(self, batch: int = 1) -> State:
        """Zeros for `batch` fresh streams."""

    def __call__(
        self,
        features: np.ndarray,
        noise: np.ndarray,
        identity: np.ndarray,
        emotion: np.ndarray,
        state: State,
        steps: int = 0,
        articulation: float = 1.0,
    ) -> tuple[np.ndarray, State]:
        """Run T frames of B streams.

        Args:
            features, noise: (B, T, 128), (B, T, 52) float32.
            identity, emotion: (B, T, D) float32, or (B, 1, D) where they stay the same: that saves work.
            state: as `initial_state` or as returned by the previous call, of whatever number of steps.
            steps: denoising steps of this call; 0 for the model's own number.
            articulation: how far the mouth is led by the audio, 0.5 to 2; 1 as learned.

        Returns:
            weights (B, T, 52) and the new state.
        """
        steps = steps or self.steps
        led = np.full((len(features), 1, 1), articulation, np.float32)
        inputs = {"features": features, "noise": noise, "identity": identity, "emotion": emotion, "articulation": led}
        return self._run(inputs, for_steps(state, steps), steps)

    @abstractmethod
    def _run(self, inputs: dict[str, np.ndarray], state: State, steps: int) -> tuple[np.ndarray, State]:
        """The call itself, with inputs by name and a `state` that has a slot for each of `steps` steps."""


def for_steps(state: State, steps: int) -> State:
    """`state` with a slot of the decoder's state for each of `steps` steps.

    Where the number changes, a step that ends at some noise level goes on from the old step that ends there, or from
    the next one below. So the last step, which makes the motion, goes on from the last, and the motion does not jump.
    """
    before = state[DECODER].shape[1]
    if before == steps:
        return state
    nearest = (np.arange(1, steps + 1) * before - 1) // steps
    return state | {DECODER: state[DECODER][:, nearest]}


class Graph:
    """An ONNX graph that carries its state through inputs ``state_*`` and outputs ``new_*``."""

    def __init__(self, path: Path, inputs: dict[str, int], threads: int = 1, optional: Collection[str] = ()) -> None:
        """Load a graph and check that its inputs are those of `inputs` (name to last dimension) and state.

        Args:
            optional: names of `inputs` that an older graph may lack; it is not fed what it lacks.

        Raises:
            ModelError: the file is no graph, or not one of this kind.
        """
        self.path = path
        self._session = open_session(path, threads)
        declared = {i.name: i.shape for i in self._session.get_inputs()}
        self._state_shapes = {n: s for n, s in declared.items() if n.startswith(STATE_PREFIX)}
        received = {n: s[-1] for n, s in declared.items() if n not in self._state_shapes}
        expected = {name: dim for name, dim in inputs.items() if name in received or name not in optional}
        if received != expected:
            raise ModelError(
                f"{path.name} takes {received}, expected {expected}: it is not a dtalker model of this kind"
            )
        self._inputs = frozenset(declared)
        names = [o.name for o in self._session.get_outputs()]
        self._outputs = [n for n in names if not n.startswith(NEW_STATE_PREFIX)]
        self._states = [n.removeprefix(NEW_STATE_PREFIX) for n in names if n.startswith(NEW_STATE_PREFIX)]
        self._fetch = self._outputs + [NEW_STATE_PREFIX + n for n in self._states]

    def initial_state(self, batch: int = 1) -> State:
        """Zeros for `batch` fresh streams; an axis of no fixed length has one entry."""
        fixed = {n: [d if isinstance(d, int) else 1 for d in s[1:]] for n, s in self._state_shapes.items()}
        return {n.removeprefix(STATE_PREFIX): np.zeros((batch, *s), np.float32) for n, s in fixed.items()}

    def run(self, inputs: dict[str, np.ndarray], state: State) -> tuple[list[np.ndarray], State]:
        """Outputs in the graph's order, and the new state."""
        feed = {name: value for name, value in inputs.items() if name in self._inputs}
        feed |= {STATE_PREFIX + name: value for name, value in state.items()}
        results = self._session.run(self._fetch, feed)
        return results[: len(self._outputs)], dict(zip(self._states, results[len(self._outputs) :]))


class OnnxStep(Graph, Step):
    """A student's step in ONNX Runtime. The graph loops over the denoising steps: one file runs any number of them."""

    def __init__(self, path: Path, embedding_dim: int, steps: int, threads: int = 1) -> None:
        """Load the graph; `steps` is the model's own number. Raises as `Graph`."""
        voice = {"identity": embedding_dim, "emotion": embedding_dim, "articulation": 1}
        super().__init__(path, {"features": 128, "noise": 52, **voice}, threads, optional=("articulation",))
        self.steps = steps

    def _run(self, inputs: dict[str, np.ndarray], state: State, steps: int) -> tuple[np.ndarray, State]:
        (weights,), state = self.run(inputs, state)
        return weights, state


def open_session(path: Path, threads: int = 1) -> Any:
    """An ONNX Runtime session on `threads` CPU threads; raises `ModelError` where the file is no graph."""
    onnxruntime = onnxruntime_module()
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

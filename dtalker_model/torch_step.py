"""The step of a student in torch, with the call of `runtime.Step`. For training and for parity tests."""

from __future__ import annotations

import numpy as np
import torch

from dtalker_model.network import Student
from dtalker_model.runtime import State


class TorchStep:
    """A student's step in torch; the student is put into evaluation mode."""

    def __init__(self, student: Student) -> None:
        self.student = student.eval()

    def initial_state(self, batch: int = 1) -> State:
        """See `runtime.Step`."""
        return {name: value.numpy() for name, value in self.student.initial_state(batch).items()}

    @torch.no_grad()
    def __call__(
        self, features: np.ndarray, noise: np.ndarray, identity: np.ndarray, emotion: np.ndarray, state: State
    ) -> tuple[np.ndarray, State]:
        """See `runtime.Step`."""
        tensors = [torch.from_numpy(np.ascontiguousarray(x)) for x in (features, noise, identity, emotion)]
        weights, state_out = self.student(*tensors, {k: torch.from_numpy(v) for k, v in state.items()})
        return weights.numpy(), {name: value.numpy() for name, value in state_out.items()}

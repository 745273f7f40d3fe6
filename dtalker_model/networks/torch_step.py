"""The step of a student in torch, with the call of `runtime.Step`. For training and for parity tests."""

from __future__ import annotations

import numpy as np
import torch

from dtalker_model.networks.network import Student
from dtalker_model.speaking.runtime import DECODER, State, for_steps


class TorchStep:
    """A student's step in torch; the student is put into evaluation mode."""

    def __init__(self, student: Student) -> None:
        self.student = student.eval()

    def initial_state(self, batch: int = 1) -> State:
        """See `runtime.Step`."""
        state = {name: value.numpy() for name, value in self.student.initial_state(batch).items()}
        decoder = state[f"{DECODER}_{self.student.config.default_steps}"]
        return {name: value for name, value in state.items() if not name.startswith(DECODER)} | {DECODER: decoder}

    @torch.no_grad()
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
        """See `runtime.Step`."""
        steps = steps or self.student.config.default_steps
        tensors = [torch.from_numpy(np.ascontiguousarray(x)) for x in (features, noise, identity, emotion)]
        received = {name: torch.from_numpy(value) for name, value in for_steps(state, steps).items()}
        received[f"{DECODER}_{steps}"] = received.pop(DECODER)
        led = torch.full((len(features), 1, 1), articulation)
        weights, new = self.student(*tensors, led, received, steps)
        new[DECODER] = new.pop(f"{DECODER}_{steps}")
        return weights.numpy(), {name: value.numpy() for name, value in new.items()}

"""The step of a student in torch: `Step` for training and for parity tests."""

from __future__ import annotations

import numpy as np
import torch

from dtalker_model.networks.network import Student
from dtalker_model.speaking.runtime import DECODER, State, Step


class TorchStep(Step):
    """A student's step in torch; the student is put into evaluation mode."""

    def __init__(self, student: Student) -> None:
        self.student, self.steps = student.eval(), student.config.default_steps

    def initial_state(self, batch: int = 1) -> State:
        """See `Step`."""
        state = {name: value.numpy() for name, value in self.student.initial_state(batch).items()}
        decoder = state[f"{DECODER}_{self.steps}"]
        return {name: value for name, value in state.items() if not name.startswith(DECODER)} | {DECODER: decoder}

    @torch.no_grad()
    def _run(self, inputs: dict[str, np.ndarray], state: State, steps: int) -> tuple[np.ndarray, State]:
        tensors = [torch.from_numpy(np.ascontiguousarray(value)) for value in inputs.values()]
        received = {name: torch.from_numpy(value) for name, value in state.items()}
        received[f"{DECODER}_{steps}"] = received.pop(DECODER)
        weights, new = self.student(*tensors, received, steps)
        new[DECODER] = new.pop(f"{DECODER}_{steps}")
        return weights.numpy(), {name: value.numpy() for name, value in new.items()}

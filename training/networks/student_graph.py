"""The student as the graph that is exported: one denoising step, in a loop that runs as often as its state has slots.

The file holds the decoder once, whatever the number of steps, and runs only the steps that are asked for.
"""

from __future__ import annotations

import warnings

import torch
from torch import Tensor, nn

from dtalker_model.networks.diffusion import denoise
from dtalker_model.networks.network import MotionDecoder, State, Student
from dtalker_model.speaking.runtime import DECODER


class _Step(nn.Module):
    """One denoising step of a sampler of `steps` steps, eq. (8). At next level 0 it gives the clean motion."""

    def __init__(self, decoder: MotionDecoder) -> None:
        super().__init__()
        self.decoder = decoder

    def forward(
        self,
        p: Tensor,
        audio: Tensor,
        noisy: Tensor,
        level: Tensor,
        next_level: Tensor,
        steps: Tensor,
        articulation: Tensor,
        hidden: Tensor,
    ) -> tuple[Tensor, Tensor]:
        """p, audio, noisy (B, T, .), scalars, articulation (B,), hidden (B, 3, dim) -> noisy, hidden."""
        B = noisy.shape[:1]
        clean, hidden = self.decoder(p, audio, noisy, level.expand(B), steps.expand(B), articulation, hidden)
        return denoise(noisy, clean, level, next_level), hidden


class _Loop(nn.Module):
    """`network.sample` as TorchScript, whose loop becomes one of the graph. The parity check compares the two."""

    def __init__(self, step: nn.Module) -> None:
        super().__init__()
        self.step = step

    def forward(
        self, p: Tensor, audio: Tensor, noise: Tensor, articulation: Tensor, hidden: Tensor
    ) -> tuple[Tensor, Tensor]:
        """p, audio, noise (B, T, .), articulation (B,), hidden (B, steps, 3, dim) -> clean motion, hidden."""
        steps = torch.tensor(hidden.shape[1]).float()
        motion, new_hidden = noise, hidden[:, :0]
        for k in range(hidden.shape[1]):
            level, next_level = 1 - k / steps, 1 - (k + 1) / steps
            motion, h = self.step(p, audio, motion, level, next_level, steps, articulation, hidden[:, k])
            new_hidden = torch.cat([new_hidden, h[:, None]], dim=1)
        return motion, new_hidden


class StudentGraph(nn.Module):
    """A student whose state has one entry `decoder`, (B, steps, 3, dim), in place of one for each number of steps."""

    def __init__(self, student: Student) -> None:
        super().__init__()
        self.student = student.eval()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # TorchScript is deprecated; nothing else exports a loop without onnxscript
            self.loop = torch.jit.script(_Loop(_traced(student)))

    def initial_state(self, batch: int) -> State:
        """As `Student.initial_state`, for its default number of steps."""
        state = self.student.initial_state(batch)
        decoder = state[f"{DECODER}_{self.student.config.default_steps}"]
        return {name: value for name, value in state.items() if not name.startswith(DECODER)} | {DECODER: decoder}

    def forward(
        self, features: Tensor, noise: Tensor, identity: Tensor, emotion: Tensor, articulation: Tensor, state: State
    ) -> tuple[Tensor, State]:
        """As `Student.forward`; the state says the number of steps."""
        s = self.student
        audio, new_state = s.encoder(features, state)
        p = s.integrator(identity, emotion)
        coloured, past = s.colour(noise, state["noise"])
        motion, hidden = self.loop(p, audio, coloured * s.temperature, articulation[:, 0, 0], state[DECODER])
        return motion / s.motion_scale + s.motion_mean, {**new_state, "noise": past, DECODER: hidden}


def _traced(student: Student) -> nn.Module:
    """One step as TorchScript for any batch, length and level."""
    c = student.config
    example = [torch.zeros(2, 5, dim) for dim in (2 * c.embedding_dim, c.encoder_dim, c.motion_dim)]
    scalars = [torch.tensor(x) for x in (1.0, 0.5, 2.0)]
    articulation = torch.ones(2)
    hidden = torch.zeros(2, MotionDecoder.LAYERS, c.decoder_dim)
    return torch.jit.trace(_Step(student.decoder), (*example, *scalars, articulation, hidden), check_trace=False)

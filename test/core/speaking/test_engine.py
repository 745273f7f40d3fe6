"""The engine hands its settings to the step, and its noise streams with the step's state."""

from __future__ import annotations

import numpy as np
import pytest

from dtalker_model.card import DEFAULT_MODEL, model_path, read_card
from dtalker_model.settings import Settings
from dtalker_model.speaking.engine import Engine
from dtalker_model.speaking.personalizer import Personalizer
from dtalker_model.speaking.runtime import DECODER, State, Step

SAMPLES = np.zeros(3200, np.float32)


class Listener(Step):
    """A step whose face is the noise it gets; it notes what it is asked."""

    steps = 2

    def __init__(self) -> None:
        self.articulations: list[float] = []
        self.asked_steps: list[int] = []

    def initial_state(self, batch: int = 1) -> State:
        return {DECODER: np.zeros((batch, self.steps, 1, 1), np.float32)}

    def _run(self, inputs: dict[str, np.ndarray], state: State, steps: int) -> tuple[np.ndarray, State]:
        (led,) = inputs["articulation"].ravel()
        self.articulations.append(float(led))
        self.asked_steps.append(steps)
        return inputs["noise"], state


@pytest.fixture
def step() -> Listener:
    return Listener()


@pytest.fixture
def engine(step: Listener) -> Engine:
    return Engine(step, None, Personalizer(read_card(model_path(DEFAULT_MODEL))), seed=5)


def test_the_step_is_led_by_the_articulation_of_the_settings(engine: Engine, step: Listener) -> None:
    for articulation in (1.0, 0.5, 2.0):
        engine.push(SAMPLES, Settings(articulation=articulation))
    engine.push(SAMPLES, Settings(steps=4))
    assert step.articulations == [1.0, 0.5, 2.0, 1.0] and step.asked_steps == [2, 2, 2, 4]


def test_the_noise_is_that_of_the_seed_however_the_samples_come(engine: Engine) -> None:
    whole = np.concatenate([raw.weights for raw in engine.push(SAMPLES, Settings())])
    engine.reset(5)
    parts = [engine.push(piece, Settings()) for piece in np.array_split(SAMPLES, 7)]
    np.testing.assert_array_equal(np.concatenate([raw.weights for raws in parts for raw in raws]), whole)
    engine.reset(6)
    assert np.abs(engine.push(SAMPLES, Settings())[0].weights - whole).min() > 0

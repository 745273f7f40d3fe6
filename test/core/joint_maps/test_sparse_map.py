"""Sparse maps from noisy pairs."""

import numpy as np
import pytest

from dtalker_model.blendshapes import ARKIT_NAMES
from dtalker_model.errors import SettingError
from dtalker_model.joint_maps import JointMap, fit_joint

NOISE_RAD = 0.02
HEADS = {
    "jaw": ({"jawOpen": 0.45}, 0.0),
    "lip": ({"mouthLowerDownLeft": 0.15, "mouthLowerDownRight": 0.15, "mouthFunnel": 0.08}, 0.1),
    "lid": ({"eyeBlinkLeft": -0.6, "eyeSquintLeft": -0.2}, 0.3),
    "eye": ({"eyeLookInLeft": 0.4, "eyeLookOutLeft": -0.4}, -0.05),
}


def faces(rng: np.random.Generator, rows: int) -> np.ndarray:
    """Coefficients (T, 52) in 0..1 that rise and fall together, as those of faces do."""
    causes = rng.gamma(0.6, size=(rows, 12))
    mixed = causes @ (rng.random((12, 52)) * (rng.random((12, 52)) < 0.25)) + 0.3 * rng.gamma(0.4, size=(rows, 52))
    return np.clip(0.4 * mixed, 0, 1)


def true_positions(name: str, coefficients: np.ndarray) -> np.ndarray:
    weights, neutral = HEADS[name]
    return neutral + coefficients @ np.array([weights.get(name, 0.0) for name in ARKIT_NAMES])


@pytest.mark.parametrize("name", HEADS)
def test_a_known_sparse_map_is_found_below_the_noise(name: str) -> None:
    rng = np.random.default_rng(3)
    coefficients, fresh = np.split(faces(rng, 800), [600])
    noisy = true_positions(name, coefficients) + rng.normal(0, NOISE_RAD, 600)
    found = fit_joint(ARKIT_NAMES, coefficients, noisy)
    error = np.sqrt(np.mean((found.positions(ARKIT_NAMES, fresh) - true_positions(name, fresh)) ** 2))
    assert error < NOISE_RAD / 4
    assert found.weights.keys() == HEADS[name][0].keys()
    assert found.error == pytest.approx(NOISE_RAD, rel=0.1)
    assert found.held_out_error == pytest.approx(NOISE_RAD, rel=0.1)


def test_without_noise_the_map_is_exact() -> None:
    coefficients = faces(np.random.default_rng(5), 300)
    found = fit_joint(ARKIT_NAMES, coefficients, true_positions("lip", coefficients))
    assert found.weights == pytest.approx(HEADS["lip"][0], abs=1e-6)
    assert found.neutral == pytest.approx(0.1)
    assert found.explained == pytest.approx(1)


def test_what_has_nothing_to_do_with_the_face_is_not_explained() -> None:
    rng = np.random.default_rng(6)
    found = fit_joint(ARKIT_NAMES, faces(rng, 600), rng.normal(size=600))
    assert found.explained < 0.1 and len(found.weights) <= 2


def test_channels_that_never_move_take_no_part() -> None:
    coefficients = faces(np.random.default_rng(7), 300)
    coefficients[:, 1:] = 0.5
    found = fit_joint(ARKIT_NAMES, coefficients, 0.2 * coefficients[:, 0])
    assert found.weights == {ARKIT_NAMES[0]: pytest.approx(0.2)}


@pytest.mark.parametrize(
    ("positions", "message"), [(np.arange(19.0), "at least 20 pairs, received 19"), (np.ones(40), "never moves")]
)
def test_what_cannot_be_fitted_is_refused(positions: np.ndarray, message: str) -> None:
    with pytest.raises(SettingError, match=message):
        fit_joint(ARKIT_NAMES, faces(np.random.default_rng(8), len(positions)), positions)


def test_a_map_gives_positions() -> None:
    found = JointMap({"jawOpen": 2.0}, 1.0, 0, 3, 0, 0, 1)
    assert found.positions(("yaw", "jawOpen"), np.array([[9.0, 0.25]])).tolist() == [1.5]

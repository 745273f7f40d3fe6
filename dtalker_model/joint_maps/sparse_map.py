"""One joint's position as a sparse sum of coefficients, found from noisy pairs.

Non-negative least squares (scipy) over the coefficients and their negatives, each of which moves the joint one way;
then the least useful is left out again and again, while the extended Bayesian information criterion falls (Chen and
Chen 2008; the plain one keeps chance finds where there are so many to choose from).
"""

from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from dtalker_model.blendshapes import ARKIT_NAMES
from dtalker_model.errors import DtalkerError, SettingError
from dtalker_model.output.pose import POSE_NAMES

Floats = NDArray[np.float64]
CHANNELS = (*ARKIT_NAMES, *POSE_NAMES)
"""What a joint may follow: blendshapes (0..1), and head pose and gaze (rad)."""
FEWEST_ROWS = 20
LEAST_SHARE = 0.01
"""Of the joint's range: what moves it less than this is not worth a line in the YAML."""
FOLDS = 5
ROUNDING = 1e-9
"""Share of a position's variance that counts as noise even where there is none, so that logarithms stay finite."""


@dataclass(frozen=True)
class JointMap:
    """A joint's position: `neutral` plus the sum of `weights` times coefficients.

    Attributes:
        weights: the joint's unit for each unit of a channel, by the channel's name; none is 0.
        neutral: position of the face at rest.
        minimum, maximum: the range that was recorded, and `neutral` where the face was never at rest.
        error: RMS over the pairs, in the joint's unit.
        held_out_error: RMS over pairs that a map did not see, which was found from the others, a fifth at a time.
        explained: share of the position's variance that the map explains, at most 1.
    """

    weights: dict[str, float]
    neutral: float
    minimum: float
    maximum: float
    error: float
    held_out_error: float
    explained: float

    def positions(self, names: tuple[str, ...], coefficients: Floats) -> Floats:
        """Positions (T,) for `coefficients` (T, C) of the channels `names`."""
        return self.neutral + coefficients @ np.array([self.weights.get(name, 0.0) for name in names])


def fit_joint(
    names: tuple[str, ...], coefficients: Floats, positions: Floats, least_share: float = LEAST_SHARE
) -> JointMap:
    """The map from `coefficients` (T, C), of the channels `names`, to `positions` (T,).

    `least_share`: what moves the joint by less of its range than this is left out.
    Raises `SettingError` where there are too few pairs, or the joint does not move; `DtalkerError` without scipy.
    """
    if len(positions) < FEWEST_ROWS:
        raise SettingError(f"expected at least {FEWEST_ROWS} pairs, received {len(positions)}")
    span = float(np.ptp(positions))
    if span <= 0:
        raise SettingError("it never moves in the pairs")
    weights, neutral = _sparse(coefficients, positions, least_share * span)
    errors = positions - neutral - coefficients @ weights
    return JointMap(
        weights={name: float(weight) for name, weight in zip(names, weights) if weight},
        neutral=neutral,
        minimum=min(neutral, float(positions.min())),
        maximum=max(neutral, float(positions.max())),
        error=_rms(errors),
        held_out_error=_held_out(coefficients, positions, least_share * span),
        explained=float(1 - errors.var() / positions.var()),
    )


def _held_out(coefficients: Floats, positions: Floats, least: float) -> float:
    """In one piece each: frames beside each other are alike."""
    errors = []
    for fold in np.array_split(np.arange(len(positions)), FOLDS):
        seen = np.ones(len(positions), bool)
        seen[fold] = False
        weights, neutral = _sparse(coefficients[seen], positions[seen], least)
        errors.append(positions[~seen] - neutral - coefficients[~seen] @ weights)
    return _rms(np.concatenate(errors))


def _sparse(coefficients: Floats, positions: Floats, least: float) -> tuple[Floats, float]:
    """Weights (C,), of either sign, each of which moves the joint by more than `least`, and the neutral position."""
    means, middle = coefficients.mean(0), float(positions.mean())
    count, width = coefficients.shape
    # All that least squares needs of the pairs is the triangle of their QR decomposition.
    triangle = np.asarray(np.linalg.qr(np.column_stack([coefficients - means, positions - middle]), mode="r"))
    columns, target = np.hstack([triangle[:, :-1], -triangle[:, :-1]]), triangle[:, -1]
    moves = np.tile(np.ptp(coefficients, axis=0), 2)
    kept = [k for k in range(2 * width) if moves[k] > 0]
    criterion = partial(_criterion, float(target @ target), count, len(kept))
    found, squares = _non_negative(columns[:, kept], target)
    while True:
        useful = [k for k, weight in zip(kept, found) if weight * moves[k] > least]
        if useful == kept:
            useful = _without_the_least(columns, kept, found)
            shorter, more = _non_negative(columns[:, useful], target)
            if not kept or criterion(more, useful) > criterion(squares, kept):
                break
            found, squares = shorter, more
        else:
            found, squares = _non_negative(columns[:, useful], target)
        kept = useful
    both = np.zeros(2 * width)
    both[kept] = found
    weights = both[:width] - both[width:]
    return weights, middle - float(means @ weights)


def _criterion(all_squares: float, count: int, choices: int, squares: float, kept: list[int]) -> float:
    """The extended Bayesian information criterion with gamma = 1, but for a constant."""
    for_each = np.log(count) + 2 * np.log(choices)
    return float(count * np.log(squares / all_squares + ROUNDING) + len(kept) * for_each)


def _without_the_least(columns: Floats, kept: list[int], weights: Floats) -> list[int]:
    """`kept` without the column whose loss costs least: weight squared over its entry of the inverse normal matrix."""
    if not kept:
        return kept
    inverse = np.linalg.pinv(columns[:, kept])
    least = int(np.argmin(weights**2 / np.sum(inverse**2, axis=1)))
    return kept[:least] + kept[least + 1 :]


def _non_negative(columns: Floats, target: Floats) -> tuple[Floats, float]:
    """Weights that are not below 0, and the sum of squares that they leave."""
    try:
        from scipy.optimize import nnls
    except ImportError:
        raise DtalkerError("the fit needs the Python package scipy: pip install scipy") from None
    if not columns.shape[1]:
        return np.zeros(0), float(target @ target)
    weights, norm = nnls(columns, target, maxiter=30 * columns.shape[1])
    return weights, float(norm) ** 2


def _rms(values: Floats) -> float:
    return float(np.sqrt(np.mean(np.square(values))))

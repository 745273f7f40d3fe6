"""The projection on rules and ranges, against a solver; and what a rule leaves to a joint."""

import numpy as np
import pytest
from joint_rig import head, jaw
from numpy.typing import NDArray

from dtalker_ros.joints import rules
from dtalker_ros.joints.head import Head, Rule
from dtalker_ros.joints.rules import Rules
from dtalker_ros.joints.soak import random_head

RULE = Rule("r", {"jaw": 1.0, "lip": -0.5}, 0.1)
PAIR = head(jaw(), jaw("lip"), rules=[RULE])


def test_what_breaks_no_rule_stays() -> None:
    wish = np.array([0.1, 0.2])
    assert Rules(PAIR).nearest(wish) is wish
    assert Rules(head()).nearest(wish[:1]).tolist() == [0.1]


def test_a_wish_goes_straight_to_the_rule() -> None:
    # In equal ranges the nearest point lies along the rule's factors: [0.4, 0] - 0.24 * [1, -0.5].
    assert Rules(PAIR).nearest(np.array([0.4, 0.0])) == pytest.approx([0.16, 0.12])


def solved(some: Head, wish: NDArray[np.float64]) -> NDArray[np.float64] | None:
    """The nearest point by a solver of quadratic programs; None where it finds none."""
    scipy = pytest.importorskip("scipy.optimize", reason="needs scipy")
    low, high = some.range
    matrix, bounds = some.rule_matrix()
    span = high - low
    best = scipy.minimize(
        lambda u: float(((u - wish / span) ** 2).sum()),
        some.neutral / span,
        jac=lambda u: 2.0 * (u - wish / span),
        bounds=list(zip(low / span, high / span)),
        constraints={"type": "ineq", "fun": lambda u: bounds - matrix @ (u * span), "jac": lambda u: -matrix * span},
        method="SLSQP",
    )
    return best.x * span if best.success else None


def test_no_point_is_nearer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rules, "SWEEPS", 5000)
    rng, compared = np.random.default_rng(3), 0
    while compared < 20:
        some = random_head(rng)
        low, high = some.range
        matrix, bounds = some.rule_matrix()
        wish = rng.uniform(low, high)
        if (matrix @ wish > bounds).any() and (best := solved(some, wish)) is not None:
            found = Rules(some).nearest(wish)
            assert (matrix @ found <= bounds + 1e-5).all()
            far, farther = (float((((q - wish) / (high - low)) ** 2).sum()) for q in (found, best))
            assert far <= farther + 1e-4
            compared += 1


def test_a_joint_gets_what_the_other_leaves_wherever_it_may_be() -> None:
    pair = Rules(PAIR)
    assert pair.room(0, [0.0, 0.2], [0.0, 0.4]) == pytest.approx((-0.1, 0.2))  # jaw <= 0.1 + 0.5 * 0.2
    assert pair.room(1, [0.1, 0.2], [0.3, 0.4]) == pytest.approx((0.4, 0.5))  # lip >= 2 * (0.3 - 0.1)

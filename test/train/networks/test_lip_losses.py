"""Lips by phones: what each target costs on a face whose geometry is known, by hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch is not installed: pip install '.[train]'")

from torch import Tensor  # noqa: E402

from dtalker_model.blendshapes import INDEX  # noqa: E402
from training.corpus.face_basis import load_face_basis  # noqa: E402
from training.corpus.lip_targets import (  # noqa: E402
    CLOSED,
    OPEN,
    REST,
    ROUND,
    SPREAD,
    TEETH,
    UNROUND,
    UNSPREAD,
    lip_targets,
)
from training.networks.lips import BELOW_ZERO, LIPS, ROUNDING, asked, lips  # noqa: E402
from training.stages.preparation import lip_geometry  # noqa: E402

JAW, CLOSE, SMILE, DROP = (INDEX[n] for n in ("jawOpen", "mouthClose", "mouthSmileLeft", "mouthLowerDownLeft"))
NAMES = {bit: name for name, (bit, _) in LIPS.items()}
EVERY = sum(NAMES)


def geometry() -> Tensor:
    """The jaw opens 30 mm, `mouthClose` closes 30; a smile widens 10 mm; the lower lip drops 20 mm with the jaw."""
    face = torch.zeros(3, 52)
    face[0, JAW], face[0, CLOSE], face[1, SMILE], face[2, JAW], face[2, DROP] = 30.0, -30.0, 10.0, -20.0, -5.0
    return face


def cost(targets: int, **weights: float) -> dict[str, float]:
    """The terms, of one frame of these weights, divided by their scales: squared violations; those that are not 0."""
    x = torch.zeros(1, 1, 52)
    for name, value in weights.items():
        x[..., INDEX[name]] = value
    found = lips(x, torch.tensor([[targets]], dtype=torch.uint8), geometry())
    return {name: found[name].item() / LIPS[name][1] for name in found if found[name] != 0}


def near(expected: dict[int, float]) -> dict[str, object]:
    return {NAMES[bit]: pytest.approx(value, rel=1e-4) for bit, value in expected.items()}


def test_there_is_a_term_for_every_target() -> None:
    assert sorted(NAMES) == [1 << k for k in range(8)] and all(scale > 0 for _, scale in LIPS.values())


def test_a_face_whose_lips_meet_at_b_costs_nothing() -> None:
    """The jaw stays open; `mouthClose` shuts the lips over it."""
    targets = torch.from_numpy(lip_targets([("AA", 0.0, 0.3), ("B", 0.3, 0.1), ("AA", 0.4, 0.3)], 35))[None]
    weights = torch.zeros(1, 35, 52)
    weights[..., JAW] = 0.5
    weights[:, 15:20, CLOSE] = 0.5
    found = lips(weights, targets & (CLOSED | OPEN), geometry())
    assert not any(term.item() for term in found.values())


def test_an_open_mouth_at_b_costs_its_gap_squared_over_all_frames() -> None:
    """6 mm at the three frames in the middle of /b/: (6 - 0.3) squared at 3 of 35 frames of 2 crops."""
    targets = torch.zeros(2, 35, dtype=torch.uint8)
    targets[0] = torch.from_numpy(lip_targets([("B", 0.3, 0.1)], 35))
    weights = torch.zeros(2, 35, 52)
    weights[..., JAW] = 0.2
    found = lips(weights, targets, geometry())
    assert found["lips_closed"].item() == pytest.approx(LIPS["lips_closed"][1] * 5.7**2 * 3 / 70, rel=1e-4)
    assert {name for name, term in found.items() if term.item()} == {"lips_closed"}


@pytest.mark.parametrize(
    ("bit", "weights", "violation"),
    [
        (CLOSED, {}, 0.0),
        (CLOSED, {"jawOpen": 0.01}, 0.0),
        (CLOSED, {"jawOpen": 0.1}, 2.7),
        (CLOSED, {"mouthClose": 0.03}, 0.0),
        (CLOSED, {"mouthClose": 0.1}, 2.0),  # pressed 3 mm over each other, 1 is enough
        (TEETH, {}, 0.7 - 0.0 - 0.7),
        (TEETH, {"jawOpen": 0.1}, 1.3),
        (TEETH, {"mouthLowerDownLeft": 0.14}, 0.0),
        (TEETH, {"mouthLowerDownLeft": 1.0}, 4.3),
        (ROUND, {}, 0.3),
        (ROUND, {"mouthFunnel": 0.1, "mouthPucker": 0.05}, 0.15),
        (ROUND, {"mouthFunnel": 0.2, "mouthPucker": 0.2}, 0.0),
        (UNROUND, {"mouthFunnel": 0.03, "mouthPucker": 0.02}, 0.0),
        (UNROUND, {"mouthPucker": 0.16}, 0.1),
        (SPREAD, {}, 2.0),
        (SPREAD, {"mouthSmileLeft": 0.1}, 1.0),
        (SPREAD, {"mouthSmileLeft": 0.3}, 0.0),
        (UNSPREAD, {}, 0.0),
        (UNSPREAD, {"mouthSmileLeft": 0.15}, 1.5),
        (OPEN, {}, 5.0),
        (OPEN, {"jawOpen": 0.1}, 2.0),
        (OPEN, {"jawOpen": 0.2}, 0.0),
        (REST, {}, 0.0),
        (REST, {"jawOpen": 0.1}, 2.0),
        (REST, {"mouthClose": 0.5}, 0.0),
    ],
)
def test_each_target_costs_its_squared_violation(bit: int, weights: dict[str, float], violation: float) -> None:
    assert cost(bit, **weights) == near({bit: violation**2} if violation else {})
    assert NAMES[bit] not in cost(EVERY - bit, **weights), "only where it is asked"


def test_several_targets_cost_at_once() -> None:
    assert cost(OPEN | ROUND | UNSPREAD, jawOpen=0.1, mouthSmileLeft=0.1) == near(
        {OPEN: 2.0**2, ROUND: 0.3**2, UNSPREAD: 1.0}
    )


def test_weights_below_zero_do_not_close_a_jaw() -> None:
    """The output stage clamps them: a smile's share of the gap cannot be undone by a jaw that opens backwards."""
    face = geometry()
    face[0, SMILE] = 6.0
    weights = torch.zeros(1, 1, 52)
    weights[..., SMILE], weights[..., JAW] = 1.0, -0.2
    found = lips(weights, torch.tensor([[CLOSED]], dtype=torch.uint8), face)["lips_closed"]
    assert found.item() == pytest.approx(LIPS["lips_closed"][1] * (6.0 - BELOW_ZERO * 6.0 - 0.3) ** 2, rel=1e-4)


def test_the_gradient_leads_out_of_a_violation_and_of_weights_below_zero() -> None:
    targets = torch.tensor([[CLOSED | SPREAD]], dtype=torch.uint8)
    weights = torch.zeros(1, 1, 52)
    weights[..., JAW], weights[..., SMILE] = 0.3, -0.1
    weights.requires_grad_()
    torch.stack(list(lips(weights, targets, geometry()).values())).sum().backward()
    assert weights.grad is not None
    assert weights.grad[0, 0, JAW] > 0 and weights.grad[0, 0, SMILE] < 0
    others = [k for k in range(52) if k not in (JAW, SMILE, CLOSE)]
    assert not weights.grad[0, 0, others].any()


def test_of_recorded_faces_only_contact_is_asked() -> None:
    targets = torch.tensor([[EVERY, OPEN], [EVERY, OPEN | CLOSED], [CLOSED, 0]], dtype=torch.uint8)
    left = asked(targets, torch.tensor([0.0, 1.0, 1.0]))
    assert left.dtype == torch.uint8 and left.tolist() == [[EVERY, OPEN], [CLOSED, CLOSED], [CLOSED, 0]]


def test_rounding_is_funnel_and_pucker() -> None:
    assert ROUNDING == [INDEX["mouthFunnel"], INDEX["mouthPucker"]]


def test_the_face_of_the_corpus_moves_as_its_geometry_says(corpus: Path) -> None:
    face = load_face_basis(corpus)
    neutral, delta, marks = (
        np.load(corpus / "face_basis_ict.npz")[n] for n in ("neutral_cm", "delta_cm", "landmarks68")
    )
    weights = np.random.default_rng(0).uniform(0, 0.3, 52)
    moved = 10 * (neutral + np.tensordot(weights, delta.astype(np.float64), 1))
    rest = 10 * neutral.astype(np.float64)
    width = [abs(x[marks[54], 0] - x[marks[48], 0]) for x in (moved, rest)]
    assert width[0] - width[1] == pytest.approx(weights @ face.width_mm, abs=1e-3)
    height = [x[marks[[67, 66, 65]], 1].mean() for x in (moved, rest)]
    assert height[1] - height[0] == pytest.approx(weights @ face.drop_mm, abs=1e-3)
    torch.testing.assert_close(
        lip_geometry(corpus), torch.from_numpy(np.stack([face.gap_mm, face.width_mm, -face.drop_mm])).float()
    )
    for name, row, sign in (
        ("jawOpen", face.drop_mm, 1), ("mouthLowerDownLeft", face.drop_mm, 1),
        ("mouthStretchLeft", face.width_mm, 1), ("mouthSmileRight", face.width_mm, 1),
        ("mouthPucker", face.width_mm, -1), ("jawOpen", face.gap_mm, 1), ("mouthClose", face.gap_mm, -1),
    ):  # fmt: skip
        assert sign * row[INDEX[name]] > 0.5, name

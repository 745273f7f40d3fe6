"""Goals and verdicts from figures of known value."""

from __future__ import annotations

import pytest

pytest.importorskip("torch", reason="torch is not installed: pip install '.[train]'")

from training.evaluation.scores import Row
from training.loop.loop import Plan
from training.networks.distilled import DistilledConfig
from training.reports.ablation_table import FULL, WHOLE_CHAIN, worth
from training.reports.report_goals import AT_LEAST, AT_MOST, teacher_goals
from training.reports.table import COSTS, ERRORS, lines, shown
from training.reports.table_goals import RESPACED, STUDENT, TEACHER, Goal, goals, in_steps
from training.stages.ablation import VARIANTS, Ablation, plan

TWO, ONE = in_steps(STUDENT, 2), in_steps(STUDENT, 1)


def errors(lve: float, eve: float | None = 1.0, fdd: float | None = 10.0, fdd_abs: float | None = 10.0) -> Row:
    costs = {"fps": 1000.0, "torch_fps": 500.0, "parameters": 1000, "mb": 0.004, "stored_mb": 0.002}
    return {"LVE": lve, "EVE": eve, "FDD": fdd, "FDD_abs": fdd_abs, **costs}


def rows() -> dict[str, Row]:
    """A chain that meets every goal, some of them just so."""
    return {
        TEACHER: errors(2.0) | {"fps": 100.0, "parameters": 10000, "mb": 0.04, "stored_mb": 0.02},
        TWO: errors(2.19, fdd=-9.0) | {"fps": 800.0, "parameters": 1360},
        ONE: errors(2.39),
        RESPACED: errors(2.3, fdd=11.0, fdd_abs=11.0),
    }


def unmet(found: list[Goal]) -> list[str]:
    return [goal.text for goal in found if not goal.met]


def test_a_chain_that_meets_every_goal() -> None:
    found = goals(rows())
    assert len(found) == 10 and unmet(found) == []
    assert f"* met: {TWO}: LVE +9.5% against the teacher, at most +10%" in [g.line for g in found]


@pytest.mark.parametrize(
    ("name", "change", "text"),
    [
        (TWO, {"LVE": 2.21}, "LVE +10.5%"),
        (TWO, {"EVE": 1.1}, "EVE 1.1, at most 1 of the teacher"),
        (TWO, {"FDD": -10.5}, "|FDD| 10.5, at most 10 of the teacher"),
        (TWO, {"FDD_abs": 10.6}, "FDD_abs 10.6, at most 10 of the teacher"),
        (RESPACED, {"LVE": 2.19}, "LVE 2.19, below 2.19 of the teacher respaced"),
        (RESPACED, {"FDD": 9.0}, "|FDD| 9, below 9 of the teacher respaced"),
        (TWO, {"fps": 799.0}, "8.0 times as fast"),
        (TWO, {"parameters": 1400}, "86.0% fewer weights"),
        (ONE, {"LVE": 2.5}, "LVE +25.0%"),
    ],
)
def test_each_goal_can_fail(name: str, change: Row, text: str) -> None:
    (missed,) = unmet(goals({**rows(), name: rows()[name] | change}))
    assert text in missed


def test_a_figure_that_no_source_has_is_not_measured() -> None:
    found = goals({name: row | {"EVE": None} for name, row in rows().items()})
    assert [g.line.split(":")[0] for g in found if g.met is None] == ["* not measured"]


def test_a_model_file_has_goals_of_its_own() -> None:
    with_file = rows() | {in_steps("tiny", 2): errors(3.0), in_steps("tiny", 1): errors(2.0)}
    found = goals(with_file, "tiny")
    assert len(found) == 19 and unmet(found)[0].startswith("tiny, 2 steps: LVE +50.0%")
    assert found[-1].met and found[-1].text.startswith("tiny takes 95.0% fewer bytes than the teacher in fp32")


def test_the_goals_of_the_teacher() -> None:
    figures: dict[tuple[str, str], Row] = {}
    for (predictor, source, name), limit in {**AT_LEAST, **AT_MOST}.items():
        figures.setdefault((predictor, source), {})[name] = limit
    named = [{"predictor": p, "source": s, "emotion": "all", **row} for (p, s), row in figures.items()]
    lve: list[Row] = [
        {"predictor": p, "source": "grid", "emotion": "all", "LVE": v, "jawOpen": 0.89}
        for p, v in (("model", 0.9), ("ridge", 1.0))
    ]
    named = [r for r in named if r["source"] != "grid"]
    found = teacher_goals([*named, *lve])
    assert unmet(found) == [
        "grid: LVE 10% below the ridge map's, at least 15%",
        "grid: jawOpen 0.890, at least 0.9",
    ]
    assert all(goal.met is None for goal in teacher_goals([]))


def test_what_a_part_is_worth() -> None:
    table = {
        FULL: errors(2.0),
        WHOLE_CHAIN: errors(1.0),
        "a": errors(2.2),
        "b": errors(2.2, eve=0.9),
        "c": errors(2.01, eve=None),
        "d": errors(1.8),
    }
    a, b, c, d = worth(table)
    assert a == "* a: EVE +0.0%, LVE +10.0%, FDD_abs +0.0%: it pulls its weight."
    assert b.endswith("EVE -10.0%, LVE +10.0%, FDD_abs +0.0%: it helps some and harms others.")
    assert c == "* c: LVE +0.5%, FDD_abs +0.0%: it does **not** pull its weight under this schedule."
    assert "not** pull" in d


def test_each_variant_lacks_what_it_says() -> None:
    whole = DistilledConfig()
    made = {name: change(whole) for name, change in VARIANTS.items()}
    assert made.pop(FULL) == whole and len(set(map(repr, made.values()))) == 5
    assert not made["without identity embedding"].use_identity and not made["without emotion embedding"].use_emotion
    assert made["without enhancer"].weights.enhancement == 0 != made["without enhancer"].weights.distillation
    assert made["without L_dis"].weights.distillation == 0 != made["without L_dis"].weights.alignment
    untaught = made["without distillation"].weights
    assert (untaught.distillation, untaught.alignment, untaught.enhancement) == (0, 0, 0)
    assert untaught.reconstruction == whole.weights.reconstruction


def test_variants_are_validated_when_they_end() -> None:
    shortened = plan(Ablation(steps=7), Plan(steps=300, precision="bf16"))
    assert (shortened.steps, shortened.validate_every, shortened.precision) == (7, 7, "bf16")


def test_lines_of_the_table() -> None:
    row = {
        "predictor": "a",
        "steps": 0,
        **dict.fromkeys(ERRORS, 1.0),
        "fps": None,
        "torch_fps": None,
        "parameters": 1234567,
    }
    row |= {"mb": 4.9383, "stored_mb": None}
    assert [shown(row, name) for name in ("steps", "fps", "parameters", "mb", "stored_mb")] == [
        "-", "-", "1,234,567", "4.94", "-"
    ]  # fmt: skip
    heading = lines([row], ("steps", *ERRORS, *COSTS)).splitlines()[0]
    assert "frames/s" in heading and "MB at 4 bytes" in heading

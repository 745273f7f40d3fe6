"""What was asked of the teacher, each with the figure that decides it."""

from __future__ import annotations

from collections.abc import Sequence

from training.evaluation.scores import Row
from training.reports.table_goals import Goal

LEAST_GAIN = 0.15
"""By how much the teacher's LVE must be below the ridge map's, on every source."""

AT_LEAST: dict[tuple[str, str, str], float] = {
    ("model", "ravdess", "jawOpen"): 0.68,
    ("model", "facegood", "jawOpen"): 0.88,
    ("model", "grid", "jawOpen"): 0.90,
    ("model", "ravdess", "mouthFunnel"): 0.62,
    ("model", "facegood", "mouthFunnel"): 0.65,
    ("model", "ravdess", "mouthSmile"): 0.70,
    ("model", "voices", "closed_1mm"): 0.98,
    ("model", "voices", "rounding"): 3.0,
    ("model", "voices", "spreading"): 1.5,
    ("emotion control", "ravdess", "cosine_upper_face"): 0.7,
    ("emotion control", "ravdess", "cosine_mouth_corners"): 0.7,
    ("listener", "ravdess", "emotion_accuracy"): 0.55,
}
AT_MOST: dict[tuple[str, str, str], float] = {
    ("model", "voices", "looks_shut"): 0.05,
    ("listener", "ravdess", "identity_EER"): 0.20,
}
"""Predictor of the row, source and figure, and the limit; of voices, all of them in quiet."""


def teacher_goals(rows: Sequence[Row]) -> list[Goal]:
    """The goals, from the rows of `evaluate`; those whose row is missing are not measured."""
    whole = [r for r in rows if r["emotion"] == "all" and "seeds" not in r]
    quiet = [r for r in whole if (r.get("condition", "clean"), r.get("group", "all")) == ("clean", "all")]
    found = {(r["predictor"], r["source"]): r for r in quiet}
    limits = [(key, limit, True) for key, limit in AT_LEAST.items()]
    limits += [(key, limit, False) for key, limit in AT_MOST.items()]
    reached = [_goal(found, key, limit, least) for key, limit, least in limits]
    return [*_gains(rows), *reached]


def _gains(rows: Sequence[Row]) -> list[Goal]:
    """LVE against the ridge map, a goal a source."""
    lve = {(r["source"], r["predictor"]): r["LVE"] for r in rows if r["emotion"] == "all" and "LVE" in r}
    sources = [s for s, predictor in lve if predictor == "ridge" and s != "mean"]
    gains = {s: 1 - lve[s, "model"] / lve[s, "ridge"] for s in sources}
    return [
        Goal(f"{s}: LVE {gain:.0%} below the ridge map's, at least {LEAST_GAIN:.0%}", gain >= LEAST_GAIN)
        for s, gain in gains.items()
    ]


def _goal(found: dict[tuple[str, str], Row], key: tuple[str, str, str], limit: float, least: bool) -> Goal:
    predictor, source, name = key
    value = found.get((predictor, source), {}).get(name)
    where = "mean of the sources" if source == "mean" else source
    bound = f"at {'least' if least else 'most'} {limit:g}"
    if value is None:
        return Goal(f"{where}: {name}, {bound}", None)
    return Goal(f"{where}: {name} {value:.3f}, {bound}", value >= limit if least else value <= limit)

"""Rows of figures as Markdown tables that are readable as plain text too."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from training.evaluation.lips import LIP_FIGURES
from training.evaluation.sampling import SAMPLING_FIGURES
from training.evaluation.scores import ERRORS, METRICS, MOVEMENT, Row

HEADINGS = {
    "mean": "Mean over sources, each weighing the same",
    "ravdess": "ravdess: speech of actors never seen",
    "ravdess_song": "ravdess_song: songs of actors never seen",
    "facegood": "facegood: a clip of a speaker in training",
    "grid": "grid: sentences of a speaker in training",
}
TITLES = {
    "strangers": "Voices of nobody in training: lips at phones",
    "sampling": "Sampling: the spread of seeds, the mean of eight of them, and single ones",
}

NO_STRANGERS = """Not measured: the corpus has no `voices.jsonl`, or its texts cannot be aligned
(`pip install pocketsphinx`)."""

EMOTION_CONTROL = (
    "cosine_upper_face",
    "cosine_mouth_corners",
    *(f"{name}_{mood}" for mood in ("happy", "sad") for name in ("closed_1mm", "closed_2mm", "looks_shut")),
)
OF_ONE = {
    "Neutral speech of unseen actors said happily and sadly: the change against the measured one, and the lips": (
        "emotion control",
        EMOTION_CONTROL,
    ),
    "Retrieval by voice: emotion of eight, and same or different speaker from 3 s, on speakers never heard": (
        "listener",
        ("speakers", "emotion_accuracy", "identity_EER"),
    ),
}
"""Title of a table, the predictor of its rows, and its columns."""

DECIMALS = {
    "FDD": 1,
    "FDD_abs": 1,
    **{name: 1 for name, unit in LIP_FIGURES.items() if unit == "mm"},
    **{name: 3 for name in SAMPLING_FIGURES if name.startswith("calibration")},
}
"""Of figures that have another number of decimals than 2."""


def markdown(columns: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    """A Markdown table with aligned columns."""
    widths = [max(len(line[k]) for line in [columns, *lines]) for k in range(len(columns))]
    padded = [[cell.ljust(width) for cell, width in zip(line, widths)] for line in [columns, *lines]]
    rule = ["-" * width for width in widths]
    return "\n".join("| " + " | ".join(line) + " |" for line in [padded[0], rule, *padded[1:]])


def number(value: Any, name: str) -> str:
    """A figure as text; a dash where it is not defined."""
    return f"{value:.{DECIMALS.get(name, 2)}f}" if isinstance(value, float | int) else "-"


def spread(row: Row, name: str) -> str:
    """The interval of a figure as text."""
    low, high = row.get(f"{name}_low"), row.get(f"{name}_high")
    return "-" if low is None else f"{number(low, name)}..{number(high, name)}"


def of_source(rows: Sequence[Row], source: str) -> str:
    """Errors, movement and, where phones are known, lips: one line a predictor, the model's intervals below it."""
    chosen = [r for r in rows if r["source"] == source and r["emotion"] == "all" and "LVE" in r]
    parts = [lines_of(chosen, ERRORS), lines_of(chosen, MOVEMENT)]
    if any(r["closed_1mm"] is not None for r in chosen):
        parts.append(lines_of(chosen, LIP_FIGURES))
    return "\n\n".join(parts)


def lines_of(rows: Sequence[Row], names: Iterable[str], first: Sequence[str] = ("predictor", "clips")) -> str:
    """One line a row, and the model's intervals below its own.

    Args:
        names: of the figures. first: what a line begins with.
    """
    names = list(names)
    lines = []
    for row in rows:
        lines.append([*(str(row[key]) for key in first), *(number(row.get(name), name) for name in names)])
        if row["predictor"] == "model":
            lines.append(["- 95% interval", *[""] * (len(first) - 1), *(spread(row, name) for name in names)])
    return markdown([*first, *names], lines) if lines else ""


def of_strangers(rows: Sequence[Row]) -> str:
    """Lips of voices that nobody in training has: all of them in each condition, then adults and children."""
    chosen = [r for r in rows if "condition" in r]
    ordered = sorted(chosen, key=lambda r: r["group"] != "all")  # the order among equals stays
    first = ("predictor", "condition", "group", "voices", "clips")
    return lines_of(ordered, LIP_FIGURES, first)


def of_sampling(rows: Sequence[Row]) -> str:
    """Diversity, calibration, and the mean of eight seeds beside single ones; the model's coefficients below."""
    chosen = [r for r in rows if "seeds" in r]
    lines = [
        f"* {r['source']}: {', '.join(f'{name} {value:.3f}' for name, value in r['calibration'].items())}"
        for r in chosen
        if r["predictor"] == "model" and r["calibration"]
    ]
    table = lines_of(chosen, SAMPLING_FIGURES, ("predictor", "source", "clips", "seeds"))
    return "\n\n".join([table, "Calibration by coefficient:", "\n".join(lines)]) if lines else table


def by_emotion(rows: Sequence[Row]) -> str:
    """The model's figures for each emotion of sources that have several."""
    names = ["LVE", "EVE", "FDD", "FDD_abs", "jawOpen", "mouthSmile", "closed_1mm"]
    chosen = [r for r in rows if r["emotion"] != "all" and r["predictor"] in ("model", "ridge")]
    lines = [
        [r["source"], r["emotion"], r["predictor"], str(r["clips"]), *(number(r[n], n) for n in names)] for r in chosen
    ]
    return markdown(["source", "emotion", "predictor", "clips", *names], lines) if lines else ""


def of_predictor(rows: Sequence[Row], predictor: str, names: Sequence[str]) -> str:
    """Figures that one predictor's rows alone have, each with its interval; counts have none."""
    chosen = [r for r in rows if r["predictor"] == predictor]
    lines = [[r["source"], str(r["clips"]), *(with_spread(r, n) for n in names)] for r in chosen]
    return markdown(["source", "clips", *names], lines) if lines else ""


def with_spread(row: Row, name: str) -> str:
    """A figure and its interval as text, or a count; a dash for what the row does not have."""
    value = row.get(name)
    if value is None or isinstance(value, int):
        return "-" if value is None else str(value)
    return f"{number(value, name)} ({spread(row, name)})"


def units() -> str:
    """What the columns are measured in."""
    every = {**METRICS, **SAMPLING_FIGURES}
    return "Units: " + ", ".join(f"{name} {unit}" for name, unit in every.items()) + "."


def tables(rows: Sequence[Row]) -> str:
    """All rows as Markdown with a heading for each table."""
    sources = dict.fromkeys(r["source"] for r in rows if "LVE" in r)
    ordered = sorted(sources, key=lambda s: s != "mean")
    named = {TITLES["strangers"]: of_strangers(rows)}
    named |= {HEADINGS.get(s, s): of_source(rows, s) for s in ordered}
    named |= {TITLES["sampling"]: of_sampling(rows), "By emotion": by_emotion(rows)}
    named |= {title: of_predictor(rows, name, names) for title, (name, names) in OF_ONE.items()}
    named[TITLES["strangers"]] = named[TITLES["strangers"]] or NO_STRANGERS
    parts = [f"## {title}\n\n{text}" for title, text in named.items() if text]
    return "\n\n".join([*parts, units()])

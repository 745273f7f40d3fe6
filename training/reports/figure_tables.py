"""Rows of figures as Markdown tables that are readable as plain text too."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from training.evaluation.scores import METRICS, Row

HEADINGS = {
    "mean": "Mean over sources, each weighing the same",
    "ravdess": "ravdess: speech of actors never seen",
    "ravdess_song": "ravdess_song: songs of actors never seen",
    "facegood": "facegood: a clip of a speaker in training",
    "grid": "grid: sentences of a speaker in training",
}
OF_ONE = {
    "Neutral speech of unseen actors said happily and sadly: the change against the measured one, and lip closure": (
        "emotion control",
        (
            "cosine_upper_face",
            "cosine_mouth_corners",
            "closure_happy",
            "false_closure_happy",
            "closure_sad",
            "false_closure_sad",
        ),
    ),
    "Retrieval by voice: emotion of eight, and same or different speaker from 3 s, on two unseen actors": (
        "listener",
        ("emotion_accuracy", "identity_EER"),
    ),
}
"""Title of a table, the predictor of its rows, and its columns."""

DECIMALS = {"LVE": 2, "EVE": 2, "FDD": 1, "FDD_abs": 1, "diversity": 2}


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
    """One line a predictor, and the model's intervals below it."""
    columns = ["predictor", "clips", *(f"{name}" for name in METRICS)]
    lines = []
    for row in (r for r in rows if r["source"] == source and r["emotion"] == "all" and "LVE" in r):
        lines.append([row["predictor"], str(row["clips"]), *(number(row[name], name) for name in METRICS)])
        if row["predictor"] == "model":
            lines.append(["- 95% interval", "", *(spread(row, name) for name in METRICS)])
    return markdown(columns, lines)


def by_emotion(rows: Sequence[Row]) -> str:
    """The model's figures for each emotion of sources that have several."""
    names = ["LVE", "EVE", "FDD", "FDD_abs", "jawOpen", "mouthSmile", "closure"]
    chosen = [r for r in rows if r["emotion"] != "all" and r["predictor"] in ("model", "ridge")]
    lines = [
        [r["source"], r["emotion"], r["predictor"], str(r["clips"]), *(number(r[n], n) for n in names)] for r in chosen
    ]
    return markdown(["source", "emotion", "predictor", "clips", *names], lines) if lines else ""


def of_predictor(rows: Sequence[Row], predictor: str, names: Sequence[str]) -> str:
    """Figures that one predictor's rows alone have, each with its interval."""
    chosen = [r for r in rows if r["predictor"] == predictor]
    lines = [[str(r["clips"]), *(f"{number(r[n], n)} ({spread(r, n)})" for n in names)] for r in chosen]
    return markdown(["clips", *names], lines) if lines else ""


def units() -> str:
    """What the columns are measured in."""
    return "Units: " + ", ".join(f"{name} {unit}" for name, unit in METRICS.items()) + "."


def tables(rows: Sequence[Row]) -> str:
    """All rows as Markdown with a heading for each table."""
    sources = dict.fromkeys(r["source"] for r in rows)
    ordered = sorted(sources, key=lambda s: s != "mean")
    parts = [f"## {HEADINGS.get(s, s)}\n\n{of_source(rows, s)}" for s in ordered]
    named = {"By emotion": by_emotion(rows)}
    named |= {title: of_predictor(rows, name, names) for title, (name, names) in OF_ONE.items()}
    parts += [f"## {title}\n\n{text}" for title, text in named.items() if text]
    return "\n\n".join([*parts, units()])

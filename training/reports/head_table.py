"""Recorded heads and made ones, side by side: ``python -m training head-figures``."""

from __future__ import annotations

import json
from typing import Any

import numpy as np

from dtalker_model.card import model_path
from dtalker_model.gesture.head_model import read_head_model
from training.corpus.clips import corpus_folder
from training.heads.compare import compare, recorded
from training.heads.figures import TURN_NAMES, figures
from training.heads.motion import read_head_tracks


def main(model: str, as_json: bool) -> None:
    """Print the figures of the recorded heads; with a `model`, of those that it makes of held-back actors' voices."""
    train, held_back = (read_head_tracks(corpus_folder(), split) for split in ("train", "val"))
    if model:
        content = compare(read_head_model(model_path(model)), held_back, [*train, *held_back])
    else:
        content = {"training actors": figures(recorded(train)), "held-back actors": figures(recorded(held_back))}
    print(json.dumps(content, indent=1) if as_json else table(content))


def table(content: dict[str, Any]) -> str:
    """Markdown: a column for each set of heads and turn."""
    sets = {name: part for name, part in content.items() if "spectrum_db" in part}
    titles = [f"{name}, {turn}" for name in sets for turn in TURN_NAMES]
    lines = [_row("", titles), _row("---", ["---:"] * len(titles))]
    bands = next(iter(sets.values()))["spectrum_db"]
    for band in bands:
        lines.append(_row(f"{band} Hz, dB rad²/Hz", [v for part in sets.values() for v in part["spectrum_db"][band]]))
    lines.append(_row("5th to 95th percentile, rad", [v for part in sets.values() for v in part["range_rad"]]))
    for name in next(iter(sets.values()))["correlation"]:
        lines.append(_row(f"r with {name}", [v for part in sets.values() for v in part["correlation"][name]]))
    looks = [f"looks, {name}: {_looks(part['looks'])}" for name, part in sets.items() if "looks" in part]
    apart = [f"from {name}: {_apart(part)}" for name, part in content.get("difference", {}).items()]
    return "\n".join([*lines, "", *looks, *apart])


def _row(title: str, cells: list[Any]) -> str:
    return "| " + " | ".join([title, *(f"{c:.3g}" if isinstance(c, float) else str(c) for c in cells)]) + " |"


def _looks(looks: dict[str, Any]) -> str:
    return ", ".join(f"{name} {np.round(value, 3).tolist()}" for name, value in looks.items())


def _apart(part: dict[str, Any]) -> str:
    apart, ranges = part["spectrum_db"], part["range"]
    return "; ".join(f"{turn} {apart[turn]:.1f} dB, {ranges[turn]:.2f} of the range" for turn in TURN_NAMES)

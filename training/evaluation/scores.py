"""All figures of one predictor on clips of one source, and rows of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from dtalker_model.blendshapes import INDEX
from training.corpus.clips import Clip
from training.corpus.face_basis import FaceBasis
from training.evaluation.bootstrap import Figure, mean_figure
from training.evaluation.closure import MEET_MM, Phones, closures
from training.evaluation.dynamics import fdd, jitter, sees_upper_face
from training.evaluation.metrics import Pair, blocks, correlation_figure, vertex_error

MAIN_COEFFICIENTS = {
    "jawOpen": ("jawOpen",),
    "mouthFunnel": ("mouthFunnel",),
    "mouthPucker": ("mouthPucker",),
    "mouthSmile": ("mouthSmileLeft", "mouthSmileRight"),
}
"""Their names and what of them is averaged."""

METRICS = {
    "LVE": "1e-5 m2",
    "EVE": "1e-5 m2",
    "FDD": "1e-7 m2",
    "FDD_abs": "1e-7 m2",
    **dict.fromkeys(MAIN_COEFFICIENTS, "r"),
    "closure": "share",
    "false_closure": "share",
    "jitter": "ratio",
    "diversity": "mm",
}
"""Every figure of motion, in the order in which it is printed, and its unit."""

Row = dict[str, Any]
"""Names and figures; each figure has its 95% interval beside it as NAME_low and NAME_high, and is None if undefined."""


def score(pairs: Sequence[Pair], phones: Sequence[Phones], face: FaceBasis, source: str) -> dict[str, Figure]:
    """Figures of predictions for clips of one source, by name of `METRICS`; those that it cannot have are left out.

    Args:
        pairs, phones: one a clip.
        source: decides how near lips must be to meet (`MEET_MM`).
    """
    pieces = blocks(pairs)
    found = {"LVE": vertex_error(pieces, face.lips_cm)}
    if sees_upper_face(pairs):
        found["EVE"] = vertex_error(pieces, face.upper_cm)
        found["FDD"], found["FDD_abs"] = fdd(pairs, face.upper_cm)
    for name, parts in MAIN_COEFFICIENTS.items():
        if all(p.observed[:, INDEX[part]].any() for p in pairs for part in parts):
            found[name] = correlation_figure(pieces, [INDEX[part] for part in parts])
    if source in MEET_MM:
        found["closure"], found["false_closure"] = closures(pairs, phones, face, MEET_MM[source])
    found["jitter"] = jitter(pieces)
    return found


def row(names: Mapping[str, str], clips: Sequence[Clip] | int, figures: Mapping[str, Figure]) -> Row:
    """One row: its names, the number of clips, every figure with its interval."""
    out: Row = {**names, "clips": clips if isinstance(clips, int) else len(clips)}
    for name in METRICS:
        figure = figures.get(name, Figure(np.zeros((0, 2))))
        out |= entry(name, figure.value, figure.interval)
    return out


def mean_row(names: Mapping[str, str], clips: int, sources: Sequence[Mapping[str, Figure]]) -> Row:
    """The mean over sources, each weighing the same; a source that cannot have a figure is left out of its mean."""
    out: Row = {**names, "clips": clips}
    for name in METRICS:
        out |= entry(name, *mean_figure([figures[name] for figures in sources if name in figures]))
    return out


def entry(name: str, value: float, interval: tuple[float, float]) -> Row:
    """A figure and its interval, rounded to four decimals; None where it is not defined."""
    named = {name: value, f"{name}_low": interval[0], f"{name}_high": interval[1]}
    known = np.isfinite(value)
    return {key: round(x, 4) if known and np.isfinite(x) else None for key, x in named.items()}

"""All figures of one predictor on clips of one source, and rows of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from dtalker_model.blendshapes import INDEX
from training.corpus.clips import Clip
from training.corpus.face_basis import FaceBasis
from training.evaluation.bootstrap import Figure, mean_figure
from training.evaluation.dynamics import REGIONS, amplitude_ratio, fdd, jerk_ratio, sees_upper_face
from training.evaluation.lips import LIP_FIGURES, Phones, lip_figures, lip_sums, lips_of
from training.evaluation.metrics import Pair, blocks, correlation_figure, vertex_error
from training.evaluation.motion_windows import frechet

MAIN_COEFFICIENTS = {
    "jawOpen": ("jawOpen",),
    "mouthFunnel": ("mouthFunnel",),
    "mouthPucker": ("mouthPucker",),
    "mouthSmile": ("mouthSmileLeft", "mouthSmileRight"),
}
"""Their names and what of them is averaged."""

AMPLITUDES = {
    **MAIN_COEFFICIENTS,
    "mouthLowerDown": ("mouthLowerDownLeft", "mouthLowerDownRight"),
    "mouthUpperUp": ("mouthUpperUpLeft", "mouthUpperUpRight"),
    "browInnerUp": ("browInnerUp",),
    "browDown": ("browDownLeft", "browDownRight"),
}
"""Those whose amplitude is compared with the recordings'."""

ERRORS = {
    "LVE": "1e-5 m2",
    "EVE": "1e-5 m2",
    "FDD": "1e-7 m2",
    "FDD_abs": "1e-7 m2",
    **dict.fromkeys(MAIN_COEFFICIENTS, "r"),
}
MOVEMENT = {
    **{f"amp_{name}": "ratio" for name in AMPLITUDES},
    **dict.fromkeys(("jerk", *(f"jerk_{region}" for region in REGIONS)), "ratio"),
    **{f"frechet_{region}": "0 as recorded, 1 frozen" for region in REGIONS},
}
METRICS = {**ERRORS, **MOVEMENT, **LIP_FIGURES}
"""Every figure beside recordings, in the order in which it is printed, and its unit."""

Row = dict[str, Any]
"""Names and figures; each figure has its 95% interval beside it as NAME_low and NAME_high, and is None if undefined."""


def score(pairs: Sequence[Pair], phones: Sequence[Phones], face: FaceBasis) -> dict[str, Figure]:
    """Figures of predictions for clips of one source, by name of `METRICS`; those that it cannot have are left out.

    Args:
        pairs, phones: one a clip. Lips are measured where any clip has phones.
    """
    pieces = blocks(pairs)
    found = {"LVE": vertex_error(pieces, face.lips_cm)}
    if sees_upper_face(pairs):
        found["EVE"] = vertex_error(pieces, face.upper_cm)
        found["FDD"], found["FDD_abs"] = fdd(pairs, face.upper_cm)
    for name, parts in MAIN_COEFFICIENTS.items():
        if all(p.observed[:, INDEX[part]].any() for p in pairs for part in parts):
            found[name] = correlation_figure(pieces, [INDEX[part] for part in parts])
    found |= movement(pairs)
    if any(len(spoken) for spoken in phones):
        sums = [lip_sums(lips_of(p.prediction, p.times_s, face), spoken) for p, spoken in zip(pairs, phones)]
        found |= lip_figures(sums)
    return found


def movement(pairs: Sequence[Pair]) -> dict[str, Figure]:
    """Figures of `MOVEMENT`: how far, how smoothly and in which manner the face moves, whenever it does."""
    pieces = blocks(pairs)
    found = {f"amp_{name}": amplitude_ratio(pairs, [INDEX[p] for p in parts]) for name, parts in AMPLITUDES.items()}
    found["jerk"] = jerk_ratio(pieces)
    for region, coefficients in REGIONS.items():
        found[f"jerk_{region}"] = jerk_ratio(pieces, coefficients)
        found[f"frechet_{region}"] = frechet(pieces, coefficients)
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

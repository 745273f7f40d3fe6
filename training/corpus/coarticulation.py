"""Labelled synthetic motion from phones: visemes that overlap by dominance functions (Cohen and Massaro 1993).

Each segment s pulls each blendshape p towards its target T[s, p]; how strongly, its dominance says, which falls off
with the time between the moment and the segment::

    F[p](t) = sum_s D[s, p](t) T[s, p] / sum_s D[s, p](t)                     their equation (5)
    D[s, p](t) = alpha[s, p] exp(-theta[s, p] |tau_s(t)|)                      their equations (1) to (4), with c = 1

theta is one rate before the segment (anticipation) and another after it (carry-over). tau is the time to the segment's
nearer end, 0 within it, where they count from its centre: a pause of a second is then as still in its middle as at its
ends, and no duration needs a rate of its own.

The parameters are in ``visemes.json``, made by ``python -m training data visemes``;
`training.corpus.coarticulation_fit` says how. It is fitted to GRID alone: one man, 824 sentences with most phones,
under CC BY 4.0. On its validation sentences r = 0.89 for `jawOpen` and 0.74 for `mouthPucker` (ridge from audio: 0.84
and 0.51). RAVDESS, with its two acted sentences, is explained by phones alone to 0.28 (`jawOpen`, unseen actors);
fitted together, both get worse.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from dtalker_model.blendshapes import INDEX
from training.corpus.phones import PHONES, UNKNOWN, phone_index

NEIGHBOURS = 5
"""Segments on either side that still pull."""
SHIPPED = Path(__file__).with_name("visemes.json")
Phones = Sequence[tuple[str, float, float]]
"""(name, start_s, duration_s), in order of time."""


@dataclass(frozen=True)
class Visemes:
    """The fitted parameters. P phones in the order of `training.corpus.phones.PHONES`, C blendshapes.

    Attributes:
        coefficients: (C,) indices of the blendshapes in ARKit order.
        target: (P, C), 0..1 above the resting face.
        strength: (P, C), natural logarithm of alpha.
        anticipation_per_s, carry_over_per_s: (P, C), theta before and after the segment, in 1/s, above 0.
        sources, licence: what they were fitted to, and the licence that follows for what they generate.
    """

    coefficients: np.ndarray
    target: np.ndarray
    strength: np.ndarray
    anticipation_per_s: np.ndarray
    carry_over_per_s: np.ndarray
    sources: tuple[str, ...]
    licence: str


@dataclass(frozen=True)
class Neighbourhood:
    """The segments around each of N moments, K = 2 * NEIGHBOURS + 1.

    Attributes:
        phones: (N, K) index of the phone; `UNKNOWN` where there is no segment.
        before_s, after_s: (N, K) time until the segment begins, and since it ended; 0 where that has not to be waited.
    """

    phones: np.ndarray
    before_s: np.ndarray
    after_s: np.ndarray


def neighbourhood(phones: Phones, times_s: np.ndarray) -> Neighbourhood:
    """The segments around each moment of `times_s` (N,), in seconds. Raises ValueError where there is no segment."""
    if not phones:
        raise ValueError("no phones: align the clip first")
    names = np.array([phone_index(name) for name, *_ in phones])
    start_s, length_s = np.array([phone[1:] for phone in phones], float).T
    nearest = np.clip(np.searchsorted(start_s, times_s, side="right") - 1, 0, len(names) - 1)
    at = nearest[:, None] + np.arange(-NEIGHBOURS, NEIGHBOURS + 1)
    inside = np.clip(at, 0, len(names) - 1)
    waiting, gone = start_s[inside] - times_s[:, None], times_s[:, None] - (start_s + length_s)[inside]
    return Neighbourhood(
        np.where(at == inside, names[inside], UNKNOWN), np.maximum(waiting, 0.0), np.maximum(gone, 0.0)
    )


def curves(visemes: Visemes, phones: Phones, times_s: np.ndarray) -> np.ndarray:
    """Blendshapes (N, 52) float32 in 0..1 at `times_s` (N,); zero for those that the model does not know.

    Raises:
        ValueError: no phones, or none of them is known.
    """
    around = neighbourhood(phones, times_s)
    known = around.phones != UNKNOWN
    if not known.any(axis=1).all():
        raise ValueError("a moment has no known phone around it: are the phones ARPAbet?")
    dominance = visemes.strength[around.phones]
    dominance = dominance - visemes.anticipation_per_s[around.phones] * around.before_s[..., None]
    dominance = dominance - visemes.carry_over_per_s[around.phones] * around.after_s[..., None]
    dominance = np.where(known[..., None], dominance, -np.inf)
    share = np.exp(dominance - dominance.max(axis=1, keepdims=True))
    blended = (share * visemes.target[around.phones]).sum(axis=1) / share.sum(axis=1)
    weights = np.zeros((len(times_s), 52), np.float32)
    weights[:, visemes.coefficients] = blended.clip(0, 1)
    return weights


def save(visemes: Visemes, path: Path, about: dict) -> None:
    """Write the parameters as JSON, rounded, with `about` in front."""
    names = {i: name for name, i in INDEX.items()}
    tables = {name: getattr(visemes, name).round(digits).tolist() for name, digits in _DECIMALS.items()}
    fields: dict[str, Any] = {"coefficients": [names[i] for i in visemes.coefficients], "phones": list(PHONES)}
    fields |= {"sources": list(visemes.sources), "licence": visemes.licence}
    rows = [f'"{name}": [\n' + ",\n".join(map(_compact, table)) + "\n]" for name, table in tables.items()]
    head = [f'"{name}": {json.dumps(value)}' for name, value in (about | fields).items()]
    path.write_text("{\n" + ",\n".join(head + rows) + "\n}\n", encoding="utf-8")


def _compact(row: list[float]) -> str:
    return "[" + ",".join(f"{value:g}" for value in row) + "]"


_DECIMALS = {"target": 3, "strength": 2, "anticipation_per_s": 1, "carry_over_per_s": 1}


def load(path: Path) -> Visemes:
    """Parameters from a file that `save` wrote. Raises ValueError where it is another one."""
    try:
        held = json.loads(path.read_text(encoding="utf-8"))
        tables = {name: np.array(held[name], np.float32) for name in _DECIMALS}
        coefficients = np.array([INDEX[name] for name in held["coefficients"]])
        sources, licence, phones = tuple(held["sources"]), str(held["licence"]), tuple(held["phones"])
    except (json.JSONDecodeError, KeyError, TypeError) as error:
        raise ValueError(f"{path} holds no visemes: {error!r}") from None
    if phones != PHONES or any(table.shape != (len(PHONES), len(coefficients)) for table in tables.values()):
        raise ValueError(f"{path}: tables must have a row for each of {len(PHONES)} phones")
    return Visemes(coefficients, **tables, sources=sources, licence=licence)

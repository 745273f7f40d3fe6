"""Saccades and looks of recorded eyes: how often the aim jumps, how far, and how much of the time it is elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

JUMP_RAD = 0.06
"""A look ends where the aim leaves its middle by more than this for two frames; the tracker's noise is half of it."""
AVERTED_RAD = 0.1
"""Looks farther from the middle of all looks than this go past the person in front."""


@dataclass(frozen=True)
class Looks:
    """Statistics of looks.

    Attributes:
        contact_s, averted_s: mean length of looks at the person in front and past them.
        aversion: part of the looks that go past.
        near_rad, far_rad: deviation of either kind, to the side and in height.
        saccades_hz: jumps a second.
    """

    contact_s: float
    averted_s: float
    aversion: float
    near_rad: tuple[float, float]
    far_rad: tuple[float, float]
    saccades_hz: float


def split_looks(aim: np.ndarray, seen: np.ndarray) -> list[tuple[int, np.ndarray]]:
    """Looks of one clip: frames that each lasts and its middle (2,); aim (N, 2) rad, blinks left out (seen False)."""
    aim = aim[seen]
    looks: list[tuple[int, np.ndarray]] = []
    begin = 0
    for k in range(2, len(aim) + 1):
        middle = np.median(aim[begin:k], axis=0)
        over = k == len(aim)
        if over or ((np.hypot(*(aim[k - 2 : k] - middle).T) > JUMP_RAD).all() and k - 2 > begin):
            end = k if over else k - 2
            looks.append((end - begin, np.median(aim[begin:end], axis=0)))
            begin = end
    return looks


def measure_looks(aims: Sequence[np.ndarray], seen: Sequence[np.ndarray], fps: float) -> Looks:
    """Statistics over clips. A look that a clip's end cuts short counts with its time but not as an ending: the mean
    length is the time spent in a kind of look for each one that ended (the estimate for exponential lengths)."""
    kinds: dict[bool, list[np.ndarray]] = {False: [], True: []}
    frames, ended = {False: 0, True: 0}, {False: 0, True: 0}
    for aim, visible in zip(aims, seen):
        looks = split_looks(aim, visible)
        for number, (length, middle) in enumerate(looks):
            past = bool(np.hypot(*middle) > AVERTED_RAD)
            kinds[past].append(middle)
            frames[past] += length
            ended[past] += number < len(looks) - 1
    mean_s = {past: frames[past] / fps / max(ended[past], 1) for past in kinds}
    near, far = (_deviation(kinds[past]) for past in (False, True))
    count = len(kinds[False]) + len(kinds[True])
    return Looks(
        contact_s=mean_s[False],
        averted_s=mean_s[True],
        aversion=len(kinds[True]) / max(count, 1),
        near_rad=near,
        far_rad=far,
        saccades_hz=sum(ended.values()) * fps / max(sum(frames.values()), 1),
    )


def _deviation(middles: list[np.ndarray]) -> tuple[float, float]:
    """From straight ahead, to the side and in height, of looks at `middles` (2,)."""
    side, height = np.sqrt(np.square(np.reshape(middles, (-1, 2))).sum(axis=0) / max(len(middles), 1))
    return float(side), float(height)

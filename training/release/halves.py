"""Blendshapes that no source recorded, where the two halves of the face went apart in training.

Poses alone teach them, in the emotions that are posed; at rest nothing does, and each half drifts to its own place. In
recordings both halves are alike, so the left one becomes the right one's copy: the same weights for the same noise.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import numpy as np
import torch

from dtalker_model.blendshapes import LEFT_OF, UPPER_FACE
from dtalker_model.networks.network import Student
from training.corpus.clips import Clip, load_motion

CLIPS_A_SOURCE = 5
"""So many tell what a source records: its tracker is the same for all."""


def recorded(clips: Sequence[Clip]) -> np.ndarray:
    """(52,) bool: whether any source of `clips` records a blendshape."""
    by_source: dict[str, list[Clip]] = defaultdict(list)
    for clip in clips:
        if clip.motion:
            by_source[clip.source].append(clip)
    first = [clip for mine in by_source.values() for clip in mine[:CLIPS_A_SOURCE]]
    return np.any([load_motion(clip).observed.any(axis=0) for clip in first], axis=0)


def unrecorded_pairs(known: np.ndarray) -> list[tuple[int, int]]:
    """Indices (left, right) of the upper face's pairs that are not `known` (52,)."""
    return [(LEFT_OF[i], i) for i in UPPER_FACE if LEFT_OF[i] != i and not (known[i] or known[LEFT_OF[i]])]


@torch.no_grad()
def halves_alike(student: Student, pairs: Sequence[tuple[int, int]]) -> None:
    """Give the left one of each of `pairs` the right one's weights, rest, range and noise."""
    decoder = student.decoder
    last = decoder.mlp[-1]
    assert isinstance(last, torch.nn.Linear)
    rows = [each for layer in (last, decoder.direct, decoder.style) for each in (layer.weight, layer.bias)]
    rows += [decoder.range.T, student.motion_mean, student.motion_scale, student.colour.taps]
    for left, right in pairs:
        for each in rows:
            each[left] = each[right]

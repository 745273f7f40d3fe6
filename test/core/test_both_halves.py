"""What a viewer sees at once: eyes that look one way, lids and brows that move together. With the shipped models."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

import dtalker_model
from dtalker_model.blendshapes import ARKIT_NAMES, LEFT_OF, UPPER_FACE
from dtalker_model.rates import SAMPLE_RATE_HZ

TOGETHER = 0.8
"""Least correlation of the two halves; 1.0 in RAVDESS' recordings, .0 to .6 where each had noise of its own."""
VISIBLE = 0.01
"""Deviation below which a blendshape hardly moves."""

PAIRS = [(LEFT_OF[i], i) for i in UPPER_FACE if LEFT_OF[i] != i]


@pytest.mark.parametrize("model", ["dtalker", "dtalker-open"])
def test_eyes_lids_and_brows_move_together(model: str, demo_wav: Path) -> None:
    talker = dtalker_model.load(model, blink=False, idle=False)
    speech = soundfile.read(demo_wav, dtype="float32")[0]
    frames = np.stack([frame.weights for frame in talker.push(speech, SAMPLE_RATE_HZ) + talker.flush()])
    moving = [(a, b) for a, b in PAIRS if min(frames[:, a].std(), frames[:, b].std()) > VISIBLE]
    assert len(moving) >= 3
    for a, b in moving:
        r = np.corrcoef(frames[:, a], frames[:, b])[0, 1]
        assert r > TOGETHER, f"{ARKIT_NAMES[a]} and {ARKIT_NAMES[b]}: r {r:.2f}"

"""The talker node with frames that tell what they show: `weights[0]` is the first sample, as an integer, that a frame
covers. Run as a script, with the arguments of the node; for 16 kHz.
"""

import sys
from dataclasses import replace
from typing import Any

import numpy as np

import dtalker_model
from dtalker_ros.nodes import talker_node

LOAD = dtalker_model.load


class Numbered:
    """A `Talker` whose frames carry the first sample that they show."""

    def __init__(self, talker: Any) -> None:
        self._talker = talker
        self._heard = np.zeros(0, np.float32)
        self._first = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._talker, name)

    def reset(self) -> None:
        self._talker.reset()
        self._heard, self._first = np.zeros(0, np.float32), 0

    def push(self, pcm: np.ndarray, sample_rate_hz: int) -> list[Any]:
        self._heard = np.concatenate([self._heard, pcm[:, 0].astype(np.float32)])
        return [self._numbered(frame) for frame in self._talker.push(pcm, sample_rate_hz)]

    def _numbered(self, frame: Any) -> Any:
        self._heard, self._first = self._heard[frame.start_sample - self._first :], frame.start_sample
        weights = frame.weights.copy()
        weights[0] = self._heard[0]
        return replace(frame, weights=weights)


if __name__ == "__main__":
    talker_node.dtalker_model.load = lambda *args, **options: Numbered(LOAD(*args, **options))  # type: ignore
    sys.exit(talker_node.main())

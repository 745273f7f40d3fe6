"""Features of frozen ears, computed once per clip and speed and kept on disk."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np

from training.corpus.clips import Clip


class Kept:
    """Ears whose rows of clips are kept in a folder; rows are mapped, not read, until they are asked for."""

    def __init__(self, hear: Callable[[np.ndarray], np.ndarray], folder: Path, name: str) -> None:
        """hear: audio to rows (T, D) float16. name: of the ears, part of the files' names."""
        self.hear, self.folder, self.name = hear, folder, name
        folder.mkdir(parents=True, exist_ok=True)

    def __call__(self, audio: np.ndarray) -> np.ndarray:
        """Rows (T, D) of audio that is no clip: nothing is kept."""
        return self.hear(audio)

    def of_clip(self, clip: Clip, speed: float, audio: np.ndarray) -> np.ndarray:
        """Rows (T, D) of `audio`, which is the clip at `speed`."""
        path = self.folder / f"{self.name}-{clip.source}-{clip.id}-{speed:g}.npy"
        if not path.is_file():
            beside = path.with_suffix(f".{os.getpid()}.part.npy")
            np.save(beside, self.hear(audio))
            os.replace(beside, path)
        rows: np.ndarray = np.load(path, mmap_mode="r")
        return rows

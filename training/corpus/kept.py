"""Features of frozen ears, computed once per clip and speed and kept on disk."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

import numpy as np

from training.corpus.clips import Clip


@dataclass(frozen=True)
class KeptRows:
    """Rows (T, D) that stay in their file, which is open only while some are read.

    A mapped array would hold its file open all the time, and a process may open 1024 files on most systems.

    Attributes:
        path: of the ``.npy``.
        shape, dtype: as of the array in it.
    """

    path: Path
    shape: tuple[int, ...]
    dtype: np.dtype[Any]

    @classmethod
    def of(cls, path: Path) -> KeptRows:
        """The rows in a file; only its header is read."""
        mapped = np.load(path, mmap_mode="r")
        return cls(path, mapped.shape, mapped.dtype)

    @property
    def ndim(self) -> int:
        """Dimensions."""
        return len(self.shape)

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, index: Any) -> np.ndarray:
        return np.array(np.load(self.path, mmap_mode="r")[index])

    def __setitem__(self, index: Any, value: Any) -> NoReturn:
        raise ValueError(f"{self.path.name}: kept rows are read-only")

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        """All rows; they are read anew, so that nobody else has them."""
        return np.load(self.path).astype(dtype or self.dtype, copy=False)


Rows = np.ndarray | KeptRows
"""What ears heard of a clip, (T, D): in memory, or on disk."""


class Kept:
    """Ears whose rows of clips are kept in a folder, and are read when they are asked for."""

    def __init__(self, hear: Callable[[np.ndarray], np.ndarray], folder: Path, name: str) -> None:
        """hear: audio to rows (T, D) float16. name: of the ears and their model, part of the files' names."""
        self.hear, self.folder, self.name = hear, folder, name
        folder.mkdir(parents=True, exist_ok=True)

    def __call__(self, audio: np.ndarray) -> np.ndarray:
        """Rows (T, D) of audio that is no clip: nothing is kept."""
        return self.hear(audio)

    def of_clip(self, clip: Clip, speed: float, audio: np.ndarray) -> KeptRows:
        """Rows (T, D) of `audio`, which is the clip at `speed`."""
        path = self.folder / f"{self.name}-{clip.source}-{clip.id}-{speed:g}.npy"
        if not path.is_file():
            beside = path.with_suffix(f".{os.getpid()}.part.npy")
            np.save(beside, self.hear(audio))
            os.replace(beside, path)
        return KeptRows.of(path)

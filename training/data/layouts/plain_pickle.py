"""Pickles of plain containers and numpy arrays, as VOCASET ships; anything that could run code is refused."""

from __future__ import annotations

import importlib
import pickle
from pathlib import Path
from types import ModuleType
from typing import Any

_ALLOWED = {
    ("numpy", "dtype"),
    ("numpy", "ndarray"),
    ("numpy.core.multiarray", "_reconstruct"),
    ("numpy.core.multiarray", "scalar"),
    ("numpy._core.multiarray", "_reconstruct"),
    ("numpy._core.multiarray", "scalar"),
    ("_codecs", "encode"),
    ("collections", "OrderedDict"),
}


class _Plain(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in _ALLOWED:
            raise pickle.UnpicklingError(f"it holds {module}.{name}, and only plain data is read")
        if module.startswith("numpy") and name in ("_reconstruct", "scalar"):
            return getattr(_multiarray(), name)
        return super().find_class(module, name)


def _multiarray() -> ModuleType:
    try:
        return importlib.import_module("numpy._core.multiarray")
    except ModuleNotFoundError:  # numpy 1
        return importlib.import_module("numpy.core.multiarray")


def read(path: Path) -> Any:
    """The object in a pickle of Python 2 or 3.

    Raises:
        ValueError: the file is no pickle, or holds something other than containers, numbers, strings and arrays.
    """
    try:
        with open(path, "rb") as file:
            return _Plain(file, encoding="latin1").load()
    except (pickle.UnpicklingError, EOFError, AttributeError, ImportError, IndexError, UnicodeDecodeError) as error:
        raise ValueError(f"{path.name} cannot be read: {error}") from None

"""Libraries that only some sinks need."""

import importlib
from typing import Any

from dtalker_model.errors import SinkError


def needed(module: str, package: str) -> Any:
    """The module, imported now; raises `SinkError` that says how to get it."""
    try:
        return importlib.import_module(module)
    except ImportError:
        raise SinkError(f"needs the Python package {package}: pip install {package}") from None

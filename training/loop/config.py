"""Configurations are frozen dataclasses; files hold what differs from their defaults. Unknown keys are refused."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar, get_type_hints

Config = TypeVar("Config")


def read(kind: type[Config], path: Path | None) -> Config:
    """A configuration of `kind` from a JSON file; its defaults where `path` is None.

    Raises:
        ValueError: the file is not JSON, or holds a key that `kind` does not have.
    """
    return from_dict(kind, {} if path is None else json.loads(path.read_text(encoding="utf-8")))


def from_dict(kind: type[Config], values: Mapping[str, Any]) -> Config:
    """A configuration from plain data, nested dataclasses included."""
    assert dataclasses.is_dataclass(kind)
    types = get_type_hints(kind)
    unknown = sorted(set(values) - set(types))
    if unknown:
        raise ValueError(f"{kind.__name__} has no setting {', '.join(unknown)}; it has {', '.join(sorted(types))}")
    return kind(**{name: _as(types[name], value) for name, value in values.items()})


def _as(kind: Any, value: Any) -> Any:
    if dataclasses.is_dataclass(kind) and isinstance(kind, type):
        return from_dict(kind, value)
    return tuple(value) if isinstance(value, list) else value

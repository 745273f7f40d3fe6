"""The shipped model, for tests that damage it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from dtalker_model.card import card_path, listener_path, model_path


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of the shipped model, its card and its listener that a test may change."""
    shipped = model_path("dtalker")
    for path in (shipped, card_path(shipped), listener_path(shipped)):
        shutil.copyfile(path, tmp_path / path.name)
    return tmp_path / shipped.name

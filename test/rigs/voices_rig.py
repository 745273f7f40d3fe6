"""Voices for the tests of the user's library."""

from __future__ import annotations

from pathlib import Path

import pytest

from dtalker_model.card import ModelCard
from dtalker_model.voices.voices import Voice

SHA256 = "ab" * 32


def voice(name: str, model_sha256: str = SHA256, first: float = 0.5) -> Voice:
    """A voice of a model with embeddings of two."""
    return Voice(name, "test", model_sha256, (first, 0.25), (0.0, -first), 4.5, "2026-11-21")


def card(sha256: str = SHA256, listener_sha256: str = "ef" * 32) -> ModelCard:
    """The card of that model; without a digest it has no listener."""
    return ModelCard(
        name="test",
        description="",
        identities={"default": (0.0, 0.0), "ann": (1.0, 0.0)},
        emotions={"neutral": (0.0, 0.0), "happy": (0.0, 1.0)},
        steps=2,
        sha256=sha256,
        parameters=0,
        training_data=(),
        licence="",
        listener_sha256=listener_sha256,
        listener_identities=("default", "bob"),
    )


@pytest.fixture
def library_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the user's library would be; nothing is there yet."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    return tmp_path / "data" / "dtalker" / "voices.safetensors"

"""Fixtures for all tests."""

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="session")
def corpus() -> Path:
    """Folder of the training corpus: ``$DTALKER_CORPUS``, else ``shared/corpus`` beside the checkout; skips without."""
    folder = Path(os.environ.get("DTALKER_CORPUS", ROOT.parent / "shared" / "corpus"))
    if not (folder / "manifest.jsonl").is_file():
        pytest.skip(f"no corpus at {folder} (set DTALKER_CORPUS)")
    return folder


@pytest.fixture(scope="session")
def demo_wav() -> Path:
    """The bundled speech clip: 10 s, 16 kHz, mono, int16."""
    return ROOT / "dtalker_model" / "data" / "demo.wav"

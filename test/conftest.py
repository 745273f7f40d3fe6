"""Fixtures for all tests."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from checkout import ROOT


@pytest.fixture(scope="session")
def corpus() -> Path:
    """Folder of the training corpus: ``$DTALKER_CORPUS``, else ``shared/corpus`` beside the checkout; skips without."""
    folder = Path(os.environ.get("DTALKER_CORPUS", ROOT.parent / "shared" / "corpus"))
    if not (folder / "manifest.jsonl").is_file():
        pytest.skip(f"no corpus at {folder} (set DTALKER_CORPUS)")
    return folder


@pytest.fixture(scope="session", autouse=True)
def _voices_of_nobody(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """No test sees or changes the voices that the user of this machine enrolled, nor do the processes it starts.

    Alignments that are kept for next time are nobody's either.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_DATA_HOME", str(tmp_path_factory.mktemp("data")))
        patch.setenv("DTALKER_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(scope="session")
def demo_wav() -> Path:
    """The bundled speech clip: 10 s, 16 kHz, mono, int16."""
    return ROOT / "dtalker_model" / "data" / "demo.wav"

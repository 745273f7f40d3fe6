"""What the tests of the command line share: running it, speech to run it on, and reading what it wrote."""

import csv
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from checkout import ROOT

import dtalker_model
from dtalker_model.cli.main import BAD_INPUT, main
from dtalker_model.output.pose import POSE_NAMES

Run = subprocess.CompletedProcess[str]


def dtalker(*arguments: str | Path, **kwargs: Any) -> Run:
    """Run the command in a process of its own."""
    command = [sys.executable, "-m", "dtalker_model.cli", *map(str, arguments)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=120, **kwargs)


def refused(*arguments: str | Path, **kwargs: Any) -> str:
    """The one line on stderr of a run that must be refused, without ``dtalker: ``."""
    run = dtalker(*arguments, **kwargs)
    assert run.returncode == BAD_INPUT, run.stderr
    assert run.stdout == ""
    assert run.stderr.startswith("dtalker: ")
    assert run.stderr.count("\n") == 1, run.stderr
    return run.stderr.removeprefix("dtalker: ").rstrip("\n")


def refused_here(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> str:
    """The same in this process, which is quicker."""
    try:
        code = main(list(map(str, arguments)))
    except SystemExit as stop:
        code = stop.code  # type: ignore[assignment]
    out, err = capsys.readouterr()
    assert (code, out, err.count("\n")) == (BAD_INPUT, "", 1), err
    return err.removeprefix("dtalker: ").rstrip("\n")


def voice(seconds: float, rate_hz: int, channels: int = 1) -> np.ndarray:
    """A buzz with syllables, (samples, channels) float64."""
    t = np.arange(round(seconds * rate_hz)) / rate_hz
    buzz = 0.3 * np.sign(np.sin(2 * np.pi * 120 * t)) * np.square(np.sin(2 * np.pi * 2 * t))
    return np.repeat(buzz[:, None], channels, axis=1)


def rows_of(text: str) -> np.ndarray:
    """Times and weights (T, 53) of a CSV, whose header must be right."""
    header, *rows = list(csv.reader(text.splitlines()))
    assert header[:53] == ["time_s", *dtalker_model.ARKIT_NAMES] and header[53:] == list(POSE_NAMES)
    return np.array(rows, np.float64).reshape(-1, 58)[:, :53]


@pytest.fixture
def speech(tmp_path: Path) -> Path:
    """One second of int16 WAV at 16 kHz."""
    path = tmp_path / "speech.wav"
    soundfile.write(path, voice(1, 16_000), 16_000, subtype="PCM_16")
    return path


@pytest.fixture
def face(tmp_path: Path) -> Path:
    return tmp_path / "face.csv"

"""Nothing phones home: no process of ours calls another machine, or writes where it was not told to."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest
from checkout import ROOT
from strace_rig import Reach, home, reach_of, traced

ENTRIES = ("dtalker_model", "dtalker_model.cli.main", "training.__main__")
WAIT_S = 120
REPORT_S = 12
"""onnxruntime looks its host up 9 s after its import; its files are there at once."""


def run(tmp_path: Path, *command: str) -> Reach:
    log = tmp_path / "strace.log"
    done = subprocess.run(
        traced([sys.executable, *command], log),
        cwd=tmp_path,
        env={**home(tmp_path / "home"), "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=WAIT_S,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return reach_of(log, tmp_path)


def import_of_onnxruntime(source: str) -> list[int]:
    """Lines of `source` that import onnxruntime."""
    lines = []
    for node in ast.walk(ast.parse(source)):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
        lines += [node.lineno for name in names if name.split(".")[0] == "onnxruntime"]  # type: ignore[attr-defined]
    return lines


def test_rendering_reaches_nothing_but_its_file(tmp_path: Path, demo_wav: Path) -> None:
    code = (
        "import sys, time; from dtalker_model.cli.main import main; begun = time.monotonic();"
        f"code = main(['render', '--out', 'face.csv', {str(demo_wav)!r}]);"
        f"time.sleep(max(0, begun + {REPORT_S} - time.monotonic())); sys.exit(code)"
    )
    reach = run(tmp_path, "-c", code)
    assert reach.addresses == frozenset()
    assert reach.written_outside(tmp_path / "face.csv.part", tmp_path / "face.csv") == []
    assert tmp_path / "face.csv" in reach.written


def test_the_check_can_fail(tmp_path: Path) -> None:
    """Meta-test: a call to another machine and a file in the home folder are seen (192.0.2.1 is nobody's address)."""
    code = (
        "import pathlib, socket; (pathlib.Path.home() / 'deviceid').write_text('x');"
        "socket.socket(socket.AF_INET, socket.SOCK_DGRAM).connect(('192.0.2.1', 53))"
    )
    reach = run(tmp_path, "-c", code)
    assert reach.addresses == {"192.0.2.1"}
    assert reach.written_outside(tmp_path / "face.csv") == [str(tmp_path / "home" / "deviceid")]


@pytest.mark.parametrize("entry", ENTRIES)
def test_every_entry_point_forbids_reports(tmp_path: Path, entry: str) -> None:
    """Before anybody can import onnxruntime: also in a process in which it comes with another library."""
    code = f"import {entry}, os, sys; print('onnxruntime' in sys.modules, os.environ['ORT_DISABLE_TELEMETRY'])"
    command, env = [sys.executable, "-c", code], home(tmp_path)
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "False 1\n"), done.stderr


def test_onnxruntime_is_imported_in_one_place() -> None:
    packages = ("dtalker_model", "dtalker_ros", "training")
    files = [path for package in packages for path in (ROOT / package).rglob("*.py")]
    found = [path.relative_to(ROOT).as_posix() for path in files if import_of_onnxruntime(path.read_text())]
    assert found == ["dtalker_model/telemetry.py"]
    assert import_of_onnxruntime("def f():\n    from onnxruntime.capi import x") == [2]

"""Builds the message packages in ``test/ros_msgs`` with colcon, once for each content.

The two flavours of `audio_common_msgs` exclude each other, so each has a prefix of its own.
"""

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from checkout import ROOT

SOURCES = ROOT / "test" / "ros_msgs"
BUILD_S = 170


def environment(flavour: str) -> dict[str, str]:
    """Variables with which a process finds the packages of `flavour` ('ros_drivers' or 'mgonzs13')."""
    prefix = _built(flavour)
    packages = next(prefix.glob("lib/python3*/site-packages"), None) or next(
        prefix.glob("local/lib/python3*/dist-packages")
    )
    return {
        "AMENT_PREFIX_PATH": _joined(prefix, "AMENT_PREFIX_PATH"),
        "PYTHONPATH": _joined(packages, "PYTHONPATH"),
        "LD_LIBRARY_PATH": _joined(prefix / "lib", "LD_LIBRARY_PATH"),
    }


def _joined(path: Path, variable: str) -> str:
    return os.pathsep.join(filter(None, [str(path), os.environ.get(variable, "")]))


def _built(flavour: str) -> Path:
    """Install prefix of the packages, built if it is not there yet."""
    if shutil.which("colcon") is None:
        pytest.skip("needs colcon to build the audio message packages")
    place = _cache() / f"{flavour}-{_digest(SOURCES / flavour)}"
    if not (place / "complete").exists():
        shutil.rmtree(place, ignore_errors=True)
        shutil.copytree(SOURCES / flavour, place / "src")
        _colcon(place)
        (place / "complete").touch()
    return place / "install"


def _cache() -> Path:
    venv = ROOT / ".venv"
    folder = (
        venv / "test_messages" if venv.is_dir() else Path(tempfile.gettempdir()) / f"dtalker_messages_{os.getuid()}"
    )
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _digest(folder: Path) -> str:
    digest = hashlib.sha256(f"{sys.version_info[:2]} {os.environ.get('ROS_DISTRO', 'wheels')}".encode())
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        digest.update(path.relative_to(folder).as_posix().encode() + path.read_bytes())
    return digest.hexdigest()[:16]


def _colcon(place: Path) -> None:
    command = ["colcon", "build", "--merge-install", "--cmake-args", f"-DPython3_EXECUTABLE={sys.executable}"]
    command += ["-DPython3_FIND_VIRTUALENV=ONLY", "-DBUILD_TESTING=OFF"]
    env = dict(os.environ)
    if "ROS_DISTRO" not in env:  # the wheels: the virtual environment is the prefix
        env.pop("PYTHONPATH", None)
        env.update(AMENT_PREFIX_PATH=sys.prefix, CMAKE_PREFIX_PATH=sys.prefix, LD_LIBRARY_PATH=f"{sys.prefix}/lib")
    done = subprocess.run(command, cwd=place, env=env, capture_output=True, text=True, timeout=BUILD_S)
    assert done.returncode == 0, (done.stdout + done.stderr)[-4000:]

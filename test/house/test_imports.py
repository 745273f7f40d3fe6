"""Imports go one way, ``training -> dtalker_model <- dtalker_ros``, and the runtime path needs no torch and no ROS."""

import ast
import json
import subprocess
import sys
from collections.abc import Iterator

import pytest
from checkout import ROOT

HEAVY = ("rclpy", "torch", "transformers", "onnx", "matplotlib", "dtalker_ros", "training")
"""Modules that must stay out of a process that only uses the core."""

RUNTIME_PATH = """
import numpy, dtalker_model
talker = dtalker_model.load()
frames = talker.push(numpy.zeros(16000, numpy.float32), 16000) + talker.flush()
assert len(frames) == 50
"""

ALLOWED = {
    "dtalker_model": {"dtalker_model"},
    "dtalker_ros": {"dtalker_model", "dtalker_ros"},
    "training": {"dtalker_model", "training"},
}
"""Which of our packages each of them may import."""


def heavy_modules_after(code: str) -> list[str]:
    """Names of `HEAVY` modules that a fresh interpreter has loaded after running `code`."""
    program = f"{code}\nimport json, sys\nprint(json.dumps([name for name in {HEAVY!r} if name in sys.modules]))"
    result = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    return json.loads(result.stdout.splitlines()[-1])


def imported_modules(tree: ast.AST) -> Iterator[str]:
    """Top-level names of all modules that a syntax tree imports, inside functions too."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            yield node.module.split(".")[0]


def wrong_imports(package: str, source: str) -> set[str]:
    """Our packages that `source`, a file of `package`, imports though it must not."""
    return set(imported_modules(ast.parse(source))) & ALLOWED.keys() - ALLOWED[package]


def test_import_loads_nothing_heavy() -> None:
    assert heavy_modules_after("import dtalker_model") == []


def test_import_leaves_the_runtime_for_later() -> None:
    check = (
        "import sys, dtalker_model; assert 'onnxruntime' not in sys.modules, 'import dtalker_model loads onnxruntime'"
    )
    assert heavy_modules_after(check) == []


def test_a_robot_that_hears_no_file_needs_no_soundfile() -> None:
    check = "import sys, dtalker_model.sinks, dtalker_ros.audio.convert, dtalker_ros.worker\n"
    assert heavy_modules_after(check + "assert 'soundfile' not in sys.modules") == ["dtalker_ros"]


def test_runtime_path_loads_nothing_heavy() -> None:
    assert heavy_modules_after(RUNTIME_PATH) == []


@pytest.mark.parametrize("module", ["torch", "matplotlib"])
def test_the_check_can_fail(module: str) -> None:
    """Meta-test: a heavy import is seen, also one hidden in a call."""
    pytest.importorskip(module, reason=f"{module} is not installed")
    assert module in heavy_modules_after(f"__import__({module!r})")


@pytest.mark.parametrize("package", ALLOWED)
def test_import_direction(package: str) -> None:
    files = sorted((ROOT / package).rglob("*.py"))
    assert files, f"no Python files in {package}/"
    wrong = {
        str(path.relative_to(ROOT)): names for path in files if (names := wrong_imports(package, path.read_text()))
    }
    assert wrong == {}


def test_core_names_no_ros() -> None:
    ros = {"dtalker", "rclpy", "rcl_interfaces", "std_msgs", "std_srvs", "lifecycle_msgs", "diagnostic_msgs"}
    sources = {str(path.relative_to(ROOT)): path.read_text() for path in (ROOT / "dtalker_model").rglob("*.py")}
    named = {name: found for name, text in sources.items() if (found := set(imported_modules(ast.parse(text))) & ros)}
    assert named == {}


@pytest.mark.parametrize(
    ("package", "source", "wrong"),
    [
        ("dtalker_model", "import dtalker_ros.audio.convert", {"dtalker_ros"}),
        ("dtalker_model", "def f():\n    from training import data", {"training"}),
        ("dtalker_ros", "from training.data import x", {"training"}),
        ("training", "import dtalker_model, dtalker_ros", {"dtalker_ros"}),
        ("dtalker_ros", "from dtalker_model import load\nfrom . import convert", set()),
    ],
)
def test_the_direction_check_can_fail(package: str, source: str, wrong: set[str]) -> None:
    assert wrong_imports(package, source) == wrong

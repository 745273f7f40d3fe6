"""The house rules that no compiler checks: versions, lock files, messages, what is installed, what is tracked."""

import os
import re
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator
from pathlib import Path

import pytest
from checkout import ROOT

INTERFACES = sorted([*ROOT.glob("msg/*.msg"), *ROOT.glob("srv/*.srv")])
LOCKS = sorted(ROOT.glob("requirements/*.lock"))
MAX_WEIGHTS_BYTES = 5_000_000
MACHINE_PATH = re.compile(r"(?<![\w.])/(?:root|home/\w+|work/(?:main|shared))\b")
FIELD = re.compile(
    r"^(?P<type>[\w/]+)(?P<array>\[\d*\])?\s+(?P<name>\w+)(?:\s+(?P<default>-?\d+(?:\.\d+)?))?\s*(?P<value>=.*)?$"
)
FLOAT_ARRAYS = {"float32", "float64"}
NUMBERS = {*FLOAT_ARRAYS, "int32", "int64", "uint8", "uint64"}
UNITY_SAFE_TYPES = {"bool", "float32", "float64", "int32", "int64", "string", "std_msgs/Header", "uint8", "uint64"}


def cmake() -> str:
    return (ROOT / "CMakeLists.txt").read_text()


def tracked_files() -> list[Path]:
    """Every file that git tracks."""
    command = ["git", "ls-files", "-z"]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if result.returncode != 0:
        pytest.skip(f"not a git checkout: {result.stderr.strip()}")
    return [path for name in result.stdout.split("\0") if name and (path := ROOT / name).is_file()]


def definitions(text: str) -> Iterator[tuple[re.Match[str], str]]:
    """Each field or constant of an interface file, and the comment on its line or right above it."""
    above = ""
    for line in text.splitlines():
        definition, _, comment = (part.strip() for part in line.partition("#"))
        if not definition or definition == "---":
            above = f"{above} {comment}".strip() if comment else ""
            continue
        match = FIELD.match(definition)
        assert match, f"not a plain field: {line!r}"
        yield match, comment or above


def unsafe_for_unity(match: re.Match[str]) -> str | None:
    """Why Unity's message generator would trip over this field, or None."""
    kind, array, value = match["type"], match["array"], match["value"]
    if kind not in UNITY_SAFE_TYPES:
        return f"type {kind}"
    if value and not re.fullmatch(r"=\s*\d+", value):
        return f"constant {value}: only integers"
    if match["default"] and (array or kind not in NUMBERS):
        return f"default {match['default']} of {kind}{array or ''}: only of single numbers"
    if array and array != "[]" and kind not in FLOAT_ARRAYS:
        return f"fixed array of {kind}"
    return None


def test_versions_agree() -> None:
    version = ElementTree.parse(ROOT / "package.xml").findtext("version")
    command = [sys.executable, "setup.py", "--version"]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert result.stdout.split()[-1:] == [version], result.stderr
    assert 'dynamic = ["version"]' in (ROOT / "pyproject.toml").read_text()


def test_locks_exist() -> None:
    assert {path.name for path in LOCKS} == {"base.lock", "ros.lock", "test.lock"}


@pytest.mark.parametrize("lock", LOCKS, ids=lambda path: path.name)
def test_lock_names_no_index(lock: Path) -> None:
    text = lock.read_text()
    assert "://" not in text
    assert not re.search(r"^\s*(-i|--index-url|--extra-index-url|--find-links|-f)\b", text, re.MULTILINE)


@pytest.mark.parametrize("lock", LOCKS, ids=lambda path: path.name)
def test_lock_pins_and_hashes_everything(lock: Path) -> None:
    requirements = re.split(r"\n(?=[a-z])", lock.read_text())[1:]
    assert requirements
    for requirement in requirements:
        assert re.match(r"[a-z0-9][\w.-]*(\[\w+\])?==\S+", requirement)
        assert "--hash=sha256:" in requirement


def test_locks_agree() -> None:
    """Two lock files installed together must not fight over a version."""
    pins: dict[tuple[str, str], set[str]] = {}
    for lock in LOCKS:
        for name, version, marker in re.findall(r"^([a-z][\w.-]*)==(\S+)( ;.*)? \\$", lock.read_text(), re.MULTILINE):
            pins.setdefault((name, marker), set()).add(version)
    assert {pin: versions for pin, versions in pins.items() if len(versions) > 1} == {}


def test_every_executable_is_installed() -> None:
    scripts = sorted((ROOT / "scripts" / "ros").iterdir())
    assert scripts
    for script in scripts:
        assert f"scripts/ros/{script.name}\n" in cmake()
        assert os.access(script, os.X_OK), f"{script.name} lacks its run bit"
        assert script.read_text().startswith("#!/usr/bin/env python3\n")
        assert f"from dtalker_ros.nodes.{script.name} import main\n" in script.read_text()
        assert (ROOT / "dtalker_ros" / "nodes" / f"{script.name}.py").is_file()


def test_every_interface_is_generated() -> None:
    generated = set(re.findall(r"(?:msg|srv)/\w+\.(?:msg|srv)", cmake()))
    assert generated == {f"{path.parent.name}/{path.name}" for path in INTERFACES}


@pytest.mark.parametrize("path", INTERFACES, ids=lambda path: path.name)
def test_every_field_is_commented(path: Path) -> None:
    fields = list(definitions(path.read_text()))
    assert fields
    assert [match["name"] for match, comment in fields if not comment] == []


@pytest.mark.parametrize("path", INTERFACES, ids=lambda path: path.name)
def test_interfaces_are_safe_for_unity(path: Path) -> None:
    reasons = {match["name"]: unsafe_for_unity(match) for match, _ in definitions(path.read_text())}
    assert {name: reason for name, reason in reasons.items() if reason} == {}


@pytest.mark.parametrize(
    "line",
    [
        "string NAME='x'",
        "bool on true",
        "bool on 1",
        "string<=8 name",
        "string name 'x'",
        "float32[<=9] w",
        "float32[2] w 1",
    ],
)
def test_the_unity_check_can_fail(line: str) -> None:
    try:
        reasons = [unsafe_for_unity(match) for match, _ in definitions(line)]
    except AssertionError:
        return  # not even a plain field
    assert reasons[0] is not None


def test_index_constants_are_the_arkit_order() -> None:
    from dtalker_model.blendshapes import ARKIT_NAMES

    text = (ROOT / "msg" / "Blendshapes.msg").read_text()
    constants = {match["name"]: int(match["value"][1:]) for match, _ in definitions(text) if match["value"]}
    assert constants == {re.sub(r"(?=[A-Z])", "_", name).upper(): i for i, name in enumerate(ARKIT_NAMES)}


def test_tracked_files_name_no_machine_path() -> None:
    found = {}
    for path in tracked_files():
        try:
            text = path.read_text()
        except UnicodeDecodeError:
            continue
        if path != Path(__file__) and (match := MACHINE_PATH.search(text)):
            found[str(path.relative_to(ROOT))] = match[0]
    assert found == {}


def test_weights_are_small() -> None:
    sizes = {path.name: path.stat().st_size for path in ROOT.glob("dtalker_model/weights/*.onnx")}
    assert sizes, "no model in dtalker_model/weights/"
    assert max(sizes.values()) <= MAX_WEIGHTS_BYTES, sizes


@pytest.mark.parametrize("folder", ["launch", "test"])
def test_no_package_shadows_the_real_one(folder: str) -> None:
    assert not list((ROOT / folder).rglob("__init__.py"))
    assert not (ROOT / "setup.cfg").exists()


JUNIT = '<testsuites><testsuite tests="{}" failures="{}" errors="0" skipped="{}"/></testsuites>'


@pytest.mark.parametrize(
    ("steps", "line", "code"),
    [
        ({"a": (0, (3, 0, 1)), "lint": (0, None)}, "2 passed, 0 failed, 1 skipped", 0),
        ({"a": (1, (3, 1, 0))}, "2 passed, 1 failed, 0 skipped", 1),
        ({"a": (0, (3, 0, 0)), "timed_out": (124, None)}, "3 passed, 1 failed, 0 skipped", 1),
        ({"a": (0, (3, 0, 0)), "crashed_after_its_tests": (139, (2, 0, 0))}, "5 passed, 1 failed, 0 skipped", 1),
        ({"a": (0, (3, 0, 0)), "skipped_whole": (5, (1, 0, 1))}, "3 passed, 0 failed, 1 skipped", 0),
        ({"nothing_ran": (5, (0, 0, 0))}, "0 passed, 1 failed, 0 skipped", 1),
        ({}, "0 passed, 0 failed, 0 skipped", 1),
    ],
)
def test_summary_counts_what_failed(
    tmp_path: Path, steps: dict[str, tuple[int, tuple[int, int, int] | None]], line: str, code: int
) -> None:
    for name, (status, counts) in steps.items():
        (tmp_path / f"{name}.status").write_text(f"{status}\n")
        if counts is not None:
            (tmp_path / f"{name}.xml").write_text(JUNIT.format(*counts))
    command = [sys.executable, str(ROOT / "scripts" / "test_summary.py"), str(tmp_path)]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (result.stdout.splitlines()[-1], result.returncode) == (line, code), result.stderr


@pytest.mark.parametrize("script", ["scripts/setup.sh", "scripts/env.sh", "scripts/test.sh", ".ci/run"])
def test_scripts_are_valid_bash(script: str) -> None:
    result = subprocess.run(["bash", "-n", str(ROOT / script)], capture_output=True, text=True, check=False)
    assert (result.returncode, result.stderr) == (0, "")


def test_no_text_advises_a_package_that_nobody_offers() -> None:
    """There is no dtalker on PyPI: texts name the packages themselves, or the clone (``pip install .``)."""
    advised = re.compile(r"pip install ['\"]?dtalker")
    found = [str(path.relative_to(ROOT)) for path in tracked_files() if path.suffix in (".py", ".md", ".sh", ".rst")]
    assert [name for name in found if name != "test/test_house.py" and advised.search((ROOT / name).read_text())] == []

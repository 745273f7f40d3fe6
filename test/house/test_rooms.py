"""The plan of the house: the rooms of each package, the one direction of imports between them, and how full they are.

Rooms and files are named from the ground up: each may import those before it and none after it.
"""

import ast
import re
from collections.abc import Iterable

import pytest
from checkout import ROOT
from import_graph import circle, graph, importers, sources, unnamed, uphill

PLAN = {
    "dtalker_model": """
        telemetry errors printable rates faults blendshapes settings part_file card
        hearing sound_files speaking output gesture voices talker enrolment __init__
        joint_maps avatar sinks view cli
        networks
    """,
    "dtalker_model/avatar": "__init__ names document shape targets parts glb head __main__",
    "dtalker_model/cli": """
        __init__ version progress interrupt frame_csv machine options sound sink_options
        info bench render live enroll view_bench view main __main__ measurement
    """,
    "dtalker_model/sinks": "needed protocol resample fan_out records network heads registry __init__",
    "dtalker_ros": """
        __init__ audio timing expression parameters joints drivers calibration publish_rate release timed_talker worker
        ear outputs look_at tap enroller enroll_service topics playback doctor
        nodes
    """,
    "training": """
        __init__ loop acoustics corpus listening heads data hearing joints
        evaluation networks predictors stages release reports
        __main__
    """,
    "training/data": "__init__ manifest source layouts importing align spoken animate visemes commands",
}
PACKAGES = ("dtalker_model", "dtalker_ros", "training")
AT_THE_TOP = {"training": 6, "dtalker_ros": 14, "dtalker_model": 14}
"""Most Python files of a package that lie in no room."""
IN_A_ROOM = 18
"""Most Python files of a room."""
TESTS = {"dtalker_model": "core", "dtalker_ros": "ros", "training": "train"}
"""Folder in ``test/`` of the tests of each package."""
TORCH = "dtalker_model/networks/"
"""Where the core may import torch; nothing else in the core imports from there."""

FILES = sources(ROOT, *PACKAGES)
RIGS = {path.rpartition("/")[2]: text for path, text in sources(ROOT, "test/rigs").items()}
IMPORTS = graph(FILES)


def folders() -> list[str]:
    """Every folder that holds Python files."""
    return sorted({path.rpartition("/")[0] for path in FILES})


def python_files(folder: str) -> int:
    """Python files in a folder itself."""
    return sum(path.rpartition("/")[0] == folder for path in FILES)


@pytest.mark.parametrize("folder", PLAN)
def test_every_room_is_on_the_plan(folder: str) -> None:
    assert unnamed(FILES, folder, PLAN[folder].split()) == set()


def test_a_house_with_rooms_in_rooms_is_on_the_plan_whole() -> None:
    assert {folder.rpartition("/")[0] for folder in folders() if "/" in folder} == set(PLAN)


@pytest.mark.parametrize("folder", PLAN)
def test_imports_between_rooms_go_one_way(folder: str) -> None:
    assert uphill(IMPORTS, folder, PLAN[folder].split()) == set()


def test_no_files_import_each_other_in_a_circle() -> None:
    assert circle(IMPORTS) == []
    assert circle(graph(RIGS)) == []


def test_only_networks_of_the_core_import_torch() -> None:
    core = {path: text for path, text in FILES.items() if path.startswith("dtalker_model/")}
    users = {"torch": importers(core, "torch"), "networks": importers(core, "dtalker_model.networks")}
    assert {name: {p for p in paths if not p.startswith(TORCH)} for name, paths in users.items()} == {
        "torch": set(),
        "networks": set(),
    }


@pytest.mark.parametrize("folder", folders())
def test_no_room_is_crowded(folder: str) -> None:
    assert python_files(folder) <= AT_THE_TOP.get(folder, IN_A_ROOM)


@pytest.mark.parametrize("folder", folders())
def test_every_room_says_what_it_is_for(folder: str) -> None:
    assert ast.get_docstring(ast.parse(FILES.get(f"{folder}/__init__.py", "")))


def misplaced(tests: Iterable[str]) -> list[str]:
    """Test files that lie in no room: ``test/core/sinks/test_x.py`` tests something of ``dtalker_model/sinks/``."""
    rooms = {
        "test/house",
        *(
            folder.replace(package, f"test/{short}", 1)
            for folder in folders()
            for package, short in TESTS.items()
            if folder.split("/")[0] == package
        ),
    }
    return [path for path in tests if path.rpartition("/")[0] not in rooms]


def test_tests_lie_in_the_rooms_of_what_they_test() -> None:
    assert misplaced(path.relative_to(ROOT).as_posix() for path in ROOT.glob("test/**/test_*.py")) == []


def test_the_check_of_the_tests_can_fail() -> None:
    right = ["test/house/test_a.py", "test/ros/test_a.py", "test/core/sinks/test_a.py", "test/train/loop/test_a.py"]
    wrong = ["test/test_a.py", "test/train/sinks/test_a.py", "test/house/loop/test_a.py"]
    assert misplaced([*right, *wrong]) == wrong


@pytest.mark.parametrize("folder", [folder for folder in folders() if folder.count("/") == 1])
def test_the_design_tells_of_every_room(folder: str) -> None:
    name = folder.rpartition("/")[2]
    assert re.search(rf"`([\w/]+/)?{name}`", (ROOT / "DESIGN.md").read_text()), f"{folder}/ is not in DESIGN.md"


LOW, HIGH = "house/cellar/coal.py", "house/attic/bed.py"
ORDER = ("cellar", "attic")


@pytest.mark.parametrize(
    ("low", "high", "found"),
    [
        ("import numpy", "from house.cellar import coal", set()),
        ("from house.attic import bed", "", {f"{LOW} -> {HIGH}"}),
        ("import house.attic.bed", "", {f"{LOW} -> {HIGH}"}),
        ("from house.attic.bed import BLANKET", "", {f"{LOW} -> {HIGH}"}),
        ("from ..attic import bed", "", {f"{LOW} -> {HIGH}"}),
        ("def f():\n    from house.attic.bed import BLANKET", "", {f"{LOW} -> {HIGH}"}),
        ("if TYPE_CHECKING:\n    import house.attic.bed", "", {f"{LOW} -> {HIGH}"}),
    ],
)
def test_the_check_of_the_direction_can_fail(low: str, high: str, found: set[str]) -> None:
    assert uphill(graph({LOW: low, HIGH: high}), "house", ORDER) == found


@pytest.mark.parametrize(
    ("order", "found"),
    [(ORDER, set()), (("cellar",), {"attic"}), ((*ORDER, "garage"), {"garage"}), ((), {"attic", "cellar"})],
)
def test_the_check_of_the_names_can_fail(order: tuple[str, ...], found: set[str]) -> None:
    assert unnamed({LOW: "", HIGH: "", "barn/hay.py": ""}, "house", order) == found


CHAIN = {"a/__init__.py": "", "a/b.py": "from a import c", "a/c.py": "def f():\n    from a.d import x", "a/d.py": ""}


@pytest.mark.parametrize(
    ("changed", "found"),
    [
        ({}, set()),
        ({"a/d.py": "import a.b"}, {"a/b.py", "a/c.py", "a/d.py"}),
        ({"a/d.py": "from . import y", "a/__init__.py": "from .b import x"}, set(CHAIN)),
    ],
)
def test_the_check_of_circles_can_fail(changed: dict[str, str], found: set[str]) -> None:
    assert set(circle(graph({**CHAIN, **changed}))) == found


@pytest.mark.parametrize("source", ["import torch", "def f():\n    from torch import nn", "import torch.nn as nn"])
def test_the_check_of_torch_can_fail(source: str) -> None:
    assert importers({"a.py": source, "b.py": "import torchaudio, numpy"}, "torch") == {"a.py"}


def test_the_check_of_crowds_can_fail() -> None:
    assert max(python_files(folder) for folder in folders()) > 2
    assert python_files("training/loop") == len(list((ROOT / "training" / "loop").glob("*.py")))

"""Who imports whom, read from the source: functions over files by path, so that a test can be shown to fail."""

import ast
from collections.abc import Iterator, Mapping, Sequence
from graphlib import CycleError, TopologicalSorter
from pathlib import Path, PurePosixPath

Sources = Mapping[str, str]
"""Source by path, such as ``training/loop/loop.py``."""

Graph = Mapping[str, set[str]]
"""For each file, the others that it imports."""


def sources(root: Path, *folders: str) -> dict[str, str]:
    """Every Python file under `folders` of `root`."""
    paths = sorted(path for folder in folders for path in (root / folder).rglob("*.py"))
    return {path.relative_to(root).as_posix(): path.read_text() for path in paths}


def module_of(path: str) -> str:
    """Name under which a file is imported; that of the folder for its ``__init__.py``."""
    return ".".join(part for part in PurePosixPath(path).with_suffix("").parts if part != "__init__")


def named(path: str, source: str) -> Iterator[tuple[str, ...]]:
    """What each import of a file may name, the most exact first; imports inside functions count too."""
    package = module_of(path).split(".")
    package = package if path.endswith("__init__.py") else package[:-1]
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from ((alias.name,) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else []
            base = ".".join([*above, *(node.module or "").split(".")]).strip(".")
            yield from ((f"{base}.{alias.name}", base) for alias in node.names)


def graph(files: Sources) -> Graph:
    """Who imports whom among `files`."""
    path_of = {module_of(path): path for path in files}
    found: dict[str, set[str]] = {path: set() for path in files}
    for path, source in files.items():
        for names in named(path, source):
            target = next((path_of[name] for name in names if name in path_of), path)
            found[path] |= {target} - {path}
    return found


def circle(imports: Graph) -> list[str]:
    """Files that import each other in a circle, the first one again at the end; empty where there is none."""
    try:
        TopologicalSorter(imports).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


def room_of(path: str, folder: str) -> str | None:
    """The file or folder in `folder` in which `path` lies; None for a path elsewhere."""
    parts, place = PurePosixPath(path).with_suffix("").parts, PurePosixPath(folder).parts
    return parts[len(place)] if parts[: len(place)] == place else None


def unnamed(files: Sources, folder: str, order: Sequence[str]) -> set[str]:
    """Files and folders in `folder` that `order` forgets, and names in it that nothing has."""
    return {room for path in files if (room := room_of(path, folder))} ^ set(order)


def uphill(imports: Graph, folder: str, order: Sequence[str]) -> set[str]:
    """Imports, as ``file -> file``, from a room of `folder` to one that comes later in `order`."""
    place = {room: k for k, room in enumerate(order)}
    pairs = [(path, target) for path, targets in imports.items() for target in targets]
    rooms = [(place.get(room_of(a, folder) or ""), place.get(room_of(b, folder) or ""), a, b) for a, b in pairs]
    return {f"{a} -> {b}" for i, j, a, b in rooms if i is not None and j is not None and i < j}


def importers(files: Sources, library: str) -> set[str]:
    """Files that import `library`, or a part of it."""
    return {
        path
        for path, source in files.items()
        if any(name == library or name.startswith(f"{library}.") for names in named(path, source) for name in names)
    }

"""Reading and writing ``manifest.jsonl`` as plain rows; a file is replaced as a whole or not at all."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

Row = dict[str, Any]


def manifest_path(target: Path) -> Path:
    """The manifest meant by a folder or by the file itself.

    Raises:
        FileNotFoundError: there is none.
    """
    path = target / "manifest.jsonl" if target.is_dir() else target
    if not path.is_file():
        raise FileNotFoundError(f"no manifest at {path}: import some data first")
    return path


def read_rows(path: Path) -> list[Row]:
    """Rows in file order; none where there is no file.

    Raises:
        ValueError: a line is not a JSON object; the message names it.
    """
    if not path.is_file():
        return []
    rows = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        try:
            row = json.loads(line)
        except json.JSONDecodeError:
            row = None
        if not isinstance(row, dict):
            raise ValueError(f"{path}, line {number}: not a JSON object")
        rows.append(row)
    return rows


def write_rows(path: Path, rows: Sequence[Row]) -> None:
    """Replace the manifest."""
    text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    replace_file(path, lambda part: part.write_text(text, encoding="utf-8"))


def replace_file(path: Path, write: Callable[[Path], object]) -> None:
    """Let `write` make a file beside `path`, then give it its name; what was there stays until then."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.part{path.suffix}")
    try:
        write(part)
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)

"""The list of what the nodes say, against the code: nothing that the code cannot say, and no warning is missing."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

import pytest
from checkout import ROOT
from import_graph import sources

PAGE = ROOT / "docs" / "troubleshooting.md"
GAP = "…"
"""Stands for whatever is filled in, on the page as in the texts found."""
SAYING = {"warning", "error", "fatal"}
"""Methods of a logger that a robot builder must be able to look up."""


def texts(source: str) -> set[str]:
    """Every string of a Python source, a gap in place of each value that is filled in."""
    return {text for node in ast.walk(ast.parse(source)) if (text := _text(node)) is not None}


def _text(node: ast.AST) -> str | None:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return re.sub(r"{[^{}]*}|%[sdr]", GAP, node.value)
    if isinstance(node, ast.JoinedStr):
        return "".join(_text(part) or GAP for part in node.values)
    return None


def listed(page: str) -> list[str]:
    """The texts in the first column of the page's tables."""
    rows = [line.split("|")[1].strip() for line in page.splitlines() if line.startswith("| `")]
    return [text for row in rows for text in re.findall(r"`([^`]+)`", row)]


def said(source: str) -> Iterator[str]:
    """What a source says to a logger in words of its own."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and node.args and getattr(node.func, "attr", None) in SAYING:
            text = _text(node.args[0])
            if text is not None and re.search(r"[a-z]{3}", text):
                yield text


def is_known(text: str, known: set[str]) -> bool:
    return any(text in other for other in known)


SOURCES = sources(ROOT, "dtalker_model", "dtalker_ros")
KNOWN = {text for source in SOURCES.values() for text in texts(source)}


@pytest.mark.parametrize("text", listed(PAGE.read_text(encoding="utf-8")))
def test_what_the_page_lists_the_code_can_say(text: str) -> None:
    assert is_known(text, KNOWN)


def test_what_the_nodes_log_is_on_the_page() -> None:
    page = listed(PAGE.read_text(encoding="utf-8"))
    nodes = [source for path, source in SOURCES.items() if path.startswith("dtalker_ros/")]
    assert {text for source in nodes for text in said(source) if not any(part in text for part in page)} == set()


def test_the_check_can_fail() -> None:
    source = 'log.warning(f"lost {n} of " f"{m:.2f} frames"); log.info("all is well"); log.error(text)'
    assert list(said(source)) == ["lost … of … frames"]
    assert is_known("of … frames", texts(source)) and not is_known("of … rows", texts(source))
    assert listed("| `a …` or `b` | meaning |\n| --- | --- |\nno `c`") == ["a …", "b"]

"""The list of what the node says, against the code: every text of it is one that the code can say, and none is missing."""

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
    """What a source says to a logger in words of its own, at most up to the first value that is filled in."""
    for node in ast.walk(ast.parse(source)):
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and node.func.attr in SAYING
            and node.args
        ):
            text = _text(node.args[0])
            if text is not None and re.search(r"[a-z]{3}", text):
                yield text


def is_known(text: str, known: set[str]) -> bool:
    return any(text in other for other in known)


ALL = {path: text for path, text in sources(ROOT, "dtalker_model", "dtalker_ros").items()}
KNOWN = {text for source in ALL.values() for text in texts(source)}


@pytest.mark.parametrize("text", listed(PAGE.read_text(encoding="utf-8")))
def test_what_the_page_lists_the_code_can_say(text: str) -> None:
    assert is_known(text, KNOWN)


def test_what_the_nodes_log_is_on_the_page() -> None:
    page = listed(PAGE.read_text(encoding="utf-8"))
    nodes = {path: source for path, source in ALL.items() if path.startswith("dtalker_ros/")}
    missing = {
        f"{path}: {text}" for path, source in nodes.items() for text in said(source) if not any(t in text for t in page)
    }
    assert missing == set()


def test_the_check_can_fail() -> None:
    source = 'log.warning(f"lost {n} of " f"{m:.2f} frames"); log.info("all is well"); log.error(text)'
    assert list(said(source)) == ["lost … of … frames"]
    assert is_known("of … frames", texts(source)) and not is_known("of … rows", texts(source))
    assert listed("| `a …` or `b` | meaning |\n| --- | --- |\nno `c`") == ["a …", "b"]

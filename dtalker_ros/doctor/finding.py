"""What a check has found, and how it is told."""

import textwrap
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from enum import IntEnum
from typing import Any

WIDTH = 110
"""Of the text, in characters."""
INDENT = 7


class Level(IntEnum):
    """How bad it is."""

    OK = 0
    WARN = 1
    ERROR = 2


@dataclass(frozen=True)
class Finding:
    """One point that was checked."""

    level: Level
    point: str
    """What was looked at, a word or two."""
    text: str
    """What was found."""
    remedy: str = ""
    """What to do."""


def told(finding: Finding) -> str:
    """`finding` as lines for a terminal: the level before the text, the remedy below it."""
    lines = _wrapped(f"{finding.level.name:<{INDENT}}{finding.point}: {_on_one_line(finding.text)}", "")
    return "\n".join(
        [*lines, *(_wrapped(f"-> {_on_one_line(finding.remedy)}", " " * INDENT) if finding.remedy else [])]
    )


def summary(findings: Iterable[Finding]) -> str:
    """How many of each level, on one line."""
    levels = [finding.level for finding in findings]
    return ", ".join(f"{levels.count(level)} {level.name}" for level in Level)


def exit_code(findings: Iterable[Finding]) -> int:
    """0 where nothing is an error, else 1."""
    return int(any(finding.level == Level.ERROR for finding in findings))


def as_json(finding: Finding) -> dict[str, Any]:
    """`finding` as plain values."""
    return {**asdict(finding), "level": finding.level.name}


def _on_one_line(text: str) -> str:
    """Without anything that a terminal would obey: names of devices and nodes come from elsewhere."""
    return "".join(character if character.isprintable() else "?" for character in " ".join(text.split()))


def _wrapped(text: str, before: str) -> list[str]:
    after = " " * (INDENT + 3 * bool(before))
    return textwrap.wrap(text, WIDTH, initial_indent=before, subsequent_indent=after, break_on_hyphens=False)

"""What distillation has to reach: each goal with the figures that decide it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from training.evaluation.scores import Row

TEACHER, STUDENT, RESPACED = "teacher", "student", "teacher respaced to 2 steps"
MOST_LVE_GROWTH, MOST_LVE_GROWTH_ONE_STEP = 0.10, 0.20
LEAST_SPEED_UP, LEAST_SHRINKING = 8.0, 0.864


@dataclass(frozen=True)
class Goal:
    """One goal.

    Attributes:
        text: what is asked, and what was measured.
        met: None where a figure is missing.
    """

    text: str
    met: bool | None

    @property
    def line(self) -> str:
        """As a line of a Markdown list."""
        return f"* {({True: 'met', False: '**not met**', None: 'not measured'})[self.met]}: {self.text}"


def in_steps(model: str, steps: int) -> str:
    """The name of a row."""
    return f"{model}, {steps} step{'s' * (steps > 1)}"


def goals(rows: Mapping[str, Row], file: str = "") -> list[Goal]:
    """The goals, from the rows of the table by name: of the students, then of the model `file` where it has rows."""
    found = _errors(rows, STUDENT)
    found += [_faster(rows[in_steps(STUDENT, 2)], rows[TEACHER]), _smaller(rows[in_steps(STUDENT, 2)], rows[TEACHER])]
    if not {in_steps(file, 2), in_steps(file, 1)} <= set(rows):
        return found
    return [*found, *_errors(rows, file), _lighter(file, rows[in_steps(file, 2)], rows[TEACHER])]


def _errors(rows: Mapping[str, Row], model: str) -> list[Goal]:
    """What 2 steps and 1 step may lose, and what they must win."""
    two, one = in_steps(model, 2), in_steps(model, 1)
    return [
        _grows(rows, two, MOST_LVE_GROWTH),
        *(_compared(rows, two, TEACHER, name, False) for name in ("EVE", "|FDD|", "FDD_abs")),
        *(_compared(rows, two, RESPACED, name, True) for name in ("LVE", "|FDD|", "FDD_abs")),
        _grows(rows, one, MOST_LVE_GROWTH_ONE_STEP),
    ]


def _grows(rows: Mapping[str, Row], who: str, most: float) -> Goal:
    growth = rows[who]["LVE"] / rows[TEACHER]["LVE"] - 1
    return Goal(f"{who}: LVE {growth:+.1%} against the {TEACHER}, at most {most:+.0%}", growth <= most)


def _compared(rows: Mapping[str, Row], who: str, other: str, name: str, strictly: bool) -> Goal:
    """No larger than another's, or `strictly` smaller. |FDD| is the distance of the signed figure from 0."""
    a, b = (_figure(rows[each], name) for each in (who, other))
    text = f"{who}: {name} {_shown(a)}, {'below' if strictly else 'at most'} {_shown(b)} of the {other}"
    if a is None or b is None:
        return Goal(text, None)
    return Goal(text, a < b if strictly else a <= b)


def _figure(row: Row, name: str) -> float | None:
    value = row[name.strip("|")]
    return abs(value) if value is not None and name.startswith("|") else value


def _faster(mine: Row, theirs: Row) -> Goal:
    ratio, in_torch = (mine[engine] / theirs[engine] for engine in ("fps", "torch_fps"))
    text = f"2 steps run {ratio:.1f} times as fast as the teacher whose encoder runs once, at least {LEAST_SPEED_UP:g}"
    return Goal(f"{text}; {in_torch:.1f} times in torch", ratio >= LEAST_SPEED_UP)


def _smaller(mine: Row, theirs: Row) -> Goal:
    less = 1 - mine["parameters"] / theirs["parameters"]
    text = f"2 steps have {less:.1%} fewer weights than the teacher, every one counted, at least {LEAST_SHRINKING:.1%}"
    return Goal(text, less >= LEAST_SHRINKING)


def _lighter(file: str, mine: Row, theirs: Row) -> Goal:
    """Bytes, as the paper compares them; most of a shipped file's weights are stored in half precision."""
    less, than_half = (1 - mine["stored_mb"] / theirs[size] for size in ("mb", "stored_mb"))
    text = f"{file} takes {less:.1%} fewer bytes than the teacher in fp32, at least {LEAST_SHRINKING:.1%}"
    return Goal(f"{text}; {than_half:.1%} fewer than the teacher as stored here, in fp16", less >= LEAST_SHRINKING)


def _shown(value: float | None) -> str:
    return "-" if value is None else f"{value:.3g}"

"""``python -m training fit-joints POSES.csv --out head.yaml``: a sparse map from recorded pairs, with its errors.

The CSV has a header and one row a pair: columns named like channels (ARKit's 52 blendshapes, and yaw, pitch, roll,
gaze_yaw, gaze_pitch; those that are missing are not used), one for each joint with its position, perhaps ``time_s``.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dtalker_model.errors import SettingError
from dtalker_model.joint_maps import CHANNELS, JointMap, fit_joint, head_text, weighted
from dtalker_model.part_file import write_whole

TIME = "time_s"
LARGEST = 1e9
"""Beyond this nothing is a position or a weight."""
LEAST_EXPLAINED = 0.2
"""Share of a joint's variance: with less, the face does not say what the joint does, and there is no map."""
VELOCITY, ACCELERATION, JERK = 5.0, 100.0, 3000.0
"""Limits in ranges of the joint per s, s2 and s3, for the file: the pairs do not tell what a servo bears."""
COMMENT = (
    "The map of a head, found by `python -m training fit-joints` from {file}: {rows} pairs.",
    "docs/joints.md explains the keys. Limits are guesses (0.2 s from end to end): set what your servos bear.",
)


@dataclass(frozen=True, eq=False)
class Pairs:
    """What a CSV holds: `coefficients` (T, C) of the channels `names`, and positions (T,) of each joint."""

    names: tuple[str, ...]
    coefficients: NDArray[np.float64]
    joints: dict[str, NDArray[np.float64]]


def read_pairs(path: Path) -> Pairs:
    """The pairs in a CSV; raises `SettingError` with line and column of what is no number, and `FileNotFoundError`."""
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            rows = list(csv.reader(file))
    except UnicodeDecodeError:
        raise SettingError(f"{path}: expected a CSV in UTF-8, received other bytes") from None
    header = [name.strip() for name in rows[0]] if rows else []
    repeated = {name for name in header if header.count(name) > 1}
    names = tuple(name for name in header if name in CHANNELS)
    joints = [name for name in header if name not in (*CHANNELS, TIME)]
    if repeated or not names or not joints or "" in joints:
        raise SettingError(
            f"{path}: expected a header with blendshapes (jawOpen, ...) and joints, each once, received "
            f"{', '.join(sorted(repeated) or header[:6]) or 'nothing'}"
        )
    table = np.array([_numbers(path, line, header, row) for line, row in enumerate(rows[1:], 2) if any(row)])
    table = table.reshape(-1, len(header))
    columns = {name: table[:, k] for k, name in enumerate(header)}
    coefficients = np.column_stack([columns[name] for name in names])
    return Pairs(names, coefficients, {name: columns[name] for name in joints})


def _numbers(path: Path, line: int, header: list[str], row: list[str]) -> list[float]:
    if len(row) != len(header):
        raise SettingError(f"{path}: line {line}: expected {len(header)} values, received {len(row)}")
    for name, text in zip(header, row):
        try:
            fits = abs(float(text)) <= LARGEST
        except ValueError:
            fits = False
        if not fits:
            raise SettingError(f"{path}: line {line}: {name}: expected a number up to {LARGEST:g}, received {text!r}")
    return [float(text) for text in row]


def fit_joints(path: Path, out: Path, metres: tuple[str, ...] = ()) -> str:
    """Write the YAML and return what to say: a line for each joint. `metres`: joints that slide, in m.

    Raises `SettingError` where no joint follows the face, `SinkError` where `out` cannot be written.
    """
    pairs = read_pairs(path)
    unknown = [name for name in metres if name not in pairs.joints]
    if unknown:
        raise SettingError(f"--metres: {unknown[0]} is no joint of {path}: {', '.join(pairs.joints)}")
    maps = {name: _fit(path, pairs, name) for name in pairs.joints}
    told = {name: explained(name, found, "m" if name in metres else "rad") for name, found in maps.items()}
    mapped = {name: found for name, found in maps.items() if found.explained >= LEAST_EXPLAINED}
    if not mapped:
        raise SettingError(f"{path}: no joint follows the face: {'; '.join(told.values())}")
    comment = [line.format(file=path.name, rows=len(pairs.coefficients)) for line in COMMENT]
    joints = {name: (told[name], joint_keys(found, name in metres)) for name, found in mapped.items()}
    write_whole(str(out), head_text(comment, joints).encode())
    return "\n".join([*told.values(), f"{len(mapped)} of {len(maps)} joints are in {out}"])


def _fit(path: Path, pairs: Pairs, name: str) -> JointMap:
    try:
        return fit_joint(pairs.names, pairs.coefficients, pairs.joints[name])
    except SettingError as error:
        raise SettingError(f"{path}: joint {name}: {error}") from None


def explained(name: str, found: JointMap, unit: str) -> str:
    """One line about a joint's map and its error."""
    if found.explained < LEAST_EXPLAINED:
        return f"{name}: left out, the face explains {found.explained:.0%} of what it does"
    share = found.held_out_error / (found.maximum - found.minimum)
    return (
        f"{name}: {len(found.weights)} weights; error {found.error:.3g} {unit}, of pairs not seen "
        f"{found.held_out_error:.3g} {unit} ({share:.1%} of its range)"
    )


def joint_keys(found: JointMap, slides: bool) -> dict[str, Any]:
    """A joint's keys in the YAML of a head."""
    span = found.maximum - found.minimum
    return {
        **weighted(found.weights),
        **({"unit": "m"} if slides else {}),
        "neutral": found.neutral,
        "range": [found.minimum, found.maximum],
        "limits": {"velocity": VELOCITY * span, "acceleration": ACCELERATION * span, "jerk": JERK * span},
    }

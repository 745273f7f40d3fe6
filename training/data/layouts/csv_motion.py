"""Blendshape curves in CSV: Live Link Face's, the ones that ``dtalker --sink csv`` writes, and plain tables.

The first line names the columns; ARKit names in any order and case. The times come from the first of these columns:
``time_s`` (seconds), ``Timecode`` (``HH:MM:SS:FF.fraction``), or, with a frame rate given, from the number of the row.
"""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np

from training.data.source import Refusal, Track, by_name

DAY_S = 86400.0
LARGEST_HOLE_S = 0.1
"""Rows further apart than this leave a hole that is not filled."""


def read_track(path: Path, fps: float = 0.0, start_s: float = 0.0) -> Track:
    """Motion of a CSV file on an even grid, rows without a tracked face (empty, or BlendShapeCount 0) marked.

    Args:
        fps: frame rate in Hz; 0 to take it from the times.
        start_s: time of the first row on the audio's clock, in seconds; a ``time_s`` column adds its first value.

    Raises:
        Refusal: the file is no such table.
    """
    header, rows = _table(path)
    lower = [name.lower() for name in header]
    tracked = np.array([_is_tracked(row, lower) for row in rows], bool)
    if tracked.sum() < 2:
        raise Refusal(f"{path.name} has {tracked.sum()} rows with a tracked face")
    numbers = np.array([[_number(cell) for cell in row] for row in rows], np.float32)
    times_s, rate_hz = _times(rows, lower, fps, path.name)
    weights, observed = by_name(numbers, header)
    if not np.isfinite(weights[tracked]).all():
        raise Refusal(f"{path.name}: row {int(np.flatnonzero(~np.isfinite(weights).all(axis=1))[0]) + 2} has no number")
    if "time_s" in lower:
        start_s += float(times_s[0])
    return even_track(times_s - times_s[0], weights, observed, tracked, rate_hz, start_s)


def _table(path: Path) -> tuple[list[str], list[list[str]]]:
    try:
        with open(path, newline="", encoding="utf-8-sig") as file:
            lines = [line for line in csv.reader(file) if line]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise Refusal(f"{path.name} is no CSV text: {error}") from None
    if len(lines) < 3:
        raise Refusal(f"{path.name} has {max(len(lines) - 1, 0)} rows; two at least needed")
    header, rows = [name.strip() for name in lines[0]], lines[1:]
    full = [row if len(row) >= len(header) else row + [""] * (len(header) - len(row)) for row in rows]
    return header, [row[: len(header)] for row in full]


def _is_tracked(row: list[str], header: list[str]) -> bool:
    if "blendshapecount" in header and row[header.index("blendshapecount")].strip() in ("", "0"):
        return False
    return any(cell.strip() for cell in row[2:])


def _number(cell: str) -> float:
    try:
        return float(cell)
    except ValueError:
        return float("nan")


def _times(rows: list[list[str]], header: list[str], fps: float, name: str) -> tuple[np.ndarray, float]:
    if "time_s" in header:
        times_s = np.array([_number(row[header.index("time_s")]) for row in rows])
    elif "timecode" in header:
        times_s = timecodes([row[header.index("timecode")] for row in rows], fps, name)
    elif fps:
        times_s = np.arange(len(rows)) / fps
    else:
        raise Refusal(f"{name} has no column time_s or Timecode: give --fps")
    steps = np.diff(times_s)
    if not np.isfinite(times_s).all() or (steps <= 0).any():
        raise Refusal(f"{name}: times do not rise from row to row")
    return times_s, fps or float(round(1 / np.median(steps), 3))


def timecodes(cells: list[str], fps: float = 0.0, name: str = "Timecode") -> np.ndarray:
    """Seconds of ``HH:MM:SS:FF.fraction``; FF counts frames of `fps`, or of 24, 30 or 60 by the highest FF seen."""
    try:
        parts = np.array([[float(part) for part in cell.replace(";", ":").split(":")] for cell in cells])
        hours, minutes, seconds, frames = parts.T
    except ValueError:
        raise Refusal(f"{name}: Timecode is not HH:MM:SS:FF.fraction ({cells[0]!r})") from None
    highest = int(frames.max())
    counted = round(fps) if fps else next((rate for rate in (24, 30, 60) if highest < rate), highest + 1)
    times_s = hours * 3600 + minutes * 60 + seconds + frames / counted
    return times_s + DAY_S * np.cumsum(np.diff(times_s, prepend=times_s[0]) < -DAY_S / 2)


def even_track(
    times_s: np.ndarray, weights: np.ndarray, observed: np.ndarray, tracked: np.ndarray, rate_hz: float, start_s: float
) -> Track:
    """Rows at `times_s` (N,), rising from 0, read at an even rate; holes of more than 0.1 s get confidence 0.

    Args:
        weights: (N, 52). observed: (52,) bool. tracked: (N,) bool, rows that count, two at least.
        rate_hz: frames a second of the result. start_s: time of its first frame on the audio's clock.
    """
    grid_s = np.arange(int(times_s[-1] * rate_hz + 1e-3) + 1) / rate_hz
    known_s = times_s[tracked]
    even = np.stack([np.interp(grid_s, known_s, column) for column in weights[tracked].T], axis=1)
    after = np.clip(np.searchsorted(known_s, grid_s), 1, len(known_s) - 1)
    before_s, after_s = known_s[after - 1], known_s[after]
    far = np.minimum(np.abs(grid_s - before_s), np.abs(grid_s - after_s)) > 0.5 / rate_hz
    lost = far & ((after_s - before_s > LARGEST_HOLE_S) | (grid_s < known_s[0]) | (grid_s > known_s[-1]))
    confidence = (~lost).astype(np.float32) if lost.any() else None
    return Track(even.astype(np.float32), observed, rate_hz, start_s, confidence)

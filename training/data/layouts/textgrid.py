"""Interval tiers of a Praat TextGrid in its long text form, as forced aligners write it."""

from __future__ import annotations

import re
from pathlib import Path

_TIER = re.compile(r'class = "IntervalTier"\s+name = "([^"]*)"(.*?)(?=item \[\d+\]|\Z)', re.DOTALL)
_INTERVAL = re.compile(r'xmin = ([\d.eE+-]+)\s+xmax = ([\d.eE+-]+)\s+text = "((?:[^"]|"")*)"')


def read_tiers(path: Path) -> dict[str, list[tuple[str, float, float]]]:
    """Intervals (text, start_s, duration_s) by tier name; empty where there is no file or it is no TextGrid."""
    if not path.is_file():
        return {}
    text = path.read_text(encoding="utf-8", errors="replace")
    return {name: [_interval(*found) for found in _INTERVAL.findall(body)] for name, body in _TIER.findall(text)}


def _interval(start: str, end: str, text: str) -> tuple[str, float, float]:
    return text.strip(), round(float(start), 3), round(float(end) - float(start), 3)

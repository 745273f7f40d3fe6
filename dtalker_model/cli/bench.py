"""``dtalker bench``: how fast one core runs the whole pipeline, features and output stage included."""

import argparse
import json
import statistics
import subprocess
import sys
from typing import Any

from dtalker_model.cli.machine import machine, one_thread_environment, pin_to_one_core
from dtalker_model.cli.options import add_model
from dtalker_model.cli.progress import Progress
from dtalker_model.cli.version import versions
from dtalker_model.errors import DtalkerError, SettingError

EXPLANATIONS = {
    "fps_offline_1core": "frames per second of one voice, the clip pushed at once, on one thread",
    "step_ms_p50": "one 20 ms chunk through push, median",
    "step_ms_p99": "the same, 99th percentile",
    "voices_realtime_1core": "most voices, one frame at a time in one batch, whose frame time (p95) stays below 20 ms",
    "model_mb": "all files of the model, 1e6 bytes",
    "params_m": "parameters, millions",
    "lookahead_ms": "look-ahead from a frame's start",
    "rss_mb": "peak memory of a fresh process that renders the demo clip, 1e6 bytes",
    "import_s": "`import dtalker_model` in a fresh process, numpy included",
}
SPEED = ("fps_offline_1core", "step_ms_p50", "step_ms_p99")
"""Figures that depend on the number of denoising steps; the headline is the model's own number."""
IMPORT_PROBE = "import time; t = time.perf_counter(); import dtalker_model; print(time.perf_counter() - t)"
MOST_RUNS = 100
LONGEST_S = 600


def add_to(commands: Any) -> None:
    """Add the command and its options to the subparsers `commands`."""
    parser = commands.add_parser("bench", help="measure speed and memory on one core", description=__doc__)
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--runs", type=int, default=5, metavar="N", help="fresh processes; the medians count")
    add_model(parser)
    parser.add_argument("--seconds", type=float, default=10.0, metavar="X", help="length of the clip (demo, repeated)")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> None:
    """Measure and print; raises `DtalkerError`."""
    if not 1 <= arguments.runs <= MOST_RUNS:
        raise SettingError(f"runs: {arguments.runs} is out of range, allowed 1 to {MOST_RUNS}")
    if not 1 <= arguments.seconds <= LONGEST_S:
        raise SettingError(f"seconds: {arguments.seconds:g} is out of range, allowed 1 to {LONGEST_S}")
    from dtalker_model.cli.info import model_facts  # it refuses a bad model before anything is measured

    facts = model_facts(arguments.model)
    figures: dict[str, Any] = {name: facts[name] for name in ("model_mb", "params_m", "lookahead_ms")}
    about = machine()  # before it is held to one core
    core = pin_to_one_core()
    figures |= measure(arguments.runs, arguments.model, arguments.seconds)
    report = {name: figures[name] for name in EXPLANATIONS}
    report["by_steps"] = {n: {name: figures[f"{name}@{n}"] for name in SPEED} for n in facts["step_counts"]}
    report |= {"runs": arguments.runs, "seconds": arguments.seconds, "pinned_to_core": core, "threads": 1}
    report |= {"model": facts["name"], "model_sha256": facts["sha256"], "machine": about, "versions": versions()}
    print(json.dumps(report, indent=1) if arguments.json else "\n".join(_lines(report)))


def measure(runs: int, model: str, seconds: float) -> dict[str, float | None]:
    """Medians over `runs`; each run measures in fresh processes of its own, on one thread."""
    collected: list[dict[str, float | None]] = []
    with Progress("measuring", 4 * runs, "steps") as progress:
        for _ in range(runs):
            figures: dict[str, float | None] = {"import_s": float(_fresh(["-c", IMPORT_PROBE]))}
            for what in ("speed", "voices", "memory"):
                progress.update(4 * len(collected) + len(figures))
                figures |= json.loads(_fresh(["-m", "dtalker_model.cli.measurement", what, model, str(seconds)]))
            collected.append(figures)
    return {name: _median([figures[name] for figures in collected]) for name in collected[0]}


def _fresh(arguments: list[str]) -> str:
    """What a fresh Python on one thread prints last."""
    command = [sys.executable, *arguments]
    result = subprocess.run(command, capture_output=True, text=True, check=False, env=one_thread_environment())
    if result.returncode != 0:
        reason = (result.stderr.strip().splitlines() or [f"exit code {result.returncode}"])[-1]
        raise DtalkerError(f"a measurement failed: {reason}")
    return result.stdout.splitlines()[-1]


def _median(values: list[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    if not known:
        return None
    median = statistics.median(known)
    return round(median, 4) if median < 1000 else round(median)


def _lines(report: dict[str, Any]) -> list[str]:
    about, libraries = report["machine"], report["versions"]
    lines = [f"{name:24}{report[name]!s:>10}  {text}" for name, text in EXPLANATIONS.items()]
    for steps, figures in report["by_steps"].items():
        lines.append(f"with {steps} steps: " + ", ".join(f"{name} {value}" for name, value in figures.items()))
    lines.append(f"medians of {report['runs']} runs, {report['model']}, {report['seconds']:g} s of speech")
    lines.append(f"{about['cpu']}, one of {about['cores']} cores, load {about['load']} before, {about['system']}")
    return [*lines, ", ".join(f"{name} {version}" for name, version in libraries.items())]

"""``dtalker bench``: every figure is there and plausible. The targets themselves depend on the machine."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from checkout import ROOT

from dtalker_model.card import model_path, read_card
from dtalker_model.cli import bench, machine
from dtalker_model.cli.measurement import clip, largest

LARGEST_RSS_MB = 200
LARGEST_MODEL_MB = 5
LONGEST_LOOKAHEAD_MS = 80


def test_bench_prints_every_figure() -> None:
    command = [sys.executable, "-m", "dtalker_model.cli", "bench", "--json", "--runs", "1", "--seconds", "2"]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=300)
    assert run.returncode == 0, run.stderr
    report = json.loads(run.stdout)
    assert set(bench.EXPLANATIONS) <= set(report)
    assert report["fps_offline_1core"] > 500
    assert 0 < report["step_ms_p50"] <= report["step_ms_p99"]
    own = report["by_steps"][str(read_card(model_path("dtalker")).steps)]
    assert own == {name: report[name] for name in bench.SPEED}
    assert all(figures["step_ms_p50"] > 0 for figures in report["by_steps"].values())
    assert report["voices_realtime_1core"] >= 1
    assert 0 < report["model_mb"] <= LARGEST_MODEL_MB
    assert 0 < report["lookahead_ms"] <= LONGEST_LOOKAHEAD_MS
    assert report["rss_mb"] is None or 20 < report["rss_mb"] <= LARGEST_RSS_MB
    assert report["machine"]["cpu"]


def test_people_read_the_same_figures_with_a_text_each() -> None:
    report = dict.fromkeys(bench.EXPLANATIONS, 1.0)
    about = {"machine": {"cpu": "a", "cores": 2, "load": 0.0, "system": "b"}, "versions": {"python": "3"}}
    by_steps = {steps: dict.fromkeys(bench.SPEED, 3.0) for steps in (1, 4)}
    lines = bench._lines({**report, **about, "by_steps": by_steps, "runs": 5, "model": "dtalker", "seconds": 10.0})
    assert [line.split()[0] for line in lines[: len(report)]] == list(report)
    assert lines[len(report) + 1] == "with 4 steps: fps_offline_1core 3.0, step_ms_p50 3.0, step_ms_p99 3.0"


@pytest.mark.parametrize(("true_limit", "limit"), [(0, 100), (1, 100), (5, 100), (77, 100), (100, 64), (1000, 4096)])
def test_the_largest_batch_is_found_to_within_a_sixteenth(true_limit: int, limit: int) -> None:
    found = largest(lambda count: count <= true_limit, limit)
    assert found <= true_limit
    assert found >= min(true_limit, limit) * 15 / 16 - 1


def test_a_longer_clip_repeats_the_demo() -> None:
    assert len(clip(2.5)) == 40_000
    assert len(clip(25)) == 400_000


def test_the_memory_of_a_process_is_its_own() -> None:
    """A child of a large process does not report its parent's peak."""
    ballast = b"x" * 300_000_000
    code = "from dtalker_model.cli.machine import peak_rss_mb; print(peak_rss_mb())"
    run = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert len(ballast) == 300_000_000
    if machine.peak_rss_mb() is not None and Path("/proc/self/status").exists():
        assert float(run.stdout) < 150

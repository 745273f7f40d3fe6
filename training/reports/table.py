"""Our Table I, of one chain of distillation: ``python -m training table CHAIN``.

Teacher, students of 8, 4, 2 and 1 steps, the teacher merely respaced to 2, the regression network, the ridge map and
the mean face: errors on the validation clips, speed on one CPU core, size; and whether the goals are met.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from textwrap import fill
from typing import Any

from dtalker_model.card import model_path, read_card
from dtalker_model.cli.machine import machine
from training.corpus.clips import corpus_folder
from training.corpus.face_basis import load_face_basis
from training.evaluation.baselines import Ridge, fitted_floors, measured_clips
from training.evaluation.evaluate import SOURCES, motion_rows
from training.evaluation.predictor import Predictor
from training.evaluation.scores import Row
from training.loop.commit import current_commit
from training.predictors.opening import REGRESSION
from training.predictors.shipped import Shipped
from training.predictors.trained import Trained
from training.reports.figure_tables import markdown, number
from training.reports.table_goals import RESPACED, STUDENT, TEACHER, goals, in_steps
from training.reports.table_speed import RUNS, SECONDS, frames_per_second, onnx_frames_per_second
from training.stages.run_distill import ROUNDS, round_folder
from training.stages.run_distill import TEACHER as TEACHER_FOLDER

ERRORS = ("LVE", "EVE", "FDD", "FDD_abs", "closed_1mm", "looks_shut")
COSTS = {
    "fps": "frames/s",
    "torch_fps": "in torch",
    "parameters": "parameters",
    "mb": "MB at 4 bytes",
    "stored_mb": "MB as stored",
}
BYTES = 4
MB = 1e6
NAME = "table.json"

Table = dict[str, Any]
"""`rows`, the means over sources with speed and size; `sources`, a row for each source; and what was measured where."""


def opened(chain: Path, teacher: Path) -> dict[str, Trained]:
    """The networks of a chain by the name of their rows.

    Raises:
        FileNotFoundError: a round of the chain has no weights yet.
    """
    found = {TEACHER: Trained(teacher)}
    found |= {in_steps(STUDENT, n): Trained(round_folder(chain, n)) for n in ROUNDS}
    found |= {RESPACED: Trained(teacher, 2)}
    return found | ({"regression network": Trained(REGRESSION)} if REGRESSION.is_dir() else {})


def opened_file(onnx: str) -> dict[str, Shipped]:
    """A model file with each number of steps that it offers, by the name of their rows; the most steps first."""
    counts = sorted(read_card(model_path(onnx)).step_counts, reverse=True)
    return {in_steps(Path(onnx).stem, n): Shipped(onnx, n) for n in counts}


def measure(chain: Path, teacher: Path = TEACHER_FOLDER, onnx: str = "") -> Table:
    """All figures; `onnx` is a model file, or a shipped name, that has rows too.

    Takes minutes: every model speaks all validation clips.
    """
    about, networks = machine(), opened(chain, teacher)
    costs = {name: cost(each) for name, each in networks.items()}
    for name, speeds in frames_per_second(networks).items():
        costs[name] |= {engine: round(fps) for engine, fps in speeds.items()}
    files = opened_file(onnx) if onnx else {}
    for name, fps in zip(files, onnx_frames_per_second(onnx, [f.about.steps for f in files.values()])):
        costs[name] = cost(files[name]) | {"fps": round(fps), "torch_fps": None}
    models: dict[str, Predictor] = {**networks, **files}
    folder = corpus_folder()
    costs |= floor_costs(folder)
    found = motion_rows(models, folder, "val", load_face_basis(folder), floors=True)
    rows = [r | costs[r["predictor"]] for r in found if r["emotion"] == "all" and r["predictor"] in costs]
    means = {r["predictor"]: r for r in rows if r["source"] == "mean"}
    return {
        "rows": [means[name] for name in costs],
        "sources": [r for r in rows if r["source"] != "mean"],
        "goals": [goal.line for goal in goals(means, Path(onnx).stem)],
        "machine": about,
        "commit": current_commit(),
    }


def cost(model: Predictor) -> Row:
    """Size and number of steps."""
    about = model.about
    mb = round(about.parameters * BYTES / MB, 3)
    return {
        "steps": about.steps, "parameters": about.parameters, "mb": mb, "stored_mb": round(about.stored_bytes / MB, 3)
    }  # fmt: skip


def floor_costs(folder: Path) -> dict[str, Row]:
    """Size of ridge map and mean face: one for each source."""
    sources = [s for s in SOURCES if measured_clips(folder, "train", s)]
    ridges = [fitted_floors(folder, s)["ridge"] for s in sources]
    sizes = {
        "ridge": sum(x.size for r in ridges if isinstance(r, Ridge) for x in (r.mean, r.scale, r.weights)),
        "mean face": 52 * len(sources),
    }
    unknown = {"steps": 0, "stored_mb": None, "fps": None, "torch_fps": None}
    return {name: unknown | {"parameters": n, "mb": round(n * BYTES / MB, 3)} for name, n in sizes.items()}


def text(table: Table) -> str:
    """The table in Markdown, with the goals."""
    where = table["machine"]
    about = f"""LVE and EVE in 1e-5 m2, FDD and FDD_abs (mean of the clips' absolute deviations) in 1e-7 m2, /p b m/
closed within 1 mm and open vowels that look shut as shares: means over the sources, each weighing the same. Frames a
second: {SECONDS:g} s of speech, one voice, one thread, fp32 in ONNX Runtime and in torch, with the audio encoder run
once and log-mel made before, the median of {RUNS} runs in turn; a model file with features and output stage.
{where["cpu"]}, load {where["load"]} before. Parameters are all that speaking and hearing who speaks need; MB are 1e6
bytes; ridge and mean face are one for each source. Commit `{table["commit"]}`."""
    parts = [lines(table["rows"], ("steps", *ERRORS, *COSTS)), fill(about, 120), "\n".join(table["goals"])]
    return "\n\n".join([*parts, sources_text(table["sources"])])


def sources_text(rows: Sequence[Row]) -> str:
    """One table a source."""
    names = dict.fromkeys(r["source"] for r in rows)
    return "\n\n".join(f"{s}:\n\n{lines([r for r in rows if r['source'] == s], ERRORS)}" for s in names)


def lines(rows: Sequence[Row], names: Sequence[str]) -> str:
    """A line a row."""
    cells = [[r["predictor"], *(shown(r, name) for name in names)] for r in rows]
    return markdown(["model", *(COSTS.get(name, name) for name in names)], cells)


def shown(row: Mapping[str, Any], name: str) -> str:
    """A figure as text."""
    value = row.get(name)
    if name in ("steps", "fps", "torch_fps", "parameters"):
        return f"{value:,}" if value else "-"
    return number(value, name)


def saved(chain: Path, teacher: Path = TEACHER_FOLDER, onnx: str = "") -> Table:
    """The table that lies beside the chain; measured where there is none."""
    path = chain / NAME
    if not path.is_file():
        return write(chain, teacher, onnx)
    return json.loads(path.read_text(encoding="utf-8"))


def write(chain: Path, teacher: Path = TEACHER_FOLDER, onnx: str = "") -> Table:
    """Measure, and write ``table.json`` and ``table.md`` into the chain's folder."""
    table = measure(chain, teacher, onnx)
    (chain / NAME).write_text(json.dumps(table, indent=1) + "\n", encoding="utf-8")
    (chain / NAME).with_suffix(".md").write_text(text(table) + "\n", encoding="utf-8")
    return table


def main(chain: Path, as_json: bool, teacher: Path = TEACHER_FOLDER, onnx: str = "") -> None:
    """Measure, write and print."""
    table = write(chain, teacher, onnx)
    print(json.dumps(table, indent=1) if as_json else text(table))

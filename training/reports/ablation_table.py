"""The table of the ablation: figures of each variant, and what each part of the distillation is worth."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from textwrap import fill
from typing import Any

from training.corpus.clips import corpus_folder
from training.corpus.face_basis import load_face_basis
from training.evaluation.emotion_control import emotion_control_rows
from training.evaluation.evaluate import motion_rows
from training.evaluation.scores import Row
from training.loop.commit import current_commit
from training.predictors.trained import Trained
from training.reports.figure_tables import markdown, number
from training.reports.table import sources_text
from training.stages.ablation import FULL, STEPS, VARIANTS, Ablation, train, variant_folder
from training.stages.run_distill import TEACHER, round_folder

ERRORS = ("EVE", "LVE", "FDD", "FDD_abs")
FIGURES = (*ERRORS, "closed_1mm", "looks_shut", "cosine_upper_face", "cosine_mouth_corners")
WHOLE_CHAIN = "the chain's student, all rounds"
NAME = "ablation.json"
NOTICED = 0.01
"""A change of an error by less than 1% is none."""


def measure(chain: Path, out: Path, settings: Ablation) -> dict[str, Any]:
    """Figures of every variant, and of the chain's own 2-step student where it has one."""
    models = {name: Trained(variant_folder(out, name)) for name in VARIANTS}
    if round_folder(chain, STEPS).is_dir():
        models[WHOLE_CHAIN] = Trained(round_folder(chain, STEPS))
    folder = corpus_folder()
    face = load_face_basis(folder)
    found = motion_rows(models, folder, "val", face, floors=False)
    rows = [r for r in found if r["emotion"] == "all"]
    means = {r["predictor"]: r for r in rows if r["source"] == "mean"}
    for name, model in models.items():
        means[name] |= _control(emotion_control_rows(model, folder, "val", face))
    return {
        "rows": [means[name] for name in models],
        "sources": [r for r in rows if r["source"] != "mean"],
        "steps": settings.steps,
        "commit": current_commit(),
    }


def _control(rows: Sequence[Row]) -> Row:
    """Cosines of emotion control; None where there are none."""
    names = ("cosine_upper_face", "cosine_mouth_corners")
    return {name: rows[0][name] if rows else None for name in names}


def worth(rows: Mapping[str, Row]) -> list[str]:
    """A line for each part: by how much the errors grow without it, and whether it pulls its weight."""
    return [_worth(name, row, rows[FULL]) for name, row in rows.items() if name not in (FULL, WHOLE_CHAIN)]


def _worth(name: str, without: Row, full: Row) -> str:
    known = [e for e in ("EVE", "LVE", "FDD_abs") if without[e] is not None and full[e]]
    growth = {e: without[e] / full[e] - 1 for e in known}
    worse, better = (
        [e for e, g in growth.items() if sign * g > NOTICED] for sign in (1, -1)
    )  # fmt: skip
    verdict = {(True, False): "it pulls its weight", (True, True): "it helps some and harms others"}.get(
        (bool(worse), bool(better)), "it does **not** pull its weight under this schedule"
    )
    return f"* {name}: {', '.join(f'{e} {g:+.1%}' for e, g in growth.items())}: {verdict}."


def text(table: Mapping[str, Any]) -> str:
    """The table in Markdown, with what each part is worth."""
    rows = {r["predictor"]: r for r in table["rows"]}
    cells = [[name, *(number(r.get(f), f) for f in FIGURES)] for name, r in rows.items()]
    about = f"""Every variant learned for {table["steps"]} training steps in one round straight from the teacher,
respaced, with the aligned encoder and the teacher's weights to begin with; "without distillation" has neither, nor
L_dis, L_ae and L_pc. "{WHOLE_CHAIN}" went through the whole schedule: it is no variant, and tells how much the short
one leaves out. Units as in the tables of figures; cosines are those of emotion control. Commit `{table["commit"]}`.
Each was trained once, so small differences may be chance. Errors without a part, against "{FULL}" (less than
{NOTICED:.0%} is no change):"""
    parts = [markdown(["2-step student", *FIGURES], cells), fill(about, 120), "\n".join(worth(rows))]
    return "\n\n".join([*parts, sources_text(table["sources"])])


def saved(out: Path) -> dict[str, Any]:
    """The table of an ablation that has been run.

    Raises:
        FileNotFoundError: it has not.
    """
    if not (out / NAME).is_file():
        raise FileNotFoundError(f"{out} has no {NAME}: run `python -m training ablate CHAIN {out}` first")
    return json.loads((out / NAME).read_text(encoding="utf-8"))


def main(settings: Ablation, chain: Path, out: Path, as_json: bool, teacher: Path = TEACHER) -> None:
    """Train what is missing, measure, write ``ablation.json`` and ``ablation.md`` into `out`, and print."""
    train(settings, chain, out, teacher)
    table = measure(chain, out, settings)
    (out / NAME).write_text(json.dumps(table, indent=1) + "\n", encoding="utf-8")
    (out / NAME).with_suffix(".md").write_text(text(table) + "\n", encoding="utf-8")
    print(json.dumps(table, indent=1) if as_json else text(table))

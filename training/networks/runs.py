"""Finished runs and committed weights of teachers and students, opened again: ``config.json`` beside the weights."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from safetensors.torch import load_file

from training.corpus.library import Names
from training.loop import config
from training.loop.commit import current_commit
from training.networks.distilled import Distilled, DistilledConfig
from training.networks.teacher import Teacher, TeacherConfig

BEST = "best.safetensors"
SETTINGS = "config.json"


def save_settings(folder: Path, settings: Any, names: Names, **more: Any) -> None:
    """``config.json``: what decides the run, the library's names, and the commit that it ran on."""
    saved = {"config": asdict(settings), "names": asdict(names), "commit": current_commit(), **more}
    folder.mkdir(parents=True, exist_ok=True)
    (folder / SETTINGS).write_text(json.dumps(saved, indent=1), encoding="utf-8")


def saved_settings(folder: Path) -> dict[str, Any]:
    """What `save_settings` wrote.

    Raises:
        FileNotFoundError: `folder` holds no run.
    """
    path = folder / SETTINGS
    if not path.is_file():
        raise FileNotFoundError(f"{folder} is no run: it has no {SETTINGS}")
    return json.loads(path.read_text(encoding="utf-8"))


def saved_names(folder: Path) -> Names:
    """The library's names of a run."""
    names = saved_settings(folder)["names"]
    return Names(tuple(names["identities"]), tuple(names["emotions"]))


def open_teacher(folder: Path) -> Teacher:
    """A trained teacher in evaluation mode, from its run or from the committed weights, which are half precision."""
    settings = config.from_dict(TeacherConfig, saved_settings(folder)["config"]["teacher"])
    teacher = Teacher(settings, saved_names(folder))
    teacher.load_state_dict({name: x.float() for name, x in load_file(folder / BEST).items()})
    return teacher.eval()


def open_distilled(folder: Path, large: Teacher) -> Distilled:
    """A trained round in evaluation mode."""
    saved = saved_settings(folder)
    settings = config.from_dict(DistilledConfig, saved["config"]["distilled"])
    student = Distilled(settings, large, large, saved["steps"])
    student.load_state_dict(load_file(folder / BEST))
    return student.eval()

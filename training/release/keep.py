"""Weights that are committed: half precision, their configuration, and a card: ``python -m training keep RUN OUT``."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

from safetensors.torch import load_file, save_file

from training.corpus.clips import corpus_folder, read_manifest
from training.evaluation.evaluate import evaluate
from training.loop import config
from training.networks.runs import BEST, SETTINGS, saved_settings
from training.predictors.opening import open_predictor
from training.release.release import licence_of, training_data, used_clips
from training.stages.preparation import DataConfig

CARD = "card.json"
LIMIT_BYTES = 20_000_000
LEAST_VALUES = 4096
"""Smaller tensors stay as they are: among them are scales that half precision cannot hold."""


def keep(run: Path, out: Path) -> None:
    """Write the best weights of a teacher or a regression network into `out`, with the figures of what was written.

    Raises:
        FileNotFoundError: `run` has no trained weights.
        ValueError: they are too large for the repository.
    """
    saved = saved_settings(run)
    weights = {name: x.half() if x.numel() >= LEAST_VALUES else x for name, x in load_file(run / BEST).items()}
    if (size := sum(x.numel() * x.element_size() for x in weights.values())) > LIMIT_BYTES:
        raise ValueError(f"{run}: {size / 1e6:.1f} MB in half precision; at most {LIMIT_BYTES / 1e6:.0f} are committed")
    out.mkdir(parents=True, exist_ok=True)
    save_file(weights, out / BEST)
    shutil.copyfile(run / SETTINGS, out / SETTINGS)
    (out / CARD).write_text(json.dumps(card(saved, out), indent=1), encoding="utf-8")


def card(saved: dict[str, Any], out: Path) -> dict[str, Any]:
    """What the weights in `out` are: data, licence, seed, commit, figures."""
    clips = used_clips(
        config.from_dict(DataConfig, saved["config"]["data"]), read_manifest(corpus_folder(), "train", voices=True)
    )
    rows = [row for row in evaluate(open_predictor(out), floors=False) if row["emotion"] == "all"]
    return {
        "training_data": training_data(clips),
        "licence": licence_of(clips),
        "seed": saved["config"]["seed"],
        "commit": saved["commit"],
        "figures": {"command": f"python -m training evaluate training/weights/{out.name}", "rows": rows},
    }

"""From a run to a model that users load: ONNX, card, and the figures of the file that was written."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from safetensors.torch import load_file
from torch import Tensor

from dtalker_model.card import ModelCard, read_card, write_card
from dtalker_model.listener_network import ListenerConfig, ListenerNetwork
from dtalker_model.network import Student
from training import config
from training.corpus import Clip, corpus_folder, read_manifest
from training.evaluate import evaluate
from training.export import write_model
from training.library import Library
from training.posed import ACTION_UNITS
from training.run_student import TrainConfig, saved_names

DESCRIPTION = "Speech to ARKit-52 blendshapes: a causal 2-step diffusion student for one CPU core."
LICENCE = "CC BY-NC-SA 4.0 (non-commercial: the training data include RAVDESS)"
FIGURES_COMMAND = "python -m training evaluate dtalker"
MEASURED, POSED = "measured", "posed from published action units (EMFACS), synthetic"


def release(run: Path, listener_run: Path | None, out: Path) -> None:
    """Write ``out`` (.onnx), its listener and its card; refuse where torch and ONNX differ."""
    saved = json.loads((run / "config.json").read_text(encoding="utf-8"))
    settings = config.from_dict(TrainConfig, saved["config"])
    names = saved_names(run)
    weights = load_file(run / "best.safetensors")
    student = Student(settings.student)
    student.load_state_dict(_part(weights, "student."))
    library = Library(names, settings.student.embedding_dim)
    library.load_state_dict(_part(weights, "library."))
    clips = read_manifest(corpus_folder(), "train")
    card = _card(out.stem, settings, saved["commit"], library, clips)
    listener = None
    if listener_run is not None:
        listener, card = _listener(listener_run, card)
    write_model(student, listener, card, out)
    rows = [row for row in evaluate(str(out), floors=False) if row["emotion"] == "all"]
    figures = {"command": FIGURES_COMMAND, "rows": rows}
    write_card(replace(read_card(out), figures=figures), out)


def _part(weights: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): value for name, value in weights.items() if name.startswith(prefix)}


def _card(name: str, settings: TrainConfig, commit: str, library: Library, clips: Sequence[Clip]) -> ModelCard:
    identities, emotions = library.tables()
    return ModelCard(
        name=name,
        description=DESCRIPTION,
        identities=_named(library.names.identities, identities),
        emotions=_named(library.names.emotions, emotions),
        steps=settings.student.steps,
        sha256="",
        parameters=0,
        training_data=tuple(training_data(clips)),
        licence=LICENCE,
        emotion_sources={e: POSED if e in ACTION_UNITS else MEASURED for e in library.names.emotions},
        seed=settings.seed,
        commit=commit,
        config=settings.student.to_dict(),
    )


def _named(names: Sequence[str], table: Tensor) -> dict[str, tuple[float, ...]]:
    return {name: tuple(round(x, 5) for x in row) for name, row in zip(names, table.tolist())}


def training_data(clips: Sequence[Clip]) -> list[dict[str, Any]]:
    """One entry a source: licence, minutes with and without motion."""
    minutes: dict[str, list[float]] = defaultdict(lambda: [0.0, 0.0])
    licences: dict[str, str] = {}
    for clip in clips:
        minutes[clip.source][clip.motion is None] += clip.seconds / 60
        licences[clip.source] = clip.licence
    rows = [
        {
            "source": s,
            "licence": licences[s],
            "minutes_with_motion": round(m[0], 1),
            "minutes_audio_only": round(m[1], 1),
        }
        for s, m in minutes.items()
    ]
    synthetic = {
        "source": "flite",
        "licence": "synthetic speech with phone times, no motion",
        "minutes_with_motion": 0.0,
    }
    return [*rows, synthetic]


def _listener(run: Path, card: ModelCard) -> tuple[ListenerNetwork, ModelCard]:
    saved = json.loads((run / "config.json").read_text(encoding="utf-8"))
    listener = ListenerNetwork(config.from_dict(ListenerConfig, saved["config"]))
    listener.load_state_dict(load_file(run / "best.safetensors"))
    identities, emotions = tuple(saved["identities"]), tuple(saved["emotions"])
    return listener, replace(card, listener_identities=identities, listener_emotions=emotions)

"""From a finished chain to a model that users load: ONNX, card, and the figures of the file that was written."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import onnx
from safetensors.torch import load_file
from torch import Tensor

from dtalker_model.card import ModelCard, listener_path, read_card, sha256_of, write_card
from dtalker_model.networks.network import Student
from training.corpus.clips import Clip, corpus_folder, read_manifest
from training.corpus.library import UNKNOWN, Library
from training.evaluation.evaluate import evaluate
from training.loop import config
from training.networks.runs import BEST, saved_names, saved_settings
from training.predictors.opening import open_predictor
from training.release.export import write_model
from training.release.halves import halves_alike, recorded, unrecorded_pairs
from training.stages.preparation import DataConfig
from training.stages.run_distill import ROUNDS, DistillTraining, round_folder
from training.stages.run_listener import open_listener

DESCRIPTION = "Speech to ARKit-52 blendshapes: a causal diffusion student of 1, 2 or 4 steps for one CPU core."
LICENCES = {
    True: "CC BY-NC-SA 4.0 (non-commercial: the training data include RAVDESS)",
    False: "CC BY 4.0 (from GRID and LibriSpeech, CC BY 4.0, FACEGOOD, MIT, and speechocean762, free for any use: "
    "commercial use with attribution)",
}
"""By whether the training data include RAVDESS."""
SYNTHETIC_SPEECH: dict[bool, tuple[dict[str, Any], ...]] = {
    True: ({"source": "flite", "licence": "synthetic speech with phone times, no motion", "minutes_with_motion": 0.0},),
    False: (),
}
MEASURED, POSED = "measured", "posed from published action units (EMFACS), synthetic"


def release(chain: Path, listener: Path | None, out: Path) -> None:
    """Write ``out`` (.onnx) from a finished chain, its listener and its card; refuse where torch and ONNX differ.

    Args:
        chain: folder of `distill`.
        listener: the run folder of a listener, or the ``.onnx`` of a model whose listener goes on as it is.

    Raises:
        FileNotFoundError: the chain's last round, or the listener, is not there.
        ExportError: the graph does not compute what torch computes; nothing was written.
    """
    run = round_folder(chain, ROUNDS[-1])
    settings = config.from_dict(DistillTraining, saved_settings(run)["config"])
    weights = load_file(run / BEST)
    student = Student(settings.distilled.student)
    student.load_state_dict(_part(weights, "student."))
    library = Library(saved_names(run), settings.distilled.student.embedding_dim)
    library.load_state_dict(_part(weights, "personalizer.library."))
    clips = used_clips(settings.data, read_manifest(corpus_folder(), "train", voices=True))
    halves_alike(student, unrecorded_pairs(recorded(clips)))
    card = _card(out.stem, settings, saved_settings(run)["commit"], library, clips)
    kept = None if listener is None or listener.is_dir() else KeptListener.of(listener)
    network = None
    if listener is not None and kept is None:
        network, identities, emotions = open_listener(listener)
        card = replace(card, listener_identities=identities, listener_emotions=emotions)
    write_model(student, network, card, out)
    if kept is not None:
        kept.join(out)
    streams = settings.distilled.student.encoder == "causal"  # the runtime loads no other; an offline one is
    measured = out if streams else run  # evaluated as it was trained
    rows = [row for row in evaluate(open_predictor(str(measured)), floors=False) if row["emotion"] == "all"]
    figures = {"command": f"python -m training evaluate {out.stem}", "rows": rows}
    write_card(replace(read_card(out), figures=figures), out)


@dataclass(frozen=True)
class KeptListener:
    """A listener that another model has, as it is: its file, its names, and how many numbers it learned."""

    graph: bytes
    identities: tuple[str, ...]
    emotions: tuple[str, ...]
    parameters: int

    @classmethod
    def of(cls, model: Path) -> KeptListener:
        """The listener beside ``model`` (.onnx)."""
        path = listener_path(model)
        if not path.is_file():
            raise FileNotFoundError(
                f"{model} has no listener beside it: give a listener's run folder, or another model"
            )
        card = read_card(model)
        stored = onnx.load(path, load_external_data=False).graph.initializer
        parameters = sum(math.prod(tensor.dims) for tensor in stored if len(tensor.dims) > 0)
        return cls(path.read_bytes(), tuple(card.listener_identities), tuple(card.listener_emotions), parameters)

    def join(self, model: Path) -> None:
        """Put it beside ``model``, whose card then names it."""
        listener_path(model).write_bytes(self.graph)
        card = read_card(model)
        named = replace(card, listener_identities=self.identities, listener_emotions=self.emotions)
        digest = sha256_of(listener_path(model))
        write_card(replace(named, listener_sha256=digest, parameters=card.parameters + self.parameters), model)


def _part(weights: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): value for name, value in weights.items() if name.startswith(prefix)}


def used_clips(data: DataConfig, clips: Sequence[Clip]) -> list[Clip]:
    """The clips that a run with these settings saw or heard."""
    return [c for c in clips if c.source in (data.share if c.motion else data.heard_share)]


def licence_of(clips: Sequence[Clip]) -> str:
    """The licence of weights trained on `clips`."""
    return LICENCES[any(c.source.startswith("ravdess") for c in clips)]


def _card(name: str, settings: DistillTraining, commit: str, library: Library, clips: Sequence[Clip]) -> ModelCard:
    identities, emotions = (_named(names, table) for names, table in zip(_names(library), library.tables()))
    measured = {c.emotion for c in clips if c.motion}
    student = settings.distilled.student
    return ModelCard(
        name=name,
        description=DESCRIPTION,
        identities=identities,
        emotions=emotions,
        unlabelled=_unlabelled(library),
        steps=student.default_steps,
        step_counts=student.step_counts,
        sha256="",
        parameters=0,
        training_data=(*training_data(clips), *SYNTHETIC_SPEECH["flite" in settings.data.heard_share]),
        licence=licence_of(clips),
        emotion_sources={e: MEASURED if e in measured else POSED for e in emotions},
        seed=settings.seed,
        commit=commit,
        config=student.to_dict(),
    )


def _names(library: Library) -> tuple[tuple[str, ...], tuple[str, ...]]:
    return library.names.identities, library.names.emotions


def _named(names: Sequence[str], table: Tensor) -> dict[str, tuple[float, ...]]:
    return {name: _rounded(row) for name, row in zip(names, table.tolist()) if name != UNKNOWN}


def _unlabelled(library: Library) -> tuple[float, ...]:
    return _rounded(library.tables()[1][library.names.emotions.index(UNKNOWN)].tolist())


def _rounded(row: Sequence[float]) -> tuple[float, ...]:
    return tuple(round(x, 5) for x in row)


def training_data(clips: Sequence[Clip]) -> list[dict[str, Any]]:
    """One entry a source: licence, minutes with and without motion."""
    minutes: dict[str, list[float]] = defaultdict(lambda: [0.0, 0.0])
    licences: dict[str, set[str]] = defaultdict(set)
    for clip in clips:
        minutes[clip.source][clip.motion is None] += clip.seconds / 60
        licences[clip.source].add(clip.licence)
    return [
        {
            "source": s,
            "licence": "; ".join(sorted(licences[s])),
            "minutes_with_motion": round(m[0], 1),
            "minutes_audio_only": round(m[1], 1),
        }
        for s, m in minutes.items()
    ]

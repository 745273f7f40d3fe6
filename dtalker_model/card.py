"""The card of a model: the JSON beside its ``.onnx``, read and checked before the network is loaded."""

from __future__ import annotations

import hashlib
import json
import math
import os
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

import numpy as np

from dtalker_model import rates
from dtalker_model.blendshapes import ARKIT_NAMES
from dtalker_model.errors import ModelError

FORMAT = "dtalker-model-1"
WEIGHTS_FOLDER = Path(__file__).parent / "weights"
DEFAULT_MODEL = "dtalker"
LARGEST = float(np.finfo(np.float32).max)
"""Of an embedding's numbers: the network computes in single precision."""
_KINDS: dict[str, type] = {"str": str, "int": int, "bool": bool, "Mapping": dict, "tuple": tuple}


@dataclass(frozen=True)
class ModelCard:
    """What a model is, and what it was made of.

    Attributes:
        name: short name, as in ``load(name)``.
        description: one sentence.
        identities, emotions: library of embeddings by name; ``default`` and ``neutral`` are always there.
        steps: denoising steps that are used unless others are asked for.
        step_counts: numbers of steps that the graph offers; none: `steps` alone.
        lookahead_samples: frame i depends on audio before sample 320 i + this.
        sha256, listener_sha256: of the ``.onnx`` files; the listener (who speaks, in which mood) is optional.
        listener_identities, listener_emotions: the order of the listener's outputs.
        unlabelled: embedding of an emotion that nobody told, learned where the label was dropped: what `live` means as
            far as it is in doubt. Models of before it was kept have none.
        articulates: whether `articulation` can be other than 1; models of before it was learned have no such input.
        parameters: numbers learned, both graphs together.
        training_data: one entry a source: name, licence, minutes, what its motion is.
        emotion_sources: for each emotion, where its face comes from.
        licence: of the weights, as it follows from the data.
        figures: validation figures, and the command that prints them.
        seed, commit, config: what repeats the training.
    """

    name: str
    description: str
    identities: Mapping[str, tuple[float, ...]]
    emotions: Mapping[str, tuple[float, ...]]
    steps: int
    sha256: str
    parameters: int
    training_data: tuple[Mapping[str, Any], ...]
    licence: str
    listener_sha256: str = ""
    listener_identities: tuple[str, ...] = ()
    listener_emotions: tuple[str, ...] = ()
    unlabelled: tuple[float, ...] = ()
    emotion_sources: Mapping[str, str] = field(default_factory=dict)
    figures: Mapping[str, Any] = field(default_factory=dict)
    articulates: bool = False
    seed: int = 0
    commit: str = ""
    config: Mapping[str, Any] = field(default_factory=dict)
    sample_rate_hz: int = rates.SAMPLE_RATE_HZ
    frame_rate_hz: int = rates.FRAME_RATE_HZ
    lookahead_samples: int = rates.LOOKAHEAD_SAMPLES
    blendshapes: tuple[str, ...] = ARKIT_NAMES
    step_counts: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "step_counts", self.step_counts or (self.steps,))

    @property
    def lookahead_ms(self) -> float:
        """Look-ahead in milliseconds."""
        return 1000 * self.lookahead_samples / self.sample_rate_hz


def model_path(model: str | Path) -> Path:
    """The ``.onnx`` file of a shipped model's name or of a path; ModelError where there is none."""
    path = Path(model)
    if path.suffix != ".onnx" and path.name == str(model):
        path = WEIGHTS_FOLDER / f"{model}.onnx"
    if not os.path.isfile(path):  # a name may be too long for the method of `Path`
        shipped = ", ".join(sorted(p.stem for p in WEIGHTS_FOLDER.glob("*.onnx") if "." not in p.stem))
        raise ModelError(
            f"no model {str(model)!r}: give a shipped name ({shipped or 'none installed'}) or the path of an .onnx"
        )
    return path


def card_path(onnx: Path) -> Path:
    """``NAME.json`` beside ``NAME.onnx``."""
    return onnx.with_suffix(".json")


def listener_path(onnx: Path) -> Path:
    """``NAME.listener.onnx`` beside ``NAME.onnx``."""
    return onnx.with_suffix(".listener.onnx")


def read_card(onnx: Path) -> ModelCard:
    """Read and check the card of an ``.onnx`` file, and that the files are the ones it describes.

    Raises:
        ModelError: the card is missing, foreign, of another format or incomplete, or a file was changed or cut short.
    """
    card = _parse(card_path(onnx))
    _check_digest(onnx, card.sha256)
    if card.listener_sha256:
        _check_digest(listener_path(onnx), card.listener_sha256)
    return card


def write_card(card: ModelCard, onnx: Path) -> None:
    """Write the card beside its ``.onnx``."""
    plain = {f.name: getattr(card, f.name) for f in fields(card)}
    text = json.dumps({"format": FORMAT, **plain}, indent=1, allow_nan=False)
    card_path(onnx).write_text(text + "\n", encoding="utf-8")


def sha256_of(path: Path) -> str:
    """Hexadecimal SHA-256 of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def table(entries: Mapping[str, tuple[float, ...]]) -> np.ndarray:
    """Embeddings as a matrix (names, dim) float32, in the mapping's order."""
    return np.array(list(entries.values()), np.float32)


def _parse(path: Path) -> ModelCard:
    try:
        text = path.read_text(encoding="utf-8")
        raw = json.loads(text, parse_constant=_finite, parse_float=_finite)
    except FileNotFoundError:
        raise ModelError(
            f"{path.name} is missing: a model is an .onnx file with its card beside it; copy both"
        ) from None
    except (OSError, ValueError, RecursionError) as error:
        raise ModelError(f"{path.name} is no model card ({error}): install the model again") from None
    if not isinstance(raw, dict) or raw.get("format") != FORMAT:
        found = raw.get("format") if isinstance(raw, dict) else type(raw).__name__
        raise ModelError(
            f"{path.name} has format {found!r}, this dtalker reads {FORMAT!r}: use a model and a dtalker that fit"
        )
    del raw["format"]
    try:
        card = ModelCard(**{key: _frozen(value) for key, value in raw.items()})
        _check(card, path.name)
    except (TypeError, ValueError, AttributeError) as error:
        raise ModelError(f"{path.name} does not fit this dtalker ({error}): install the model again") from None
    return card


def _finite(text: str) -> float:
    """A number of the card: NaN and infinity are none, though Python reads and writes them."""
    if not math.isfinite(number := float(text)):
        raise ValueError(f"{text} is no number")
    return number


def _check(card: ModelCard, name: str) -> None:
    _check_types(card, name)
    rated = (card.sample_rate_hz, card.frame_rate_hz, card.lookahead_samples, tuple(card.blendshapes))
    expected = (rates.SAMPLE_RATE_HZ, rates.FRAME_RATE_HZ, rates.LOOKAHEAD_SAMPLES, ARKIT_NAMES)
    for received, wanted in zip(rated, expected):
        if received != wanted:
            raise ModelError(f"{name}: the model was made for {received}, this dtalker for {wanted}: they do not fit")
    if card.steps not in card.step_counts or not all(isinstance(n, int) and n > 0 for n in card.step_counts):
        raise ModelError(f"{name}: steps {card.steps} are none of {card.step_counts}: install the model again")
    if "default" not in card.identities or "neutral" not in card.emotions:
        raise ModelError(f"{name}: the library lacks identity 'default' or emotion 'neutral': install the model again")
    _check_embeddings(card, name)


def _check_types(card: ModelCard, name: str) -> None:
    for entry in fields(card):
        value, kind = getattr(card, entry.name), _KINDS[str(entry.type).partition("[")[0]]
        if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
            both = f"{type(value).__name__}, not {kind.__name__}"
            raise ModelError(f"{name}: {entry.name} is of type {both}: install the model again")


def _check_embeddings(card: ModelCard, name: str) -> None:
    vectors = [*card.identities.values(), *card.emotions.values(), *([card.unlabelled] if card.unlabelled else [])]
    for vector in vectors:
        numbers = isinstance(vector, tuple) and all(type(x) in (int, float) for x in vector)
        if not numbers or not all(abs(x) <= LARGEST for x in vector):
            raise ModelError(f"{name}: no number of single precision in an embedding: install the model again")
    if len(set(map(len, vectors))) != 1 or not vectors[0]:
        raise ModelError(f"{name}: embeddings differ in length: install the model again")


def _check_digest(path: Path, expected: str) -> None:
    if not path.is_file():
        raise ModelError(f"{path.name} is missing beside its card: copy it there, or install the model again")
    if sha256_of(path) != expected:
        raise ModelError(
            f"{path.name} is truncated or not the one its card describes (sha256 differs): install the model again"
        )


def _frozen(value: Any) -> Any:
    return (
        tuple(_frozen(v) for v in value)
        if isinstance(value, list)
        else {k: _frozen(v) for k, v in value.items()}
        if isinstance(value, dict)
        else value
    )

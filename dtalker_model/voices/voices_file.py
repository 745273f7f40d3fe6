"""Voices as a safetensors file: two embeddings for each, keyed by the model's digest and the voice's name."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from dtalker_model.errors import VoiceError
from dtalker_model.voices.voices import NAME, Voice

FORMAT = "dtalker-voices-1"
PARTS = ("identity", "emotion")
LONGEST_S = 1e6
"""Seconds of speech that anybody enrolled with."""


def encode_voices(voices: Iterable[Voice]) -> bytes:
    """The bytes of the file."""
    tensors: dict[str, np.ndarray] = {}
    notes = {"format": FORMAT}
    for voice in voices:
        key = f"{voice.model_sha256}/{voice.name}"
        notes[key] = json.dumps({"model": voice.model, "speech_s": voice.speech_s, "enrolled": voice.enrolled})
        tensors |= {f"{key}/{part}": np.array(getattr(voice, part), np.float32) for part in PARTS}
    return bytes(_safetensors().numpy.save(tensors, notes))


def read_voices(path: Path) -> list[Voice]:
    """The voices of a file, by name; none where there is no file.

    Raises:
        VoiceError: the file cannot be read, is damaged, or is of another format.
    """
    try:
        path.open("rb").close()  # its errors say plainly what the library's own do not
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        raise VoiceError(f"cannot read {path}: {error.strerror or error}") from error
    safetensors = _safetensors()
    try:
        with safetensors.safe_open(path, framework="np") as file:
            notes = dict(file.metadata() or {})
            if (found := notes.pop("format", None)) != FORMAT:
                raise VoiceError(f"{path} has format {found!r}, this dtalker reads {FORMAT!r}: move the file away")
            return sorted((_voice(file, key, note) for key, note in notes.items()), key=lambda voice: voice.name)
    except (OSError, safetensors.SafetensorError, ValueError, TypeError, KeyError, RecursionError) as error:
        raise VoiceError(f"{path} is damaged ({error}): move it away and enroll its voices again") from error


def _voice(file: Any, key: str, note: str) -> Voice:
    """The entry `key`; raises ValueError, TypeError or the library's error where it is none."""
    model_sha256, _, name = key.partition("/")
    if not NAME.fullmatch(name):
        raise ValueError(f"entry {key!r}")
    vectors = {part: file.get_tensor(f"{key}/{part}") for part in PARTS}
    for vector in vectors.values():
        if vector.shape != vectors["identity"].shape or not _is_embedding(vector):
            raise ValueError(f"embeddings of {name!r}")
    fields: dict[str, Any] = {part: tuple(vector.tolist()) for part, vector in vectors.items()}
    voice = Voice(name, model_sha256=model_sha256, **fields, **json.loads(note))
    spoke = type(voice.speech_s) in (int, float) and 0 <= voice.speech_s <= LONGEST_S
    if not spoke or not isinstance(voice.model, str) or not isinstance(voice.enrolled, str):
        raise ValueError(f"notes of {name!r}")
    return voice


def _is_embedding(vector: np.ndarray) -> bool:
    return vector.ndim == 1 and len(vector) > 0 and vector.dtype == np.float32 and bool(np.isfinite(vector).all())


def _safetensors() -> Any:
    try:
        import safetensors.numpy
    except ImportError as error:
        raise VoiceError("enrolled voices need the Python module safetensors: pip install safetensors") from error
    return safetensors

"""VOCASET (Cudeiro et al. 2019): 12 speakers, 480 sentences, FLAME meshes at 60 fps. Non-commercial research.

Read as published ("Training Data", 8 GB)::

    data_verts.npy          (frames, 5023, 3) float32, metres, head pose removed; read through a memory map
    subj_seq_to_idx.pkl     {subject: {sequence: {frame: row of data_verts}}}
    raw_audio_fixed.pkl     {subject: {sequence: {"audio": samples, "sample_rate": 22000}}}
    templates.pkl           {subject: (5023, 3)}: neutral faces

or as FaceFormer and its successors prepare it::

    wav/FaceTalk_170725_00137_TA_sentence01.wav
    vertices_npy/FaceTalk_170725_00137_TA_sentence01.npy     (T, 15069), 60 fps
    templates.pkl

Pickles are read by `plain_pickle`, which runs nothing. Weights come from `flame`: bounded least squares on the corpus's
linear face at 68 landmarks, or on ``--basis``. The split is the published one: two speakers validate, two test.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np

from training.corpus.clips import corpus_folder
from training.data.layouts import plain_pickle
from training.data.layouts.flame import FLAME_VERTICES, LinearFace, given_face, landmark_face, solver
from training.data.source import Candidate, Options, Recording, Refusal, Track, pairs, read_sound

FPS = 60.0
LICENCE = "VOCASET licence, non-commercial research"
KIND = "captured: FLAME meshes, ARKit weights solved on a linear face"
SPLITS = {
    "FaceTalk_170811_03275_TA": "val",
    "FaceTalk_170908_03277_TA": "val",
    "FaceTalk_170809_00138_TA": "test",
    "FaceTalk_170731_00024_TA": "test",
}
Solve = Callable[[np.ndarray], np.ndarray]
Source = Callable[[], tuple[np.ndarray, int, np.ndarray]]
"""Audio, its rate in Hz, and vertices (T, 5023, 3) of one sequence."""


def find(folder: Path, options: Options) -> list[Candidate]:
    """Every sequence, in either layout.

    Raises:
        ValueError: the folder has neither layout, or one of its pickles is not what it should be.
        FileNotFoundError: no linear face: neither ``--basis`` nor a corpus.
    """
    templates_file = folder / "templates.pkl"
    if not templates_file.is_file():
        raise ValueError(f"no templates.pkl in {folder}: VOCASET's neutral faces are needed")
    templates = plain_pickle.read(templates_file)
    if not isinstance(templates, Mapping) or not all(np.shape(t) == (FLAME_VERTICES, 3) for t in templates.values()):
        raise ValueError("templates.pkl must hold a neutral face (5023, 3) for each subject")
    face = given_face(options.basis) if options.basis else landmark_face(corpus_folder() / "face_basis_ict.npz")
    found = _published(folder) if (folder / "data_verts.npy").is_file() else _prepared(folder, list(templates))
    solve = _solvers(face, templates)
    return [_candidate(subject, sequence, source, solve, options) for subject, sequence, source in found]


def _solvers(face: LinearFace, templates: Mapping[str, np.ndarray]) -> Callable[[str], tuple[Solve, np.ndarray]]:
    @cache
    def of(subject: str) -> tuple[Solve, np.ndarray]:
        if subject not in templates:
            raise Refusal(f"templates.pkl has no neutral face of {subject or 'this subject'}")
        return solver(face, np.asarray(templates[subject])), face.observed

    return of


def _candidate(
    subject: str, sequence: str, source: Source, solve: Callable[[str], tuple[Solve, np.ndarray]], options: Options
) -> Candidate:
    def read() -> Recording:
        weights, observed = solve(subject)
        audio, rate_hz, vertices = source()
        return Recording(audio, rate_hz, Track(weights(vertices), observed, FPS, options.start_s))

    name, split = f"{subject}_{sequence}".strip("_"), SPLITS.get(subject, "train")
    return Candidate(name, f"vocaset_{subject or 'unknown'}", "neutral", LICENCE, KIND, read, split=split)


def _published(folder: Path) -> list[tuple[str, str, Source]]:
    index = plain_pickle.read(folder / "subj_seq_to_idx.pkl")
    audio = plain_pickle.read(folder / "raw_audio_fixed.pkl")
    vertices = np.load(folder / "data_verts.npy", mmap_mode="r", allow_pickle=False)
    if vertices.shape[1:] != (FLAME_VERTICES, 3):
        raise ValueError(f"data_verts.npy has shape {vertices.shape}; (frames, 5023, 3) needed")
    sequences = [(subject, sequence) for subject in sorted(index) for sequence in sorted(index[subject])]
    return [(a, b, partial(_rows, index[a][b], audio.get(a, {}).get(b), vertices)) for a, b in sequences]


def _rows(
    frames: Mapping[int, int], sound: Mapping[str, Any] | None, vertices: np.ndarray
) -> tuple[np.ndarray, int, np.ndarray]:
    if not sound:
        raise Refusal("raw_audio_fixed.pkl has no audio of it")
    rows = [frames[k] for k in sorted(frames)]
    if sorted(frames) != list(range(len(frames))) or not rows or max(rows) >= len(vertices):
        raise Refusal("its frames are not numbered 0, 1, 2 … or point outside data_verts.npy")
    return _pcm(np.asarray(sound["audio"])), int(sound["sample_rate"]), np.asarray(vertices[rows])


def _pcm(audio: np.ndarray) -> np.ndarray:
    return audio if audio.dtype in (np.int16, np.int32) else audio.astype(np.float32)


def _prepared(folder: Path, subjects: list[str]) -> list[tuple[str, str, Source]]:
    found: list[tuple[str, str, Source]] = []
    for stem, wav, npy in pairs(folder, ".wav", ".npy"):
        subject = next((s for s in subjects if stem.startswith(f"{s}_")), "")
        found.append((subject, stem.removeprefix(f"{subject}_"), partial(_files, wav, npy)))
    return found


def _files(wav: Path, npy: Path | None) -> tuple[np.ndarray, int, np.ndarray]:
    if npy is None:
        raise Refusal("no .npy of this name")
    try:
        vertices = np.load(npy, allow_pickle=False)
        vertices = vertices.reshape(len(vertices), FLAME_VERTICES, 3)
    except (OSError, ValueError, EOFError, TypeError) as error:
        raise Refusal(f"{npy.name} holds no vertices (T, 15069): {error}") from None
    return *read_sound(wav), vertices

"""A corpus of a few generated seconds, in the layout of the real one."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import soundfile

from dtalker_model.blendshapes import ARKIT_NAMES, INDEX

SECONDS, FPS = 4.0, 30.0
LIPS = 6


def write_corpus(folder: Path) -> Path:
    """Two clips a source, one to train and one to validate, and one without motion."""
    rows = []
    mood, plain = ("happy", "sad"), ("neutral", "neutral")
    sources = {"ravdess": mood, "ravdess_song": mood, "facegood": plain, "grid": plain}
    for source, emotions in sources.items():
        for split, emotion in zip(("train", "val"), emotions):
            rows.append(_write_clip(folder, f"{source}_{split}", source, split, emotion))
    rows.append(_write_clip(folder, "audio_only", "ravdess", "train", "angry"))
    for key in ("motion", "fps", "frames", "motion_start_s"):
        del rows[-1][key]
    (folder / "manifest.jsonl").write_text("\n".join(json.dumps(row) for row in rows) + "\n")
    draw = np.random.default_rng(0)
    delta = draw.normal(size=(52, LIPS + 4, 3)).astype(np.float16)
    neutral = draw.normal(size=(LIPS + 4, 3)).astype(np.float32)
    neutral[LIPS:, 1] += 10  # the last four are the upper face
    np.savez(
        folder / "face_basis_ict.npz", names=np.array(ARKIT_NAMES), delta_cm=delta, neutral_cm=neutral,
        lip_vertices=np.arange(LIPS), landmarks68=np.arange(68) % LIPS,
        faces_quad=np.array([[0, 1, 2, 3], [6, 7, 8, 9]]),
    )  # fmt: skip
    return folder


def write_voices(folder: Path) -> Path:
    """Voices beside the corpus, as Ogg Opus: three to train with, the last without phones, and one to validate."""
    rows = []
    for k, split in enumerate(("train", "train", "train", "val")):
        row = _write_clip(folder, f"voice_{k}", "voices", split, "neutral", "opus")
        del row["motion"], row["fps"], row["frames"], row["motion_start_s"]
        rows.append(row | {"identity": f"so_{k}", "text": "we call it bear"} | ({"age": 6 + k} if k < 2 else {}))
    del rows[2]["phones"]
    (folder / "voices.jsonl").write_text("\n".join(json.dumps(row) for row in rows) + "\n")
    return folder


def _write_clip(folder: Path, name: str, source: str, split: str, emotion: str, kind: str = "flac") -> dict:
    draw = np.random.default_rng(sum(map(ord, name)))
    times_s = np.arange(int(SECONDS * 16000)) / 16000
    rate_hz = draw.uniform(1.5, 3.0)
    loudness = 0.5 - 0.5 * np.cos(2 * np.pi * rate_hz * times_s)
    coding = {"format": "OGG", "subtype": "OPUS"} if kind == "opus" else {}
    soundfile.write(folder / f"{name}.{kind}", 0.3 * loudness * np.sin(2 * np.pi * 180 * times_s), 16000, **coding)
    motion_times_s = 0.02 + np.arange(int(SECONDS * FPS) - 2) / FPS
    weights = np.zeros((len(motion_times_s), 52), np.float16)
    weights[:, INDEX["jawOpen"]] = 0.3 - 0.3 * np.cos(2 * np.pi * rate_hz * motion_times_s)
    weights[:, INDEX["mouthSmileLeft"]] = weights[:, INDEX["mouthSmileRight"]] = 0.6 if emotion == "happy" else 0.1
    observed = np.ones(52, bool)
    observed[INDEX["tongueOut"]] = False
    np.savez(folder / f"{name}.npz", weights=weights, observed=observed)
    identity = f"{source.split('_')[0]}_01" if source.startswith("ravdess") else source
    return {
        "id": name, "source": source, "split": split, "identity": identity, "emotion": emotion,
        "audio": f"{name}.{kind}", "seconds": SECONDS, "licence": "CC0", "motion": f"{name}.npz", "fps": FPS,
        "frames": len(weights), "motion_start_s": 0.02, "phones": [["SIL", 0.0, 1.0], ["AA", 1.0, 3.0]],
    }  # fmt: skip

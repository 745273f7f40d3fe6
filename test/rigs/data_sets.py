"""Tiny generated files in the layouts of the public data sets."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import soundfile

from dtalker_model.blendshapes import ARKIT_NAMES, INDEX
from training.data.layouts.flame import FLAME_VERTICES, LANDMARKS

SECONDS = 1.5
JAW = INDEX["jawOpen"]


def write_sound(path: Path, rate_hz: int = 16000, seconds: float = SECONDS, channels: int = 1) -> Path:
    """A loud tone."""
    path.parent.mkdir(parents=True, exist_ok=True)
    tone = 0.3 * np.sin(2 * np.pi * 200 * np.arange(round(seconds * rate_hz)) / rate_hz)
    soundfile.write(path, np.tile(tone[:, None], (1, channels)), rate_hz)
    return path


def jaw_curve(fps: float, seconds: float = SECONDS) -> np.ndarray:
    """Frames (T, 52) whose jaw opens as t / seconds; everything else rests."""
    weights = np.zeros((round(seconds * fps), 52), np.float32)
    weights[:, JAW] = np.arange(len(weights)) / fps / seconds
    return weights


def write_beat(folder: Path, name: str, frames: np.ndarray | None = None) -> None:
    """A recording of BEAT: wav and json with 51 names in alphabetical order, 60 fps, and a TextGrid."""
    names = [n for n in sorted(ARKIT_NAMES) if n != "tongueOut"]
    weights = jaw_curve(60)[:, [INDEX[n] for n in names]] if frames is None else frames
    write_sound(folder / f"{name}.wav")
    rows = [{"weights": row.tolist(), "time": k / 60, "rotation": []} for k, row in enumerate(weights)]
    (folder / f"{name}.json").write_text(json.dumps({"names": names, "frames": rows}))
    (folder / f"{name}.TextGrid").write_text(TEXTGRID)


TEXTGRID = """File type = "ooTextFile"
Object class = "TextGrid"
xmin = 0
xmax = 1.5
tiers? <exists>
size = 2
item []:
    item [1]:
        class = "IntervalTier"
        name = "words"
        xmin = 0
        xmax = 1.5
        intervals: size = 2
            intervals [1]:
                xmin = 0
                xmax = 0.5
                text = ""
            intervals [2]:
                xmin = 0.5
                xmax = 1.5
                text = "be"
    item [2]:
        class = "IntervalTier"
        name = "phones"
        xmin = 0
        xmax = 1.5
        intervals: size = 3
            intervals [1]:
                xmin = 0
                xmax = 0.5
                text = ""
            intervals [2]:
                xmin = 0.5
                xmax = 0.8
                text = "B"
            intervals [3]:
                xmin = 0.8
                xmax = 1.5
                text = "IY1"
"""


def write_etf(folder: Path, name: str) -> None:
    """A recording of 3D-ETF: wav and npy (T, 52) in alphabetical order at 30 fps, in two folders."""
    write_sound(folder / "audio" / f"{name}.wav", 48000)
    (folder / "blendshape").mkdir(exist_ok=True)
    np.save(folder / "blendshape" / f"{name}.npy", jaw_curve(30)[:, [INDEX[n] for n in sorted(ARKIT_NAMES)]])


def write_face(folder: Path) -> np.ndarray:
    """``face_basis_ict.npz`` with random landmarks; returns delta_cm (52, 68, 3)."""
    draw = np.random.default_rng(0)
    neutral, delta = 5 * draw.normal(size=(68, 3)), draw.normal(size=(52, 68, 3))
    delta[INDEX["tongueOut"]] = 0
    np.savez(folder / "face_basis_ict.npz", neutral_cm=neutral, delta_cm=delta, landmarks68=np.arange(68))
    (folder / "manifest.jsonl").touch()
    return delta


def flame_vertices(weights: np.ndarray, corpus: Path) -> tuple[np.ndarray, np.ndarray]:
    """Vertices (T, 5023, 3) in metres, turned and scaled, whose landmarks move by `weights`; and the neutral."""
    with np.load(corpus / "face_basis_ict.npz") as face:
        neutral, delta = face["neutral_cm"], face["delta_cm"]
    turn = np.array([[0.0, -1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 1.0]])
    template = np.zeros((FLAME_VERTICES, 3), np.float32)
    template[LANDMARKS] = 0.01 * neutral @ turn + 1.0
    vertices = np.tile(template, (len(weights), 1, 1))
    vertices[:, LANDMARKS] += 0.01 * np.einsum("tk,kvc->tvc", weights, delta) @ turn
    return vertices, template


def livelink_rows(weights: np.ndarray, first_frame: int = 0) -> list[str]:
    """Lines of a Live Link Face CSV at 60 fps, beginning at 23:59:59 plus `first_frame` frames."""
    header = ["Timecode", "BlendShapeCount", *(n[0].upper() + n[1:] for n in ARKIT_NAMES), "HeadYaw"]
    lines = [",".join(header)]
    for k, row in enumerate(weights):
        total = 23 * 216000 + 59 * 3600 + 59 * 60 + first_frame + k
        hour, minute, second, frame = total // 216000 % 24, total // 3600 % 60, total // 60 % 60, total % 60
        lines.append(f"{hour:02}:{minute:02}:{second:02}:{frame:02}.000,61," + ",".join(map(str, [*row, 0.1])))
    return lines

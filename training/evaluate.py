"""Validation figures of a model, per source, next to the floors."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

#import dtalker_model
from dtalker_model.blendshapes import INDEX
from training.baselines import Predict, mean_face, one_frame_late, ridge
from training.corpus import Clip, corpus_folder, load_audio, load_motion, read_manifest
from training.metrics import correlation, lip_basis_cm, lve, pair

SOURCES = ("ravdess", "ravdess_song", "facegood", "grid")
MAIN_COEFFICIENTS = {
    "jawOpen": ("jawOpen",),
    "mouthFunnel": ("mouthFunnel",),
    "mouthPucker": ("mouthPucker",),
    "mouthSmile": ("mouthSmileLeft", "mouthSmileRight"),
}
Row = dict[str, str | float]


def figures(predict: Predict, clips: Sequence[Clip], basis_cm: np.ndarray) -> Row:
    """LVE in 1e-5 m2 and correlation of the main coefficients of one model on clips of one source."""
    pairs = [pair(load_motion(clip), predict(clip)) for clip in clips]
    row: Row = {"LVE": lve(pairs, basis_cm)}
    for name, parts in MAIN_COEFFICIENTS.items():
        row[name] = correlation(pairs, [INDEX[part] for part in parts])
    return row


def shipped(model: str) -> Predict:
    """Predict with a model file: raw network output, the source's own style, the emotion of the clip's label."""

    def predict(clip: Clip) -> np.ndarray:
        talker = dtalker_model.load(model, blink=False, idle=False)
        identity = clip.identity if clip.identity in talker.card.identities else clip.source.split("_")[0]
        emotion = clip.emotion if clip.emotion in talker.card.emotions else "neutral"
        talker.set(identity=identity, emotion=emotion)
        return talker.predict(load_audio(clip))

    return predict


def evaluate(model: str, split: str = "val", floors: bool = True) -> Iterator[Row]:
    """Rows of figures, one per source and predictor."""
    folder = corpus_folder()
    basis_cm = lip_basis_cm(folder)
    for source in SOURCES:
        clips = [c for c in read_manifest(folder, split, source) if c.motion]
        train = [c for c in read_manifest(folder, "train", source) if c.motion]
        predictors: dict[str, Predict] = {"model": shipped(model)}
        if floors:
            predictors |= {"mean face": mean_face(train), "ridge": ridge(train), "one frame late": one_frame_late}
        for name, predict in predictors.items():
            yield {"source": source, "predictor": name, "clips": len(clips), **figures(predict, clips, basis_cm)}


def table(rows: Sequence[Row]) -> str:
    """Rows as a Markdown table."""
    columns = list(rows[0])
    text = [[f"{v:.2f}" if isinstance(v, float) else str(v) for v in row.values()] for row in rows]
    lines = [columns, ["---"] * len(columns), *text]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def main(model: str, split: str, as_json: bool, out: Path | None) -> None:
    """Print the figures; with `out`, also write them there."""
    rows = list(evaluate(model, split))
    text = json.dumps(rows, indent=1) if as_json else table(rows)
    print(text)
    if out is not None:
        out.write_text(text + "\n", encoding="utf-8")

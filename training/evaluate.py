"""Validation figures of a model, per source, next to the floors."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence

import numpy as np

from dtalker_model.blendshapes import INDEX
from dtalker_model.rates import DELAY_FRAMES, FRAME_SAMPLES
from dtalker_model.settings import Settings
from dtalker_model.talker import load_engine
from training.baselines import Predict, mean_face, one_frame_late, ridge
from training.corpus import Clip, corpus_folder, generic_name, load_audio, load_motion, read_manifest
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
    """Predict with a model file: the network's own output, the style of the clip's source, the emotion of its label."""
    card, engine = load_engine(model)

    def predict(clip: Clip) -> np.ndarray:
        identity = clip.identity if clip.identity in card.identities else generic_name(clip)
        emotion = clip.emotion if clip.emotion in card.emotions else "neutral"
        engine.reset(seed=0)
        audio = load_audio(clip)
        padded = np.pad(audio, (0, (clip.frames + DELAY_FRAMES) * FRAME_SAMPLES - len(audio)))
        blocks = engine.push(padded, Settings(identity=identity, emotion=emotion))
        return np.concatenate([block.weights for block in blocks]).clip(0, 1)

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


def main(model: str, split: str, as_json: bool) -> None:
    """Print the figures."""
    rows = list(evaluate(model, split))
    print(json.dumps(rows, indent=1) if as_json else table(rows))

"""``python -m training data visemes``: fit the dominance functions and report how well they do on validation clips."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from dtalker_model.blendshapes import INDEX
from training.corpus.clips import Clip, corpus_folder, read_manifest, with_phones
from training.corpus.coarticulation import save
from training.corpus.coarticulation_fit import STEPS, correlations, fit, gather
from training.loop.commit import current_commit

REPORTED = {
    name: INDEX[name]
    for name in ("jawOpen", "mouthClose", "mouthFunnel", "mouthPucker", "mouthStretchLeft", "mouthPressLeft")
}


def fit_visemes(out: Path, sources: Sequence[str], phones: Path | None, steps: int = STEPS) -> None:
    """Fit to the training clips of `sources` in the corpus and write `out`; print correlations on validation clips.

    Args:
        phones: phones of clips that the manifest has none for, from ``data align --out``.

    Raises:
        FileNotFoundError, ValueError: no corpus, or a source without measured clips that have phones.
    """
    train, val = (_clips(split, phones) for split in ("train", "val"))
    licence = "; ".join(sorted({f"{c.source} {c.licence}" for c in train if c.source in sources}))
    model = fit(gather(train, sources), sources, licence, steps=steps)
    figures = correlations(model, val, REPORTED)
    command = f"python -m training data visemes {out.name} --sources {','.join(sources)} --phones FILE"
    made = {"command": command, "phones_file": "python -m training data align CORPUS --source grid --out FILE"}
    save(model, out, {**made, "commit": current_commit(), "validation_r": figures})
    print(json.dumps(figures, indent=1))


def _clips(split: str, phones: Path | None) -> list[Clip]:
    clips = read_manifest(corpus_folder(), split)
    return with_phones(clips, phones) if phones else clips

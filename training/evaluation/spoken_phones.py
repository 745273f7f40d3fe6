"""What is said when in a clip: the manifest's phones, or a forced alignment of its text."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.util import find_spec

from training.corpus.clips import Clip, load_audio
from training.data.align import Aligner
from training.data.source import Refusal
from training.evaluation.closure import Phones


def spoken_phones(clips: Sequence[Clip]) -> list[Phones]:
    """Phones of each clip; none for a clip without a text, one that cannot be aligned, or without pocketsphinx."""
    aligner = Aligner() if find_spec("pocketsphinx") and any(c.text and not c.phones for c in clips) else None
    return [clip.phones or _aligned(aligner, clip) for clip in clips]


def _aligned(aligner: Aligner | None, clip: Clip) -> Phones:
    if aligner is None or not clip.text:
        return ()
    try:
        return aligner(load_audio(clip), clip.text).phones
    except Refusal:
        return ()

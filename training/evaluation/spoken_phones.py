"""What is said when in a clip: the manifest's phones, or a forced alignment of its text, kept for next time."""

from __future__ import annotations

import os
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

from training.corpus.clips import Clip, load_audio
from training.data.align import Aligner
from training.data.manifest import Row, read_rows, write_rows
from training.data.source import Refusal
from training.evaluation.lips import Phones


def cache_folder() -> Path:
    """``$DTALKER_CACHE``, else ``dtalker`` in ``$XDG_CACHE_HOME`` or ``~/.cache``: what can be computed again."""
    if own := os.environ.get("DTALKER_CACHE"):
        return Path(own)
    given = Path(os.environ.get("XDG_CACHE_HOME", ""))
    return (given if given.is_absolute() else Path.home() / ".cache") / "dtalker"


def spoken_phones(clips: Sequence[Clip]) -> list[Phones]:
    """Phones of each clip; none for a clip without a text, one that cannot be aligned, or without pocketsphinx.

    Alignments, and that there was none, are kept in ``phones.jsonl`` of `cache_folder`.
    """
    unknown = [c for c in clips if c.text and not c.phones]
    path = cache_folder() / "phones.jsonl"
    known = {row["id"]: row for row in read_rows(path)} if unknown else {}
    wanted = [c for c in unknown if not _same(known.get(c.id), c)]
    if wanted and find_spec("pocketsphinx"):
        try:
            _align(wanted, known)
        finally:  # interrupted, too: it takes a tenth of a second a clip
            write_rows(path, list(known.values()))
    return [c.phones or _kept(known.get(c.id), c) for c in clips]


def _same(row: Row | None, clip: Clip) -> bool:
    return row is not None and (row["text"], row["seconds"]) == (clip.text, clip.seconds)


def _kept(row: Row | None, clip: Clip) -> Phones:
    return tuple((name, start, length) for name, start, length in row["phones"]) if row and _same(row, clip) else ()


def _align(clips: Sequence[Clip], rows: dict[str, Row]) -> None:
    aligner = Aligner()
    for clip in clips:
        try:
            phones = aligner(load_audio(clip), clip.text).phones
        except Refusal:
            phones = ()
        row: Row = {"id": clip.id, "text": clip.text, "seconds": clip.seconds}
        rows[clip.id] = row | {"phones": [list(phone) for phone in phones]}
